"""Umwelt: agents that live.

    import umwelt
    life = umwelt.Life(world=..., agent=..., teacher=...)
    umwelt.live(life, steps=2000, name="mine")

`umwelt.check.<role>(part)` says whether a part keeps its contract.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from umwelt import (
        behaviours,
        check,
        core,
        curiosity,
        evaluation,
        gymnasium,
        life,
        memory,
        models,
        networks,
        planners,
        recipes,
        retention,
        teachers,
        worlds,
    )
    from umwelt.from_python import live, resume
    from umwelt.life.api import fingerprints, probe
    from umwelt.life.composition import Life
    from umwelt.life.exams.outcome import outcome
    from umwelt.life.rhythm import Rhythm
    from umwelt.policy.policy import load

__version__ = "0.2.0.dev0"

__all__ = [
    "Life",
    "Rhythm",
    "__version__",
    "behaviours",
    "check",
    "core",
    "curiosity",
    "evaluation",
    "fingerprints",
    "gymnasium",
    "life",
    "live",
    "load",
    "memory",
    "models",
    "networks",
    "outcome",
    "planners",
    "probe",
    "recipes",
    "resume",
    "retention",
    "teachers",
    "worlds",
]

_PLACES = {
    "Life": "umwelt.life.composition",
    "Rhythm": "umwelt.life.rhythm",
    "fingerprints": "umwelt.life.api",
    "live": "umwelt.from_python",
    "load": "umwelt.policy.policy",
    "outcome": "umwelt.life.exams.outcome",
    "probe": "umwelt.life.api",
    "resume": "umwelt.from_python",
}


def __getattr__(name: str) -> Any:
    """Import rooms and names when they are first used, so that `umwelt --help` need not wait for JAX."""
    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    if name in __all__:
        return importlib.import_module(f"umwelt.{name}")
    raise AttributeError(f"module 'umwelt' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
