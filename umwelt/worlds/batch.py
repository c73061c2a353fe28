"""One world with another number of rows."""

from dataclasses import replace
from typing import Any


def with_batch(world: Any, rows: int) -> Any:
    """The same world with `rows` rows, inside its wrappers too."""
    if hasattr(world, "batch"):
        return replace(world, batch=rows)
    return replace(world, world=with_batch(world.world, rows))
