"""Worlds from outside: Gymnasium, the DeepMind Control Suite, and any callable that makes an environment."""

from umwelt.worlds.adapters.from_dm_control import DmControl
from umwelt.worlds.adapters.from_gymnasium import Environments, Gymnasium
from umwelt.worlds.adapters.host import Event, Posed, StaleTicket, Ticket, Variant
from umwelt.worlds.adapters.hosted import Hosted
from umwelt.worlds.adapters.named import dm_control, from_name, gymnasium, of, tasks_of

__all__ = [
    "DmControl", "Environments", "Event", "Gymnasium", "Hosted", "Posed", "StaleTicket", "Ticket", "Variant", "dm_control",
    "from_name", "gymnasium", "of", "tasks_of",
]  # fmt: skip
