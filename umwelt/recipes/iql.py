"""Implicit Q-learning: values of shown actions alone, and a policy that clones the better ones."""

from umwelt.behaviours import IQL
from umwelt.recipes.cloning import cloning
from umwelt.recipes.variation import vary

iql = vary(
    cloning,
    {"agent.learner.learner.learner": IQL()},
    name="iql",
    summary="offline values that ask about no action outside the data, and cloning by advantage",
    cites=("iql_2022",),
)
