"""Goals that make sense, against novelty, in a workshop full of clutter."""

from umwelt.behaviours import DQN, Curious, ModelFree
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.tinkering import FOUND, WAIT, Tinkering
from umwelt.curiosity import Counts, Distilled
from umwelt.curiosity.suggested import Suggested
from umwelt.memory import Ring
from umwelt.recipes.variation import varied
from umwelt.worlds.workshop import Sensible, Workshop

VALUES = ModelFree(
    learner=DQN(units=64, learning_rate=1e-3, discount=0.9, final_epsilon=0.1, epsilon_updates=1000),
    memory=Ring(bytes=8_000_000),
    batch=64,
)
SUGGESTED = Computed(
    function=Tinkering(world=Workshop(), agent=Curious(agent=VALUES, curiosity=Suggested(suggest=Sensible()), normalised=False)),
    measures=(FOUND, WAIT),
    together=True,
)

helps = Claim(
    name="ellm",
    says="while nothing pays, an agent whose goals make sense finds {gain:.1f} [{low:.1f}, {high:.1f}] more of 14 products than"
    " one that seeks rare observations, {gain_2:.1f} [{low_2:.1f}, {high_2:.1f}] more than one by network distillation, and"
    " {gain_3:.1f} [{low_3:.1f}, {high_3:.1f}] more than one without a bonus; then it fails to make a deep product"
    " {gain_4:.2f} [{low_4:.2f}, {high_4:.2f}] times as often as the first",
    recipe="ellm",
    cites=("ellm_2023",),
    arms={
        "suggested": SUGGESTED,
        "counts": varied(SUGGESTED, {"function.agent": Curious(agent=VALUES, curiosity=Counts(of="bits", episodic=True))}),
        "distilled": varied(SUGGESTED, {"function.agent": Curious(agent=VALUES, curiosity=Distilled(units=32))}),
        "none": varied(SUGGESTED, {"function.agent.weight": 0.0}),
        "imprecise": varied(SUGGESTED, {"function.agent.curiosity.suggest": Sensible(precision=0.2)}),
    },
    expects=(
        Expect(measure="found", arm="suggested", over="counts", by=4.0),
        Expect(measure="found", arm="suggested", over="distilled", by=4.0),
        Expect(measure="found", arm="suggested", over="none", by=4.0),
        Expect(measure="wait", arm="suggested", over="counts", by=0.6, ratio=True),
    ),
    minutes=4,
    not_shown="goals of a language model, captions of words, agents that are shown their goals, Crafter and Housekeep",
)
