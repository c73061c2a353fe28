"""Consistency policy: actions are cleaned noise, in two steps, near to the data and better where critics say so."""

from umwelt.behaviours import DenoisedActor
from umwelt.recipes.cloning import cloning
from umwelt.recipes.variation import vary

consistency_policy = vary(
    cloning,
    {"agent.learner.learner.learner": DenoisedActor()},
    name="consistency_policy",
    summary="an actor-critic that draws its actions in two steps of a consistency model",
    needs=("boxes", "data"),
    cites=("consistency_policy_2024", "diffusion_ql_2023"),
)
