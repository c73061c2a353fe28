"""Build any Gymnasium environment as the simulator of a hosted world."""

from typing import Any

from umwelt.core import part
from umwelt.worlds.adapters import variants
from umwelt.worlds.adapters.simulators import find_callable, find_here, find_spec


@part
class Gymnasium:
    """Gymnasium environments of equal spaces; each id, or each set of options, is a task."""

    id: str = "Pendulum-v1"
    """A Gymnasium id, module:Id (the module registers it) or module:callable; several with commas between."""
    options: str = "{}"
    """Keyword arguments of the environment, as JSON; a list of them makes variants."""
    titles: str = ""
    """What the tasks are called, with commas between; empty for their ids and options."""

    takes_options = True
    """An environment's `reset` takes options."""
    has_info = True
    """Its steps come with an `info`."""

    @property
    def name(self) -> str:
        """What the world is called."""
        return self.id

    def builds(self) -> dict[str, dict[str, Any]]:
        """Task name -> how to build its simulator."""
        targets = {id: find(id) for id in variants.listed(self.id, "id")}
        return {
            name: {"kind": "gymnasium", "target": targets[id], "options": options}
            for name, (id, options) in variants.titled(variants.crossed(tuple(targets), self.options), self.titles).items()
        }


@part
class Environments:
    """Gymnasium environments of equal spaces, each from a source and options of its own; each is a task.

    `umwelt.worlds.tasks_of` and `umwelt.worlds.of` make it.
    """

    tasks: tuple[tuple[str, str, str], ...]
    """(name, source, options as JSON) of each task. A source is what `Gymnasium` takes as an id, or an EnvSpec as JSON."""

    takes_options = True
    """An environment's `reset` takes options."""
    has_info = True
    """Its steps come with an `info`."""

    @property
    def name(self) -> str:
        """What the world is called."""
        return ",".join(name for name, _, _ in self.tasks)

    def builds(self) -> dict[str, dict[str, Any]]:
        """Task name -> how to build its simulator."""
        return {name: {"kind": "gymnasium", "target": find(source), "options": options} for name, source, options in self.tasks}


def find(id: str) -> Any:
    """What is to be built: `module:callable` or `module:Id` as it is, else the EnvSpec of a Gymnasium id, or of JSON.

    A worker process imports the module again, so that its ids are registered there too.
    """
    if id.startswith("{"):
        from gymnasium.envs.registration import EnvSpec

        find_here()
        return EnvSpec.from_json(id)
    if ":" in id and find_callable(id) is not None:
        return id
    spec = find_spec(id)
    return id if ":" in id else spec
