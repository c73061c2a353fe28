"""tdmpc2 with a policy that imitates its planner, and plans made anew for old states."""

from dataclasses import replace
from typing import Any

from umwelt.behaviours import Bootstrapped
from umwelt.memory.ring import Ring
from umwelt.recipes.tdmpc2 import tdmpc2


def imitating(agent: Any) -> Bootstrapped:
    """The same model and planner; the policy imitates."""
    model = replace(agent.model, model=replace(agent.model.model, teaches=False))
    return Bootstrapped(**{**vars(agent), "model": model}, plans=Ring(bytes=4_000_000))


bmpc = tdmpc2.varied(
    imitating,
    name="bmpc",
    summary="tdmpc2 whose policy imitates the planner, with old plans made anew",
    citation="Bootstrapped model predictive control (ICLR 2025)",
    expected="-120 on Pendulum-v1 in 6,000 decisions (3 seeds), against no published figure; docs/evidence.md",
)
