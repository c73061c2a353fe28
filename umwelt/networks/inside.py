"""Replace a part inside wrappers: the world within, or its number of rows."""

import dataclasses
from typing import Any

from umwelt.core import layers


def with_batch(world: Any, rows: int) -> Any:
    """Return the same world with `rows` rows, inside its wrappers too."""
    inside = list(layers(world))[1:]
    return around(world, with_batch(inside[0], rows)) if inside else dataclasses.replace(world, batch=rows)


def around(wrapper: Any, inner: Any) -> Any:
    """Return the same wrapper around another world."""
    field = next(field.name for field in dataclasses.fields(wrapper) if getattr(wrapper, field.name) is wrapper.inner)
    return dataclasses.replace(wrapper, **{field: inner})
