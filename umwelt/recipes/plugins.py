"""What other packages add: objects that they name in their entry points.

    [project.entry-points."umwelt.recipes"]
    my_recipe = "my_package.my_recipe:my_recipe"

Groups are `umwelt.` and the name of a room: recipes, worlds, models, planners, memory, behaviours, curiosity, teachers,
retention.
"""

import sys
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any


def plugins(room: str) -> dict[str, EntryPoint]:
    """Return name -> entry point of what other packages add to a room. Nothing is imported yet."""
    return {point.name: point for point in _installed(tuple(sys.path)).select(group=f"umwelt.{room}")}


@cache
def _installed(path: tuple[str, ...]) -> Any:
    """All entry points of the packages on a path. To read them takes tens of milliseconds, and each recipe asks for them.

    A package that is installed on the same path later is found by the next process.
    """
    return entry_points()


def origin(point: EntryPoint) -> str:
    """Return the package that an entry point comes from."""
    return point.dist.name if point.dist is not None else point.value
