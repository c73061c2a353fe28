"""`umwelt recommend`: which recipes fit a world, in what order to try them, and what each costs."""

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable
from typing import Any

import tyro
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from umwelt.cli.options import UsageError, parse
from umwelt.core import part, spaces

DESCRIPTION = """Say which recipes fit a world, in what order to try them, and what each costs. One recipe of each family comes
first, the one that takes the fewest decisions before the others. Recipes of curiosity and of teachers, which answer other
questions than how to be paid soon, come last. Costs are those of stored claims, on the machine that they ran on; where there
is none, the recipe's own estimate stands alone.

  umwelt recommend gymnasium:Pendulum-v1
  umwelt recommend my_pkg:MyEnv
  umwelt recommend my_pkg:MyEnv --wrap stack_frames=2

Where a world shows pictures, recipes that read them at another size are named with the wrapper that they need."""
SHOWN = 5
"""Recipes that are printed without --all."""
PLAIN = re.compile(r"(?:about |some )?([\d,]+) decisions(?! for each task)")
"""What the budget of a recipe says that learns one task by living."""
SIDE = 64
"""Pixels of both edges of the pictures that most recipes read which read any."""


@part
class Command:
    """What `umwelt recommend` takes."""

    world: tyro.conf.Positional[str]
    """The world, as --world of `umwelt live` takes it."""
    wrap: tuple[str, ...] = ()
    """Wrappers around it, as --wrap of `umwelt live` takes them."""
    all: bool = False
    """Print all recipes that fit, not the first five."""
    json: bool = False
    """Print one JSON object with all of them in place of words."""


@part
class Advice:
    """One recipe that fits. wrap: the wrapper that it needs around the world, or nothing. decisions: what a run takes. cites:
    how many papers it follows. seconds: of a decision, as a claim measured it; None where none did."""

    recipe: str
    wrap: str
    family: str
    summary: str
    cites: int
    decisions: int
    budget: str
    seconds: float | None
    verdicts: tuple[str, ...]
    command: str


def run(arguments: list[str]) -> int:
    """Print the recipes that fit."""
    from umwelt.cli.names import world_of, wrapped

    command = parse(Command, None, arguments, "umwelt recommend", DESCRIPTION)
    world = wrapped(world_of(command.world), command.wrap)
    try:
        spec = world.spec
    except (ValueError, ImportError) as error:
        raise UsageError(f"world {command.world!r}: {error}") from error
    found = advice(world, command.world, command.wrap)
    if command.json:
        print(json.dumps({"world": command.world, "recipes": [vars(each) for each in found]}))
        return 0
    tasks = len(world.tasks())
    print(f"{spec.name} shows {spaces.width(spec.observation):,} numbers; its actions are {spec.action}; it has {tasks} tasks")
    shown = found if command.all else found[:SHOWN]
    console = Console()
    for number, each in enumerate(shown, 1):
        console.print(_head(number, each), highlight=False)
        console.print(Padding(escape(each.summary), (0, 0, 0, 4)), highlight=False)
    if len(found) > len(shown):
        print(f"{len(found) - len(shown)} more fit: umwelt recommend {shlex.quote(command.world)} --all")
    if found:
        print(f"begin:    {found[0].command}")
    return 0


def advice(world: Any, name: str, wrap: tuple[str, ...] = ()) -> list[Advice]:
    """The recipes that fit a world, as it is or with its pictures resized, the first to try first. name, wrap: the world's
    options of `umwelt live`."""
    from umwelt.atlas.systems import rows
    from umwelt.claims.documents import stored

    claims = stored()
    # recipes of curiosity and of teachers answer other questions than how to get reward soon
    later = {recipe for row in rows() if row.system.wing in ("curiosity", "curriculum") for recipe in row.recipes}
    found = []
    for more, recipes in fitting(world).items():
        wraps = (*wrap, more) if more else wrap
        words = f"--world {shlex.quote(name)}" + (f" --wrap {shlex.join(wraps)}" if wraps else "")
        found += [_advised(each, [one for one in claims if one.claim.recipe == each.name], more, words) for each in recipes]

    def order(each: Advice) -> tuple[bool, int, int]:
        # a recipe that is a variation of another cites more
        return each.recipe in later or not PLAIN.match(each.budget), each.decisions, each.cites

    first, rest, last, families = [], [], [], set[str]()
    for each in sorted(found, key=order):
        (last if order(each)[0] else rest if each.family in families else first).append(each)
        families.add(each.family)
    # chance is the floor of all
    return sorted(first + rest + last, key=lambda each: each.family == "random")


def fitting(world: Any) -> dict[str, list[Any]]:
    """The recipes that can live in a world as it is, under the empty text; under the word of a wrapper, those that need it."""
    from umwelt.recipes.recipe import shown_pictures
    from umwelt.worlds import resized

    plain = _able(world)
    if not shown_pictures(world):
        return {"": plain}
    try:
        smaller = _able(resized(world, SIDE))
    except TypeError:  # something stands beside the picture
        return {"": plain}
    names = {recipe.name for recipe in plain}
    return {"": plain, f"resized={SIDE}": [recipe for recipe in smaller if recipe.name not in names]}


def _able(world: Any) -> list[Any]:
    """The recipes whose needs a world meets, and whose parts accept it: each life is traced, and none is compiled."""
    from umwelt.life.engine import Engine
    from umwelt.recipes import ALL
    from umwelt.recipes.recipe import lacking

    found = []
    for recipe in ALL.values():
        try:
            life = recipe(world)
            if not lacking(recipe, life):
                Engine(life).check()
                found.append(recipe)
        except (ValueError, TypeError, ImportError):  # a recipe, or one of its parts, refuses the world
            continue
    return found


def _advised(recipe: Any, claims: list[Any], wrap: str, words: str) -> Advice:
    digits = re.search(r"\d[\d,]*", recipe.budget)
    decisions = int(digits.group().replace(",", "")) if digits else 0
    return Advice(
        recipe=recipe.name,
        wrap=wrap,
        family=recipe.family,
        summary=recipe.summary,
        cites=len(recipe.cites),
        decisions=decisions,
        budget=recipe.budget,
        seconds=min(_seconds(claims), default=None),
        verdicts=tuple(f"{each.claim.name} {each.verdict}" for each in claims),
        command=f"umwelt live {words} --recipe {recipe.name} --steps {decisions or 2000}",
    )


def _seconds(claims: Iterable[Any]) -> list[float]:
    """Seconds of a decision in each claim that is nothing but lives of one length."""
    from umwelt.claims import Lived

    found = []
    for each in claims:
        arms = [arm for arm in each.claim.arms.values() if isinstance(arm, Lived)]
        decisions = sum(arm.steps for arm in arms) * len(each.claim.seeds)
        if each.result and arms:
            found.append(60 * each.result.minutes / decisions)
    return found


def _head(number: int, each: Advice) -> str:
    """A recipe, what it takes and what its claims say, as markup."""
    cost = f", {1000 * each.seconds:.3g} ms each" if each.seconds else ""
    counts = Counter(verdict.split(" ", 1)[1] for verdict in each.verdicts)
    claims = f"; claims: {', '.join(f'{count} {verdict}' for verdict, count in counts.items())}" if counts else ""
    recipe = f"{each.recipe} --wrap {each.wrap}" if each.wrap else each.recipe
    return f"{number:>2}  [bold]{escape(recipe)}[/bold]  {escape(each.budget + cost + claims)}"
