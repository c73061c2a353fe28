"""What it is good for that a decision transformer also predicts states, returns and the regions of actions."""

from umwelt.behaviours import DecisionTransformer, Sequenced
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.asked import SPREAD, Asked
from umwelt.claims.studies.offline import NORMALISED
from umwelt.memory import Trajectories
from umwelt.memory.played import Played
from umwelt.recipes.variation import varied
from umwelt.worlds import CartpoleSwingup

TELLS = ("action", "state", "return")
BOTH = Computed(
    function=Asked(
        agent=Sequenced(
            learner=DecisionTransformer(context=5, tells=TELLS, regions=8, width=32, layers=1),
            memory=Trajectories(bytes=4_000_000, length=5),
            batch=32,
        ),
        data=(Played(world=CartpoleSwingup(), how="mixed-0.3", episodes=30),),
        updates=4000,
    ),
    measures=(NORMALISED, SPREAD),
    together=True,
)
OF = "function.agent.learner"
tells = Claim(
    name="multi_objective_dt",
    says="a decision transformer that also predicts states, returns and regions reaches {gain:.2f} [{low:.2f}, {high:.2f}] more"
    " of the expert's return than a plain one; without regions it is {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}], and without the"
    " other predictions {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}]; attention is {gain_4:.2f} [{low_4:.2f}, {high_4:.2f}] more"
    " even",
    recipe="multi_objective_dt",
    arms={
        "both": BOTH,
        "predictions": varied(BOTH, {f"{OF}.regions": 0}),
        "regions": varied(BOTH, {f"{OF}.tells": ("action",)}),
        "neither": varied(BOTH, {f"{OF}.regions": 0, f"{OF}.tells": ("action",)}),
    },
    expects=(
        Expect(measure="normalised", arm="both", over="neither", by=0.05),
        Expect(measure="normalised", arm="predictions", over="neither", by=0.05),
        Expect(measure="normalised", arm="regions", over="neither", by=0.05),
        Expect(measure="attention_entropy", arm="both", over="neither", by=0.0),
    ),
    cites=("multi_objective_dt_2023", "decision_transformer_2021"),
    minutes=10,
    tries=2,
    tried="first the mean over a pendulum and this world at half the updates: where starts differ, the best return that was"
    " shown cannot be had from most of them, and all arms stayed below a fifth of the expert's return",
    not_shown="ranks in D4RL. Logs in which three episodes in ten are an expert's stand in for those of a learning agent",
)
