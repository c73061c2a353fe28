"""Masked trajectory model: it rebuilds what is hidden of a stretch, and acts by rebuilding its own action.

The return that it asks for is visible. As forward and inverse model it is examined by its claim; no planner uses it here.
"""

from umwelt.behaviours import Masked
from umwelt.memory import Trajectories
from umwelt.recipes.bet import bet
from umwelt.recipes.variation import vary

mtm = vary(
    bet,
    {"agent.learner": Masked(), "agent.memory": Trajectories(length=4)},
    name="mtm",
    summary="a transformer that rebuilds what random masks hide; a mask makes it a policy that is asked for a return",
    cites=("mtm_2023",),
    needs=("boxes", "choices", "data"),
)
