"""Make hosted worlds by name, or in one call."""

from collections.abc import Mapping, Sequence
from typing import Any

from umwelt.worlds.adapters.from_dm_control import DmControl
from umwelt.worlds.adapters.from_gymnasium import Environments, Gymnasium
from umwelt.worlds.adapters.hosted import Hosted


def gymnasium(id: str = "Pendulum-v1", options: str = "{}", titles: str = "", **fields: Any) -> Hosted:
    """Make a hosted world of Gymnasium environments. fields: of `Hosted`, such as batch=2."""
    return Hosted(simulator=Gymnasium(id=id, options=options, titles=titles), **fields)


def dm_control(domain: str = "cartpole", task: str = "swingup", options: str = "{}", **fields: Any) -> Hosted:
    """Make a hosted world of the DeepMind Control Suite. fields: of `Hosted`, such as repeat=2."""
    return Hosted(simulator=DmControl(domain=domain, task=task, options=options), **fields)


def from_name(name: str) -> Hosted:
    """The world called `gymnasium:ID`, `gymnasium:module:ID`, `dm_control:DOMAIN-TASK`, `module:ID` or `module:callable`.

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


def of(environment: Any, options: dict[str, Any] | None = None, **fields: Any) -> Hosted:
    """Make a hosted world of an environment.

    environment: a gymnasium.Env that gymnasium.make has made, with its wrappers; an EnvSpec; an id; or a class or
    function at the top of a module. A life makes it again, so the object itself is not stepped. options: keyword
    arguments of the class, function or id. fields: of `Hosted`, such as batch=2.
    """
    return tasks_of([(environment, options or {})], **fields)


def tasks_of(tasks: Mapping[str, Any] | Sequence[Any], **fields: Any) -> Hosted:
    """Make one hosted world of several environments of equal spaces, each a task.

        tasks_of({"easy": "Pendulum-v1", "hard": ("my_package:MyEnv", {"gravity": 3.0})})

    tasks: name -> what `of` takes, alone or with its options. A sequence names each by itself. fields: of `Hosted`.
    """
    # only here: the import of Gymnasium takes a while, and most lives do without
    from umwelt.worlds.adapters import sources

    world = Hosted(simulator=Environments(tasks=sources.named(tasks)), **fields)
    world.spec  # noqa: B018 - what cannot be made, or does not fit together, is refused here
    return world
