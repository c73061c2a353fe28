"""Cloning by a latent that says what was chosen and not how the dice fell, asked for the highest value."""

from umwelt.behaviours import Controlled, Standard
from umwelt.recipes.cloning import cloning
from umwelt.recipes.variation import vary

doc = vary(
    cloning,
    {"agent.learner": Standard(learner=Controlled())},
    name="doc",
    summary="cloning by a latent that is independent of luck; in life it acts by the latent of the highest value",
    cites=("doc_2023",),
)
