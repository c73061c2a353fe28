"""Several online linear world models, chosen by surprise, under a sampling planner.

The single model of `losse_mpc` is right about none of two worlds that contradict each other. Here a change that
surprises selects another expert or begins a new one. Nothing announces when the world changes, or into which one.
"""

from umwelt.recipes.losse_mpc import losse_mpc
from umwelt.recipes.variation import around, vary
from umwelt.retention import Experts

losse_experts = vary(
    losse_mpc,
    {"agent.model": around(lambda model: Experts(model=model))},
    name="losse_experts",
    summary="online linear world models, grown and chosen by surprise + iCEM; for worlds that change unannounced",
    cites=("multiple_models_2002",),
)
