"""Supported policy optimisation: an actor that a density of the data keeps inside their support."""

from umwelt.behaviours import Density
from umwelt.recipes.td3_bc import td3_bc
from umwelt.recipes.variation import vary

spot = vary(
    td3_bc,
    {"agent.learner.learner.learner.clone": 0.0, "agent.learner.learner.learner.support": Density(), "rhythm.study": 8000},
    name="spot",
    summary="an actor that is charged for leaving the support of the data",
    cites=("spot_2022",),
    budget="8,000 lessons of shown experience, of which the first 2,000 learn their density",
)
