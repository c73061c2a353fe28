"""Cloning in a code that inverse dynamics made in the first lessons, and that is then frozen."""

from umwelt.behaviours import Pretrained
from umwelt.recipes.cloning import cloning
from umwelt.recipes.variation import around, vary

inverse_pretraining = vary(
    cloning,
    {"agent.learner.learner": around(lambda learner: Pretrained(learner=learner))},
    name="inverse_pretraining",
    summary="cloning that reads a code of what the body can do, learned by saying which action led where",
    cites=("inverse_pretraining_2023",),
)
