"""The life of somebody who typed `umwelt live` and nothing else."""

from dataclasses import replace

from umwelt.cli.live import Command
from umwelt.cli.names import recipe_of, world_of
from umwelt.teachers import Blocks


def first_life() -> tuple[Command, str, str]:
    """A pendulum whose gravity and length change and return, with all that a short life needs."""
    recipe = recipe_of("losse_mpc")
    command = Command(
        world=world_of("pendulum"),
        recipe=recipe.agent,
        teacher=Blocks(names=("earth", "moon", "long", "earth"), steps=800),
        rhythm=replace(recipe.rhythm, probe_every=800, probe_episodes=5),
        steps=3200,
        announced=True,
    )
    return command, "life", "first"
