"""tdmpc2 with a policy that imitates its planner, and new plans for old states."""

from umwelt.behaviours import Bootstrapped
from umwelt.memory import Ring
from umwelt.recipes.tdmpc2 import tdmpc2
from umwelt.recipes.variation import around, vary

bmpc = vary(
    tdmpc2,
    {
        "agent.model.model.improves": False,
        "agent": around(lambda agent: Bootstrapped(agent=agent, plans=Ring(bytes=4_000_000))),
    },
    name="bmpc",
    summary="tdmpc2 whose policy imitates the planner, with new plans for old states",
    cites=("bmpc_2025",),
)
