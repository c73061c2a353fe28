"""What an internal model is good for, where speeds are hidden and bodies differ."""

from umwelt.behaviours import PPO, Asymmetric, Internal, OnPolicy
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.rounds import FINAL, SOON, Rounds
from umwelt.recipes.variation import varied
from umwelt.worlds import CartpoleSwingup, Varied, partly, pushed

BODIES = Varied(
    world=CartpoleSwingup(batch=32, time_limit=199),
    within=(("mass", 0.05, 0.3), ("length", 0.3, 0.8), ("gravity", 7.0, 12.0)),
    number=64,
)
POLICY = PPO(learning_rate=1e-3, discount=0.98, epochs=6)
LIFE = Computed(
    function=Rounds(
        world=partly(pushed(BODIES), hidden=(1, 4), past=6),
        agent=OnPolicy(learner=Internal(learner=POLICY), horizon=64),
        ticks=64,
        rounds=146,
        every=4,
        chance=18.0,
        expert=113.0,
        drawn=True,
    ),
    measures=(FINAL, SOON),
    together=True,
)
internal = Claim(
    name="him",
    says="where speeds are hidden and bodies differ, a policy with an internal model comes {gain:.2f} [{low:.2f}, {high:.2f}] of"
    " the expert's return farther than one of the present moment, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] farther than one"
    " that reads the same past; it passes {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] times as late as that one",
    recipe="him",
    arms={
        "internal": LIFE,
        "present": varied(LIFE, {"function.agent.learner": Asymmetric(learner=POLICY, recalls=False)}),
        "past": varied(LIFE, {"function.agent.learner": Asymmetric(learner=POLICY)}),
    },
    expects=(
        Expect(measure="final", arm="internal", over="present", by=0.3),
        Expect(measure="final", arm="internal", over="past", by=-0.03),
        Expect(measure="soon", arm="internal", over="past", by=0.7, ratio=True),
    ),
    cites=("him_2024", "swav_2020", "asymmetric_2018"),
    seeds=(0, 1, 2, 3, 4),
    tuned=(100, 101, 102),
    minutes=8,
    tried="one setting, on one of the tuning seeds",
    not_shown="robots with legs, stairs, and the disturbances that the paper's values read",
)
