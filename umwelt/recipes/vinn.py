"""Imitation by the nearest shown moments, in a code that inverse dynamics made."""

from umwelt.behaviours import Nearest, Pretrained
from umwelt.recipes.cloning import cloning
from umwelt.recipes.variation import vary

vinn = vary(
    cloning,
    {"agent.learner.learner": Pretrained(learner=Nearest())},
    name="vinn",
    summary="do what was done at the nearest shown moments; what is near is learned apart from what to do",
    needs=("boxes", "data"),
    cites=("vinn_2022",),
)
