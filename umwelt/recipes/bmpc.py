"""tdmpc2 with a policy that imitates its planner, and plans made anew for old states."""

from dataclasses import replace
from typing import Any

from umwelt.behaviours import Bootstrapped
from umwelt.memory.ring import Ring
from umwelt.recipes.recipe import Recipe
from umwelt.recipes.tdmpc2 import tdmpc2


def imitating(agent: Any) -> Bootstrapped:
    """The same model and planner; the policy imitates."""
    model = replace(agent.model, model=replace(agent.model.model, teaches=False))
    return Bootstrapped(**{**vars(agent), "model": model}, plans=Ring(bytes=4_000_000))


bmpc = Recipe(
    name="bmpc",
    summary="tdmpc2 whose policy imitates the planner, with old plans made anew",
    agent=imitating(tdmpc2.agent),
    sizes={name: imitating(agent) for name, agent in tdmpc2.sizes.items()},
    rhythm=tdmpc2.rhythm,
    citation="Bootstrapped model predictive control (ICLR 2025)",
    budget=tdmpc2.budget,
    expected="see docs/evidence.md",
)
