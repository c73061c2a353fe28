"""The life of `umwelt live` without arguments."""

from umwelt.cli.live import Start
from umwelt.cli.names import recipe_of, world_of
from umwelt.teachers import Blocks


def first_life() -> Start:
    """A pendulum whose gravity and length change and return, with all that a short life needs."""
    return Start(
        world=world_of("pendulum"),
        recipe=recipe_of("losse_mpc"),
        stem="first-life",
        teacher=Blocks(names=("earth", "moon", "long", "earth"), steps=800),
        rhythm=(("probe_every", 800), ("probe_episodes", 5)),
        steps=3200,
        announced=True,
    )
