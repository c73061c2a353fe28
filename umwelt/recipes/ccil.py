"""Cloning of few demonstrations, with corrections that a smooth local model invents."""

from umwelt.behaviours import Corrective
from umwelt.recipes.cloning import cloning
from umwelt.recipes.variation import around, vary

ccil = vary(
    cloning,
    {"agent.learner.learner": around(lambda learner: Corrective(learner=learner))},
    name="ccil",
    summary="cloning that learns the way back onto few demonstrations from a smooth local model",
    needs=("boxes", "data"),
    cites=("ccil_2024",),
)
