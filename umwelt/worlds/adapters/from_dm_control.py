"""Build the DeepMind Control Suite as the simulators of hosted worlds."""

import difflib
from typing import Any

from umwelt.core import part
from umwelt.worlds.adapters import variants


@part
class DmControl:
    """Tasks of one domain of the DeepMind Control Suite, with equal spaces."""

    domain: str = "cartpole"
    """The body, such as cartpole or walker."""
    task: str = "swingup"
    """What to do with it; several with commas between."""
    options: str = "{}"
    """Keyword arguments of the task, as JSON; a list of them makes variants. "environment_kwargs" may be one."""

    takes_options = False
    """The suite draws an episode from its seed alone."""
    has_info = False
    """The suite reports nothing beside a step."""

    @property
    def name(self) -> str:
        """What the world is called."""
        return f"{self.domain}-{self.task}"

    def builds(self) -> dict[str, dict[str, Any]]:
        """Task name -> how to build its simulator."""
        names = variants.listed(self.task, "task")
        for name in names:
            find(self.domain, name)
        return {
            f"{self.domain}-{title}": {"kind": "dm_control", "domain": self.domain, "task": name, "options": options}
            for title, (name, options) in variants.crossed(names, self.options).items()
        }


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
