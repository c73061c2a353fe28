"""Any Gymnasium environment as a hosted world."""

import difflib
from typing import Any

from umwelt.core import TimeStep, WorldSpec, part
from umwelt.worlds.adapters import hosted, recall, variants
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
    batch: int = 1
    """Episodes lived in parallel."""
    repeat: int = 1
    """Frames of the simulator for one decision; their rewards are summed."""
    subprocesses: bool = False
    """Run each row in a process of its own."""
    pictures: bool = False
    """Make the environment able to render."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and names."""
        seen, done = hosted.survey(self)
        return WorldSpec(
            name=self.id,
            observation=hosted.space(seen),
            action=hosted.space(done),
            task=hosted.task_space(len(self.recipes())),
            batch=self.batch,
            hosted=True,
            repeat=self.repeat,
        )

    def recipes(self) -> dict[str, dict[str, Any]]:
        """Task name -> the recipe of its simulator."""
        targets = {id: find(id) for id in variants.listed(self.id, "id")}
        return {
            name: {
                "kind": "gymnasium",
                "target": targets[id],
                "options": options,
                "repeat": self.repeat,
                "pictures": self.pictures,
            }
            for name, (id, options) in variants.titled(variants.crossed(tuple(targets), self.options), self.titles).items()
        }

    def tasks(self) -> dict[str, hosted.Variant]:
        """One task for each variant, the first one is the default."""
        return hosted.tasks(self)

    def init(self, key: Any, task: hosted.Variant) -> tuple[hosted.Ticket, TimeStep]:
        """Make the environments and begin B episodes."""
        return hosted.init(self, key, task)

    def step(self, key: Any, state: hosted.Ticket, action: Any, next_task: hosted.Variant) -> tuple[hosted.Ticket, TimeStep]:
        """One decision in each row; the ticket is used up."""
        return hosted.step(key, state, action, next_task)

    def save(self, ticket: hosted.Ticket) -> dict[str, Any]:
        """What it takes to be here again, as plain arrays."""
        return recall.save(ticket)

    def restore(self, saved: dict[str, Any]) -> tuple[hosted.Ticket, TimeStep]:
        """The saved world again, by living its episodes again."""
        return recall.restore(self, saved)

    def drain(self, ticket: hosted.Ticket) -> list[hosted.Event]:
        """What happened since this was last asked."""
        return hosted.drain(ticket)

    def render(self, ticket: hosted.Ticket) -> Any:
        """Row 0 as uint8 [H, W, 3], or None without `pictures`."""
        return hosted.render(ticket)

    def close(self, ticket: hosted.Ticket) -> None:
        """End the environments and their processes."""
        hosted.close(ticket)


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
