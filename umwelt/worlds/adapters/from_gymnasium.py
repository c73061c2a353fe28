"""Build any Gymnasium environment as the simulator of a hosted world."""

import difflib
from typing import Any

from umwelt.core import part
from umwelt.worlds.adapters import variants
from umwelt.worlds.adapters.simulators import find_callable


@part
class Gymnasium:
    """Gymnasium environments of equal spaces; each id, or each set of options, is a task."""

    id: str = "Pendulum-v1"
    """A Gymnasium id or module:callable (which returns a gymnasium.Env); several with commas between."""
    options: str = "{}"
    """Keyword arguments of the environment, as JSON; a list of them makes variants."""
    titles: str = ""
    """What the tasks are called, with commas between; empty for their ids and options."""

    takes_options = True
    """An environment's `reset` takes options."""

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


def find(id: str) -> Any:
    """What is to be built: `module:callable` as it is, else the EnvSpec of a Gymnasium id."""
    import gymnasium

    if ":" in id and find_callable(id) is not None:
        return id
    try:
        return gymnasium.spec(id)
    except gymnasium.error.Error as error:
        near = difflib.get_close_matches(id, gymnasium.registry, n=3, cutoff=0.4)
        nearest = f"; the nearest are {', '.join(near)}" if near else ""
        raise ValueError(f"id {id!r} names no Gymnasium environment ({error}){nearest}") from error
