"""Worlds from outside: Gymnasium, the DeepMind Control Suite, and any callable that makes an environment."""

from typing import Any

from umwelt.worlds.adapters.dm_control import DmControl
from umwelt.worlds.adapters.gymnasium import Gymnasium
from umwelt.worlds.adapters.hosted import Event, StaleTicket, Ticket, Variant

__all__ = ["DmControl", "Event", "Gymnasium", "StaleTicket", "Ticket", "Variant", "from_name"]


def from_name(name: str) -> Any:
    """The world called `gymnasium:ID`, `dm_control:DOMAIN-TASK` or `module:callable`.

    The name is looked up at once, so a misspelt one raises here.
    """
    kind, colon, rest = name.partition(":")
    if not colon or not rest:
        raise ValueError(f"name {name!r} must be gymnasium:ID, dm_control:DOMAIN-TASK or module:callable")
    if kind == "dm_control":
        domain, _, task = rest.partition("-")
        world: Any = DmControl(domain=domain, task=task or "?")
    else:
        world = Gymnasium(id=rest if kind == "gymnasium" else name)
    world.recipes()
    return world
