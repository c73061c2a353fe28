"""Umwelt: agents that live.

    import umwelt
    life = umwelt.Life(world=..., agent=..., teacher=...)
    umwelt.live(life, steps=2000, name="mine")

`umwelt.check.<role>(part)` says whether a part keeps its contract.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_PLACES = {
    "Life": "umwelt.life.composition",
    "Rhythm": "umwelt.life.rhythm",
    "live": "umwelt.life.api",
    "resume": "umwelt.life.api",
    "probe": "umwelt.life.api",
    "fingerprints": "umwelt.life.api",
}
_ROOMS = ("behaviours", "check", "core", "evaluation", "life", "memory", "models", "planners", "recipes", "teachers", "worlds")

__all__ = ["Life", "Rhythm", "__version__", "fingerprints", "live", "probe", "resume", *_ROOMS]


def __getattr__(name: str) -> Any:
    """Rooms and names are imported when they are first used, so that `umwelt --help` need not wait for JAX."""
    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    if name in _ROOMS:
        return importlib.import_module(f"umwelt.{name}")
    raise AttributeError(f"module 'umwelt' has no attribute {name!r}")
