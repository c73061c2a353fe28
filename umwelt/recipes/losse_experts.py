"""Online linear world models, one for each world that surprise tells apart, under a sampling planner.

The leader of `losse_mpc` forgets nothing, and where worlds contradict each other that is its fault: it is
right about none of them. Here a change that surprises calls another expert, or begins a new one. Nobody
says when the world changes, or which one it is.
"""

from dataclasses import replace

from umwelt.recipes.losse_mpc import losse_mpc
from umwelt.retention import Experts

losse_experts = losse_mpc.varied(
    lambda agent: replace(agent, model=Experts(model=agent.model)),
    name="losse_experts",
    summary="online linear world models, grown and chosen by surprise + iCEM; for worlds that change unannounced",
    citation="the models are those of losse_mpc, and experts that are chosen by their error those of "
    "Multiple model-based reinforcement learning (Neural Computation, 2002)",
    expected="keeps 0.94 of six physics of a pendulum that come twice unannounced, where losse_mpc keeps 0.49; docs/evidence.md",
)
