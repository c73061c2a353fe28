"""`umwelt live`: begin a life."""

import shlex
from dataclasses import replace
from typing import Any

from umwelt.cli.names import agent_of, recipe_of, stream_of, world_of, wrapped
from umwelt.cli.options import UsageError, parse, shadow, take, unshadow
from umwelt.core import part
from umwelt.core.contracts import Agent, Teacher, World
from umwelt.life.rhythm import Rhythm

DESCRIPTION = """Begin a life: an agent learns its world from nothing, plans in what it learned, and is
examined on all its tasks. `umwelt list` shows the worlds and recipes; some recipes come in sizes, chosen by
`--recipe.size NAME`, and some take several frames a decision in the worlds of an adapter, as they were published
(`--world.repeat` says otherwise). `--stream NAME:SIZE` is a whole life's worth of tasks in place of `--world`: it sets the world,
the teacher's names and steps, and how long the life is. Without arguments it is a first
life of about two minutes: a pendulum on the earth, on the moon, a longer one, and the earth again.

A life is killed safely at any moment; `umwelt resume` goes on with it."""


@part
class Command:
    """What `umwelt live` takes besides --world NAME or --stream NAME:SIZE, and --recipe NAME."""

    world: World
    """The world, chosen by --world NAME."""
    recipe: Agent
    """The agent, chosen by --recipe NAME."""
    teacher: Teacher
    """Which task comes when."""
    rhythm: Rhythm
    """When to act at random, learn, probe and look up."""
    steps: int = 2000
    """Decisions of the agent, over all rows of the world; of a stream 0 is the whole."""
    seed: int = 0
    """The number that all randomness comes from."""
    seeds: int = 1
    """Lives at once, with seeds `seed`, `seed + 1` ... (pure worlds only)."""
    wrap: tuple[str, ...] = ()
    """Wrappers around the world, the innermost first: NAME or NAME=NUMBER, such as `--wrap pictured stack_frames=2`;
    `umwelt list` shows them."""
    announced: bool = False
    """Let the agent see its task, as a part of what it observes."""
    driver: str = "auto"
    """`scan` compiles the world too, `host` steps it from Python, `auto` compiles where it can."""
    keep_episodes: bool = False
    """Write every finished episode as a Minari dataset into the life's folder."""
    log: tuple[str, ...] = ()
    """Programs that keep track of runs: tensorboard, wandb, mlflow, or several; each needs the extra of its name. They are
    told what the chronicle has, and can neither change nor stop the life."""
    name: str = ""
    """The life's folder under --lives; empty for the first free number."""
    lives: str = "lives"
    """The folder of all lives."""
    json: bool = False
    """Print one JSON object at the end in place of words."""
    quiet: bool = False
    """No live view; only the summary."""
    watch: bool = False
    """Serve a page to watch this life, as a process of its own that stays when the life has ended; see `umwelt watch`."""


def run(arguments: list[str]) -> int:
    """Begin a life and live it to its end."""
    from umwelt.cli.session import show_life
    from umwelt.cli.watch_page import show_page
    from umwelt.life.api import live
    from umwelt.life.composition import Life

    command, recipe_name, world_name = read(arguments)
    world = wrapped(command.world, command.wrap)
    life = Life(
        world=_announced(world) if command.announced else world,
        agent=command.recipe,
        teacher=command.teacher,
        rhythm=command.rhythm,
        seed=command.seed,
        seeds=command.seeds,
        driver=command.driver,
        keep_episodes=command.keep_episodes,
    )

    show_page(command.lives, command.watch, command.json or command.quiet)

    def begin(watch: Any, hear: Any) -> Any:
        return live(
            life,
            steps=command.steps,
            name=command.name or None,
            lives=command.lives,
            stem=f"{world_name.split(':')[-1]}-{recipe_name}",
            command="umwelt live " + shlex.join(arguments),
            watch=watch,
            hear=hear,
        )

    return show_life(begin, json=command.json, quiet=command.quiet, log=command.log)


def read(arguments: list[str]) -> tuple[Command, str, str]:
    """The command, the recipe's name and the world's name."""
    world_name, rest = take(arguments, "world")
    stream_name, rest = take(rest, "stream")
    recipe_name, rest = take(rest, "recipe")
    if stream_name is not None and world_name is not None:
        raise UsageError("--stream brings its own world; give it or --world, not both")
    if stream_name is not None:
        size, rest = take(rest, "recipe.size")
        default, recipe_name, world_name = _streamed(stream_name, recipe_name or "pets", size)
    elif world_name is None and recipe_name is None and not any(word in rest for word in ("-h", "--help")):
        from umwelt.cli.first_life import first_life

        default, recipe_name, world_name = first_life()
    else:
        size, rest = take(rest, "recipe.size")
        default, recipe_name, world_name = _chosen(world_name or "pendulum", recipe_name or "pets", size)
    made, shape = shadow(default)
    command = unshadow(default, parse(made, shape, rest, "umwelt live", DESCRIPTION))
    if stream_name is not None and command.steps == 0:
        command = replace(command, steps=stream_of(stream_name).whole * command.world.spec.batch * max(command.seeds, 1))
    for name in ("steps", "seeds"):
        if getattr(command, name) < 1:
            raise UsageError(f"--{name} must be at least 1, not {getattr(command, name)}")
    return command, recipe_name, world_name


def _chosen(world_name: str, recipe_name: str, size: str | None) -> tuple[Command, str, str]:
    from umwelt.teachers import Blocks

    recipe = recipe_of(recipe_name)
    world: Any = world_of(world_name)
    if repeat := recipe.repeats.get(world_name.split(":")[0]):
        world = replace(world, repeat=repeat)
    command = Command(world=world, recipe=agent_of(recipe, size), teacher=Blocks(), rhythm=recipe.rhythm_of(size))
    return command, recipe_name, world_name


def _streamed(stream_name: str, recipe_name: str, size: str | None) -> tuple[Command, str, str]:
    from umwelt.teachers import Blocks

    stream, recipe = stream_of(stream_name), recipe_of(recipe_name)
    command = Command(
        world=stream.world,
        recipe=agent_of(recipe, size),
        teacher=Blocks(names=stream.names, steps=stream.steps),
        rhythm=replace(recipe.rhythm_of(size), probe_every=stream.steps if stream.examined else 0),
        steps=0,
    )
    return command, recipe_name, stream_name.replace(":", "-")


def _announced(world: Any) -> Any:
    from umwelt.worlds import Announced

    return Announced(world=world)
