"""What other packages add: objects that they name in their entry points.

    [project.entry-points."umwelt.recipes"]
    my_recipe = "my_package.my_recipe:my_recipe"

Groups are `umwelt.` and the name of a room: recipes, worlds, models, planners, memory, behaviours, curiosity, teachers,
retention.
"""

from importlib.metadata import EntryPoint, entry_points


def plugins(room: str) -> dict[str, EntryPoint]:
    """Return name -> entry point of what other packages add to a room. Nothing is imported yet."""
    return {point.name: point for point in entry_points(group=f"umwelt.{room}")}


def origin(point: EntryPoint) -> str:
    """Return the package that an entry point comes from."""
    return point.dist.name if point.dist is not None else point.value
