"""The dreamer that draws nothing of what it sees: its model learns what actions do and what follows is worth."""

from dataclasses import replace
from typing import Any

from umwelt.recipes.dreamer_v3 import dreamer_v3


def blind(agent: Any) -> Any:
    """The same dreamer without a decoder; its model values by the same discount as its critic."""
    blinded = replace(agent.model.model, tells="value and action", discount=agent.policy.discount)
    return replace(agent, model=replace(agent.model, model=blinded))


mudreamer = dreamer_v3.varied(
    blind,
    name="mudreamer",
    summary="dreamer_v3 without reconstruction: values and actions are told instead",
    citation="MuDreamer: learning predictive world models without reconstruction (2024)",
    expected="-172 on pendulum in 18,000 decisions (3 seeds), slower than dreamer_v3; docs/evidence.md",
)
