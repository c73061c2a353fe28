"""Does a world model keep its contract?"""

import dataclasses
from typing import Any

import jax

from umwelt.check import imagining, learning
from umwelt.check.base import Compiled, Report, parameter_names
from umwelt.check.plant import BOXES, CHOICES, ROWS, Subject, plant_life, random_life
from umwelt.core import Metric, WorldSpec
from umwelt.core.contracts import Model

METHODS = ("init", "start", "observe", "imagine", "learn")
DIETS = ("stream", "replay")


def model(
    instance: Any,
    spec: WorldSpec | None = None,
    key: jax.Array | None = None,
    steps: int = 400,
    length: int | None = None,
    quick: bool = False,
) -> Report:
    """Every broken promise of a world model, each in a sentence with its mend.

    Without `spec` it lives in two small linear worlds, one with boxes as actions and one with
    choices, and has `steps` calls of `learn` to know them. With `spec`, for a model that needs other
    observations, it is fed random values of those spaces, and whether it learns is left out.
    length: of the sequences [N, L] that a replay model learns from; None for transitions [N].
    quick: leave out the rules about jit and vmap, which take most of the time.
    """
    report = Report("model", type(instance).__name__)
    key = jax.random.key(0) if key is None else key
    if not report.rule("parameter names", lambda: parameter_names(Model, instance, METHODS)):
        return report
    declared = report.rule("diet", lambda: _diet(instance)) & report.rule("metrics", lambda: _metrics(instance))
    if not declared:
        return report
    ticks = max(steps, 40)
    for index, world in enumerate((BOXES, CHOICES) if spec is None else (spec,)):
        live = plant_life if spec is None else random_life
        born = dataclasses.replace(world, batch=ROWS)
        subject = Subject(
            model=instance,
            init=Compiled(lambda key, born=born: instance.init(key, born)),
            observe=Compiled(instance.observe),
            imagine=Compiled(instance.imagine),
            learn=Compiled(instance.learn),
            spec=born,
            key=key,
            life=jax.device_get(live(1, world, ticks)),
            other=jax.device_get(live(2, world, ticks)),
            length=length,
        )
        _examine(report, subject, steps, thorough=index == 0 and not quick, learnable=spec is None)
    return report


def _examine(report: Report, subject: Subject, steps: int, thorough: bool, learnable: bool) -> None:
    """All rules of one world. Where it can be taught at all, its methods are examined after the schooling."""
    born: list[Any] = []
    if not report.rule(f"init{subject.suffix}", lambda: born.append(subject.state())):
        return
    if not report.rule(f"learn keeps the form{subject.suffix}", lambda: learning.keeps_form(subject, born[0])):
        return
    if not report.rule(f"a schooling{subject.suffix}", lambda: born.append(learning.school(subject, born[0], steps))):
        return
    imagining.examine(report, subject, born[1], thorough)
    learning.examine(report, subject, born[1], thorough)
    if learnable:
        learning.grades(report, subject, *born)


def _diet(instance: Any) -> str:
    found = getattr(instance, "diet", None)
    return "" if found in DIETS else f"`diet` is {found!r}; declare on the class that it is one of {DIETS}"


def _metrics(instance: Any) -> str:
    found = getattr(instance, "metrics", None)
    if not isinstance(found, tuple) or not all(isinstance(metric, Metric) for metric in found):
        return "`metrics` is no tuple of Metric; declare on the class every diagnostic that it reports"
    names = [metric.name for metric in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        return f"`metrics` declares {twice} more than once; declare each name once, with its unit and meaning"
    missing = sorted({"surprise", "doubt"} - set(names))
    return f"`metrics` lacks {missing}; begin it with umwelt.core.SURPRISE and umwelt.core.DOUBT" if missing else ""
