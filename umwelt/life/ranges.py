"""Settings that no part can work with: a step size below zero, a planner without samples.

Settings of one name mean the same in every part, so their ranges stand here once. A part for which a name means something
else says so in a class attribute `ranges = {name: (low, high)}`; (-inf, inf) allows all.
"""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

MOST = math.inf
LEAST = 5e-324
"""The smallest number above zero."""
ONE, ABOVE, NATURAL, SHARE = (1.0, MOST), (LEAST, MOST), (0.0, MOST), (0.0, 1.0)
USUAL: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("samples", "elites", "units", "encoder_units", "members", "latent", "batch", "bytes", "horizon"), ONE),
    **dict.fromkeys(("slots", "views", "rank"), ONE),
    **dict.fromkeys(("learning_rate", "encoder_rate"), ABOVE),
    **dict.fromkeys(("layers", "length", "iterations", "updates", "strength", "weight_decay", "damping", "clip"), NATURAL),
    **dict.fromkeys(
        ("spread", "least_spread", "ridge", "free_nats", "warm_up", "patience", "temperature", "model_batch"), NATURAL
    ),
    **dict.fromkeys(("discount", "lambda_", "ema_rate", "momentum", "proposed", "probability", "final_epsilon"), SHARE),
}


def outside(part: Any, path: str) -> str:
    """A sentence about the first setting in a part, and in the parts inside it, that lies outside its range; else empty."""
    for name, owner, field, value in _settings(part, path):
        low, high = getattr(owner, "ranges", {}).get(field, USUAL.get(field, (-MOST, MOST)))
        if not low <= value <= high:
            wanted = "above 0" if low == LEAST else f"at least {low:g}" if high == MOST else f"from {low:g} to {high:g}"
            return f"{name}={value:g}: {type(owner).__name__} needs a number {wanted}"
    return ""


def _settings(part: Any, path: str) -> Iterator[tuple[str, Any, str, float]]:
    """(path, the part that has it, its name, the number) of every number in a part."""
    for field in dataclasses.fields(part):
        value, name = getattr(part, field.name), f"{path}.{field.name}"
        for each in value if isinstance(value, tuple) else (value,):
            if dataclasses.is_dataclass(each) and not isinstance(each, type):
                yield from _settings(each, name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield name, part, field.name, value
