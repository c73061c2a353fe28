"""The dreamer that draws nothing of what it sees: its model learns what actions do and what follows is worth."""

from dataclasses import replace
from typing import Any

from umwelt.recipes.dreamer_v3 import dreamer_v3
from umwelt.recipes.recipe import Recipe


def blind(agent: Any) -> Any:
    """The same dreamer without a decoder; its model values by the same discount as its critic."""
    return replace(agent, model=replace(agent.model, tells="value and action", discount=agent.policy.discount))


mudreamer = Recipe(
    name="mudreamer",
    summary="dreamer_v3 without reconstruction: values and actions are told instead",
    agent=blind(dreamer_v3.agent),
    sizes={name: blind(agent) for name, agent in dreamer_v3.sizes.items()},
    rhythm=dreamer_v3.rhythm,
    citation="MuDreamer: learning predictive world models without reconstruction (2024)",
    budget=dreamer_v3.budget,
    expected="see docs/evidence.md",
)
