"""Whether a policy that is shown where to end ends there, after it was shown play alone."""

from umwelt.behaviours import BeT, Sequenced
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.crossed import ENTROPY, SUCCESS, Crossed
from umwelt.memory import Trajectories
from umwelt.networks.codes import KMeans
from umwelt.recipes.variation import varied

AGENT = Sequenced(learner=BeT(goal="future"), memory=Trajectories(bytes=4_000_000, length=64, across=True))
AIMED = Computed(function=Crossed(agent=AGENT, gates=True, announced=True, rows=50), measures=(SUCCESS, ENTROPY), together=True)
OF = "function.agent.learner"

conditional = Claim(
    name="c_bet",
    says="after play without labels, a policy that names actions and reads a goal comes through the gate that is asked for"
    " {gain:.2f} [{low:.2f}, {high:.2f}] more often than one that reads none, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more"
    " than one that reads it and says the mean",
    recipe="c_bet",
    arms={
        "goal": AIMED,
        "no goal": varied(AIMED, {f"{OF}.goal": "none", "function.announced": False}),
        "mean": varied(AIMED, {f"{OF}.codes": KMeans(number=1)}),
    },
    expects=(
        Expect(measure="success", arm="goal", over="no goal", by=0.4),
        Expect(measure="success", arm="goal", over="mean", by=0.2),
    ),
    cites=("cbet_2023", "bet_2022"),
    minutes=12,
    tried="one setting",
    not_shown="a real kitchen; a goal is one observation here, where the paper shows a stretch of them",
)
