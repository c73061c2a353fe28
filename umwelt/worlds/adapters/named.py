"""Make hosted worlds by name, or in one call."""

from typing import Any

from umwelt.worlds.adapters.from_dm_control import DmControl
from umwelt.worlds.adapters.from_gymnasium import Gymnasium
from umwelt.worlds.adapters.hosted import Hosted


def gymnasium(id: str = "Pendulum-v1", options: str = "{}", titles: str = "", **fields: Any) -> Hosted:
    """Make a hosted world of Gymnasium environments. fields: of `Hosted`, such as batch=2."""
    return Hosted(simulator=Gymnasium(id=id, options=options, titles=titles), **fields)


def dm_control(domain: str = "cartpole", task: str = "swingup", options: str = "{}", **fields: Any) -> Hosted:
    """Make a hosted world of the DeepMind Control Suite. fields: of `Hosted`, such as repeat=2."""
    return Hosted(simulator=DmControl(domain=domain, task=task, options=options), **fields)


def from_name(name: str) -> Hosted:
    """The world called `gymnasium:ID`, `dm_control:DOMAIN-TASK` or `module:callable`.

    The name is looked up at once, so a misspelt one raises here.
    """
    kind, colon, rest = name.partition(":")
    if not colon or not rest:
        raise ValueError(f"name {name!r} must be gymnasium:ID, dm_control:DOMAIN-TASK or module:callable")
    if kind == "dm_control":
        domain, _, task = rest.partition("-")
        world = dm_control(domain=domain, task=task or "?")
    else:
        world = gymnasium(id=rest if kind == "gymnasium" else name)
    world.builds()
    return world
