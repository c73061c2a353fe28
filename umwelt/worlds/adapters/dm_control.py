"""The DeepMind Control Suite as hosted worlds."""

import difflib
from typing import Any

from umwelt.core import TimeStep, WorldSpec, part
from umwelt.worlds.adapters import hosted, recall, variants


@part
class DmControl:
    """Tasks of one domain of the DeepMind Control Suite, with equal spaces."""

    domain: str = "cartpole"
    """The body, such as cartpole or walker."""
    task: str = "swingup"
    """What to do with it; several with commas between."""
    options: str = "{}"
    """Keyword arguments of the task, as JSON; a list of them makes variants. "environment_kwargs" may be one."""
    batch: int = 1
    """Episodes lived in parallel."""
    repeat: int = 1
    """Control steps of the simulator for one decision; their rewards are summed."""
    subprocesses: bool = False
    """Run each row in a process of its own."""
    pictures: bool = False
    """Make the environment able to render."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and names."""
        seen, done = hosted.survey(self)
        return WorldSpec(
            name=f"{self.domain}-{self.task}",
            observation=hosted.space(seen),
            action=hosted.space(done),
            task=hosted.task_space(len(self.recipes())),
            batch=self.batch,
            hosted=True,
            repeat=self.repeat,
        )

    def recipes(self) -> dict[str, dict[str, Any]]:
        """Task name -> the recipe of its simulator."""
        names = variants.listed(self.task, "task")
        for name in names:
            find(self.domain, name)
        return {
            f"{self.domain}-{title}": {
                "kind": "dm_control",
                "domain": self.domain,
                "task": name,
                "options": options,
                "repeat": self.repeat,
                "pictures": self.pictures,
            }
            for title, (name, options) in variants.crossed(names, self.options).items()
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


def find(domain: str, task: str) -> None:
    """Raise ValueError, with the nearest names, where the suite has no such task."""
    try:
        from dm_control import suite
    except ImportError as error:
        raise ImportError(f"world dm_control:{domain}-{task} needs dm_control: pip install 'umwelt[dmcontrol]'") from error
    known = [f"{a}-{b}" for a, b in suite.ALL_TASKS]
    if (domain, task) not in suite.ALL_TASKS:
        near = difflib.get_close_matches(f"{domain}-{task}", known, n=3, cutoff=0.4)
        nearest = f"; the nearest are {', '.join(near)}" if near else ""
        raise ValueError(f"domain {domain!r} has no task {task!r} in the control suite{nearest}")
