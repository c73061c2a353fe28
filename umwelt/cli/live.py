"""`umwelt live`: begin a life."""

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from umwelt.cli.faults import faults_of
from umwelt.cli.going_on import Jobs, chosen_executor
from umwelt.cli.names import announcing, recipe_of, source_of, stream_of, voice_of, world_of, wrapped
from umwelt.cli.options import UsageError, parse, parse_known, shadow, take, unshadow
from umwelt.cli.parts import replace_parts
from umwelt.cli.tables import absent_world
from umwelt.core import part
from umwelt.core.contracts import Agent, Teacher, World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.recipes.recipe import Recipe
from umwelt.worlds.absent import Absent

DESCRIPTION = """Begin a life: an agent learns its world from nothing, plans in what it learned, and is
examined on all its tasks. Without arguments it is a first life of about two minutes: a pendulum on the earth, on the moon,
a longer one, and the earth again. A life may be killed at any moment; `umwelt resume` goes on with it.

--world NAME and --recipe NAME choose world and agent; `umwelt list` shows them. --recipe.size NAME chooses a size, where a
recipe has several. --stream NAME:SIZE is a whole life's worth of tasks in place of --world: it sets the world, the
teacher's names and steps, and the length of the life. --teacher NAME chooses the teacher.

Every field of every part is an option, as below. A part is replaced by its name, and its fields follow:
`--recipe.planner icem --recipe.planner.samples 200`, `--recipe.model.protection elastic`; `none` takes it out where it may be
absent, and module:Name is a part of your own. `--agent.` means the same as `--recipe.`, and `--study` as `--rhythm.study`.

From a log to a policy: `umwelt live --shown FOLDER --recipe iql --study 20000 --steps 0`. `umwelt data FOLDER` says what is
in it.

A recipe may set how many frames a decision lasts in the worlds of an adapter, as published; --world.repeat overrides it."""


@part
class Command:
    """What `umwelt live` takes besides --world NAME or --stream NAME:SIZE, and --recipe NAME."""

    world: World
    """The world, chosen by --world NAME."""
    recipe: Agent
    """The agent, chosen by --recipe NAME."""
    teacher: Teacher
    """Which task comes when, chosen by --teacher NAME: blocks, drift, or module:Name."""
    rhythm: Rhythm
    """When to act at random, learn, probe and look up."""
    steps: int = 2000
    """Decisions of the agent, over all rows of the world and all seeds; of a stream 0 is the whole. 0 with --rhythm.study is
    a life that only studies what it is shown."""
    seed: int = 0
    """The number that all randomness comes from."""
    seeds: int = 1
    """Lives with seeds `seed`, `seed + 1` ... A pure world runs them as one program, on all accelerators of this machine. Those
    of a simulator run in turn, or --jobs at once; they lie together in one folder, and the same command goes on with them."""
    jobs: Jobs = 1
    """Processes at once, for the seeds of a simulator."""
    wrap: tuple[str, ...] = ()
    """Wrappers around the world, the innermost first: NAME or NAME=NUMBER, such as `--wrap pictured stack_frames=2`;
    `umwelt list` shows them."""
    announced: bool = False
    """Let the agent see its task, as a part of what it observes."""
    shown: tuple[str, ...] = ()
    """Experience of others that the agent is shown before its first decision: folders or ids of Minari data sets, folders of
    LeRobot or of stable-worldmodel (*.lance), tables *.csv or *.parquet, or module:name of a Source. `umwelt record` writes a
    Minari folder; --rhythm.study lets the agent learn from it first. Without --world the spaces are those of what is shown,
    and nothing can be probed."""
    columns: tuple[str, ...] = ()
    """What the columns of a table are: obs=a,b action=u (or choice=u) reward=r done=d cut=t episode=e. Data sets of LeRobot
    and of stable-worldmodel take obs, action, reward and done."""
    panel: tuple[str, ...] = ()
    """The world's tasks that the life is examined on; empty for those that its teacher chooses."""
    voice: str = ""
    """module:name of what answers the questions that the agent or the teacher asks between two stretches."""
    driver: str = "auto"
    """`scan` compiles the world too, `host` steps it from Python, `auto` compiles where it can."""
    keep_episodes: bool = False
    """Write every finished episode as a Minari dataset into the life's folder."""
    log: tuple[str, ...] = ()
    """Programs that keep track of runs: tensorboard, wandb, mlflow, or several; each needs the extra of its name. They
    receive what the chronicle has, and can neither change nor stop the life."""
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


@part
class Start:
    """What a life begins with before options change it. teacher: in place of the recipe's; rhythm: fields in place of the
    recipe's; whole: decisions of one row in a whole stream."""

    world: World
    recipe: Recipe
    stem: str
    teacher: Teacher | None = None
    rhythm: tuple[tuple[str, int], ...] = ()
    steps: int = 2000
    announced: bool = False
    whole: int = 0


@part
class Outside:
    """The options that say what the agent sees of its world."""

    world: World
    wrap: tuple[str, ...] = ()
    announced: bool = False


def run(arguments: list[str]) -> int:
    """Begin a life and run it to its end."""
    life, command, stem = read(arguments)
    try:
        return _run(life, command, stem, arguments)
    except (TypeError, ValueError, AttributeError, KeyError, IndexError) as error:
        # a part of one's own that breaks its contract raises anywhere; its checker says what to mend
        if sentences := faults_of(life):
            raise UsageError(f"a part of this life breaks its contract\n{sentences}") from error
        raise


def _run(life: Life, command: Command, stem: str, arguments: list[str]) -> int:
    from umwelt.cli.running import show_life
    from umwelt.cli.watch_page import show_page
    from umwelt.life.api import burden, live, shortfall
    from umwelt.life.spreading import sentence as spread

    if life.seeds > 1 and life.world.spec.hosted:
        return _run_apart(life, command, stem, arguments)
    if sentence := shortfall(life, command.steps):
        print(f"umwelt: this life is too short: {sentence}", file=sys.stderr)
    if sentence := burden(life):
        print(f"umwelt: this life is heavy: {sentence}", file=sys.stderr)
    if sentence := spread(life.seeds):
        print(f"umwelt: {sentence}", file=sys.stderr)
    show_page(command.lives, command.watch, command.json or command.quiet)

    def begin(on_progress: Any, events: Any) -> Any:
        return live(
            life,
            steps=command.steps,
            name=command.name or None,
            lives=command.lives,
            stem=stem,
            command="umwelt live " + shlex.join(arguments),
            on_progress=on_progress,
            events=events,
        )

    return show_life(begin, json=command.json, quiet=command.quiet, log=command.log)


def _run_apart(life: Life, command: Command, stem: str, arguments: list[str]) -> int:
    """Run the seeds of a simulator as lives of their own, by what runs sweeps."""
    from umwelt.cli.sweep import carry_out
    from umwelt.life.engine import Engine
    from umwelt.life.folder.folder import slug

    if command.keep_episodes or command.watch or command.log:
        raise UsageError("--seeds: several lives of a simulator take no --keep-episodes, --watch or --log; begin them one by one")
    alone = replace(life, seeds=1)
    Engine(alone).check()
    out = Path(command.lives) / (command.name or f"{slug(stem)}-seeds")
    seeds = tuple(range(command.seed, command.seed + command.seeds))
    again = "umwelt live " + shlex.join(word for word in arguments if word != "--json")
    steps = -(-command.steps // command.seeds)
    recipe = stem.rsplit("-", 1)[-1]  # a stem is WORLD-RECIPE
    return carry_out(
        {(recipe, life.world.spec.name): alone}, steps, seeds, out, chosen_executor(command.jobs), again, command.json
    )


def read(arguments: list[str]) -> tuple[Life, Command, str]:
    """Read the arguments: the life, the command, and the stem of the folder's name."""
    arguments = [short(word) for word in arguments]
    start, size, rest = _start(arguments)
    outside, rest = _outside(start, rest)
    seen = wrapped(outside.world, outside.wrap)
    life = _made(start.recipe, announcing(seen) if outside.announced else seen, size)
    before = Command(
        world=outside.world,
        recipe=life.agent,
        teacher=start.teacher or life.teacher,
        rhythm=replace(life.rhythm, **dict(start.rhythm)),
        steps=start.steps,
        announced=start.announced,
    )
    default, rest = replace_parts(before, rest)
    default = replace(default, teacher=_with_lessons(before.teacher, default.teacher))
    made, shape = shadow(default)
    command = unshadow(default, parse(made, shape, rest, "umwelt live", DESCRIPTION))
    if start.whole and command.steps == 0:
        command = replace(command, steps=start.whole * command.world.spec.batch * max(command.seeds, 1))
    for name in ("steps", "seeds"):
        if getattr(command, name) < 1 and not (name == "steps" and command.rhythm.study > 0 == command.steps):
            raise UsageError(f"--{name} must be at least 1, not {getattr(command, name)}")
    life = replace(
        life,
        agent=command.recipe,
        teacher=command.teacher,
        rhythm=command.rhythm,
        shown=(*life.shown, *(source_of(name, command.columns) for name in command.shown)),
        panel=command.panel or life.panel,
        voice=voice_of(command.voice) if command.voice else life.voice,
        **{name: getattr(command, name) for name in ("seed", "seeds", "driver", "keep_episodes")},
    )
    _fit(start.recipe, life)
    if isinstance(life.world, Absent) and command.steps:
        raise UsageError("--steps: there is no world to act in; give --rhythm.study N --steps 0, or a --world")
    return life, command, start.stem


def short(word: str) -> str:
    """An option by its full name: --agent.X stands for --recipe.X, and --study for --rhythm.study."""
    if word.startswith("--agent."):
        return "--recipe." + word[8:]
    return "--rhythm." + word[2:] if word == "--study" or word.startswith("--study=") else word


def _start(arguments: list[str]) -> tuple[Start, str | None, list[str]]:
    """What the names choose, the size, and the other arguments."""
    world_name, rest = take(arguments, "world")
    stream_name, rest = take(rest, "stream")
    recipe_name, rest = take(rest, "recipe")
    size, rest = take(rest, "recipe.size")
    if stream_name is not None and world_name is not None:
        raise UsageError("--stream brings its own world; give it or --world, not both")
    if stream_name is not None:
        return _streamed(stream_name, recipe_name), size, rest
    if world_name is None and (absent := absent_world(rest)):
        return _studied(absent, recipe_name or "pets"), size, rest
    if world_name is None and recipe_name is None and not any(word in rest for word in ("-h", "--help")):
        from umwelt.cli.first_life import first_life

        return first_life(), size, rest
    return _chosen(world_name or "pendulum", recipe_name or "pets"), size, rest


def _chosen(world_name: str, recipe_name: str) -> Start:
    recipe = recipe_of(recipe_name)
    world: Any = world_of(world_name)
    if repeat := recipe.repeats.get(world_name.split(":")[0]):
        world = replace(world, repeat=repeat)
    return Start(world=world, recipe=recipe, stem=f"{world_name.split(':')[-1]}-{recipe.name}")


def _studied(world: Any, recipe_name: str) -> Start:
    recipe = recipe_of(recipe_name)
    rhythm = (("probe_episodes", 0), ("random", 0), ("study", 2000))
    return Start(world=world, recipe=recipe, stem=f"{world.name}-{recipe.name}", rhythm=rhythm, steps=0)


def _streamed(stream_name: str, recipe_name: str | None) -> Start:
    from umwelt.teachers import Blocks

    stream = stream_of(stream_name)
    recipe = recipe_of(recipe_name or stream.recipe)
    return Start(
        world=stream.world,
        recipe=recipe,
        stem=f"{stream_name.replace(':', '-')}-{recipe.name}",
        teacher=None if stream.chosen else Blocks(names=stream.names, steps=stream.steps),
        rhythm=(("probe_every", stream.steps if stream.examined else 0), *((("probe_episodes", 1),) if stream.chosen else ())),
        steps=0,
        whole=stream.whole,
    )


def _outside(start: Start, arguments: list[str]) -> tuple[Outside, list[str]]:
    """The world with its options, which the recipe is made for, and the arguments without parts of the world."""
    outside, rest = replace_parts(Outside(world=start.world, announced=start.announced), arguments)
    made, shape = shadow(outside)
    words = [word for word in rest if word not in ("-h", "--help")]
    return unshadow(outside, parse_known(made, shape, words, "umwelt live")[0]), rest


def _made(recipe: Recipe, world: Any, size: str | None) -> Life:
    try:
        return recipe(world, size=size)
    except (ValueError, TypeError, ImportError) as error:
        raise UsageError(f"--recipe {recipe.name}: {error}") from error


def _with_lessons(before: Any, after: Any) -> Any:
    """Another teacher keeps the names and the steps of the one that it replaces, which are those of the stream."""
    if type(before) is type(after):
        return after
    kept = [name for name in ("names", "steps") if vars(before).get(name) and name in vars(after)]
    return replace(after, **{name: getattr(before, name) for name in kept})


def _fit(recipe: Recipe, life: Life) -> None:
    """Refuse a world that the recipe does not fit, and name recipes that do."""
    from umwelt.recipes import ALL
    from umwelt.recipes.recipe import lacking

    try:
        sentence = lacking(recipe, life)
    except (ValueError, ImportError):
        return  # the engine says what is wrong with the world
    if sentence:
        others = [name for name in ALL if not lacking(ALL[name], life)]
        raise UsageError(f"--recipe {recipe.name}: {sentence}; recipes that fit: {', '.join(others) or 'none'}")
