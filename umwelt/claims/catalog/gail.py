"""What a penalty on a judge's slopes is good for, in imitation off policy."""

from umwelt.claims.arms import Lived
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.measures import FINAL_RETURN
from umwelt.memory.played import Played
from umwelt.recipes.gail import gail
from umwelt.recipes.variation import varied
from umwelt.worlds import Pendulum

WORLD = Pendulum(time_limit=150)
SMOOTH = Lived(
    life=varied(
        gail(WORLD),
        {
            "shown": (Played(world=WORLD, how="expert", episodes=4),),
            "agent.batch": 128,
            "agent.learner.learner.learner.units": 64,
            "agent.learner.learner.learner.discount": 0.97,
            "agent.learner.learner.learner.learning_rate": 1e-3,
            "rhythm.probe_episodes": 20,
        },
    ),
    steps=10_000,
    measures=(FINAL_RETURN,),
)
smooth = Claim(
    name="lipschitz_gail",
    says="four episodes of an expert and no rewards: with a penalty on the judge's slopes the return at the end is {gain:.0f}"
    " [{low:.0f}, {high:.0f}] higher than without",
    recipe="gail",
    arms={
        "penalty": SMOOTH,
        "none": varied(SMOOTH, {"life.agent.learner.learner.judge.penalty": 0.0}),
    },
    expects=(Expect(measure="final_return", arm="penalty", over="none", by=300.0),),
    cites=("lipschitz_gail_2022", "gail_2016"),
    seeds=(0, 1, 2, 3, 4),
    tuned=(100, 101),
    minutes=8,
    tried="one setting",
    not_shown="locomotion. An expert's return here is about -150, and that of chance about -900",
)
