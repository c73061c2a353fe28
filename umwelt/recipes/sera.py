"""A conservative dqn that is paid for states which are rare among those of like value."""

from umwelt.behaviours import Rewarded
from umwelt.curiosity import Neighbours
from umwelt.recipes.dqn import dqn
from umwelt.recipes.variation import around, vary

sera = vary(
    dqn,
    {
        "agent.learner.conservative": 1.0,
        "agent.learner": around(lambda learner: Rewarded(learner=learner, curiosity=Neighbours(k=12, given="worth"), weight=0.1)),
    },
    name="sera",
    summary="conservative dqn with a bonus for the entropy of states given their value; it may study data first",
    cites=("sera_2023",),
    needs=("choices",),
)
