"""Does a world keep its contract?"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from umwelt.check import hosted_world, pure_world
from umwelt.check.base import Report, parameter_names, same_values
from umwelt.check.walk import Life, Subject, live, subject_of
from umwelt.core import FIRST, KINDS, TERMINATED, TimeStep, WorldSpec, spaces
from umwelt.core.contracts import World

SHORT = 60
"""How many steps are lived again, to compare."""
TRACED = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
)
"""What JAX raises where Python or NumPy asks for the value of a traced array."""


def world(instance: Any, steps: int = 300, key: jax.Array | None = None) -> Report:
    """Live `steps` random steps (up to ten times as many, until an episode ends) and examine them.

    Where no episode ends in that time, the rules about ends are left out. Every simulator that the
    check of a hosted world begins is closed again.
    """
    report = Report("world", type(instance).__name__)
    if not report.rule("parameters", lambda: parameter_names(World, instance, ("tasks", "init", "step"))):
        return report
    if not report.rule("spec", lambda: _spec(instance.spec)):
        return report
    if instance.spec.hosted and not report.rule("parameters of a hosted world", lambda: hosted_world.parameters(instance)):
        return report
    if not report.rule("tasks", lambda: _tasks(instance.spec, instance.tasks())):
        return report
    subject = subject_of(instance, jax.random.key(0) if key is None else key)
    lives: list[Life] = []
    if not report.rule("it lives", lambda: _lives(subject, steps, lives)):
        return report
    _watch(report, subject, lives[0])
    again: list[Life] = []
    if report.rule("same key", lambda: _same_key(subject, lives[0], again)):
        report.rule("next task in an episode", lambda: _next_task_ignored(subject, again[0]))
    (hosted_world if instance.spec.hosted else pure_world).examine(report, subject, lives[0])
    return report


def _lives(subject: Subject, steps: int, lives: list[Life]) -> str:
    try:
        lives.append(live(subject, steps, to_an_end=True))
    except TRACED as error:
        asked = str(error).splitlines()[0]
        return f"under jax.jit it asks for a value not known yet ({asked}); use jnp.where in place of `if`, and jnp of np"
    return ""


def _watch(report: Report, subject: Subject, life: Life) -> None:
    """The rules that need nothing but what was seen."""
    spec = subject.world.spec
    if report.rule("form of a step", lambda: _first_fault(life, lambda step: _form(spec, step))):
        report.rule("observation space", lambda: _first_fault(life, lambda step: _seen(spec, step)))
        report.rule("reward", lambda: _first_fault(life, _reward))
        report.rule("begins with FIRST", lambda: _begins(life))
        report.rule("order of kinds", lambda: _order(life))


def _spec(spec: Any) -> str:
    if not isinstance(spec, WorldSpec):
        return f"`spec` is a {type(spec).__name__}; return an umwelt.core.WorldSpec"
    if not isinstance(spec.batch, int) or spec.batch < 1:
        return f"`spec.batch` is {spec.batch!r}; give the number of rows, a whole number of at least 1"
    for name in ("observation", "action", "task"):
        for leaf in spaces.leaves(getattr(spec, name)):
            sentence = _leaf(leaf)
            if sentence:
                return f"`spec.{name}` {sentence}"
    return "" if spec.name else "`spec.name` is empty; give the world a name"


def _leaf(leaf: Any) -> str:
    if isinstance(leaf, spaces.Discrete):
        return "" if leaf.n >= 1 else f"has a Discrete of {leaf.n} choices; give at least 1"
    if not isinstance(leaf, spaces.Box):
        return f"holds {leaf!r} of kind {type(leaf).__name__}; build it of Box and Discrete"
    if np.dtype(leaf.dtype) == np.float64:
        return "has a Box of float64; lives run in float32"
    low, high = leaf.bounds
    return f"has a Box whose low {leaf.low} is above its high {leaf.high}; swap them" if np.any(low > high) else ""


def _tasks(spec: WorldSpec, tasks: Any) -> str:
    if not isinstance(tasks, dict) or not tasks:
        return f"`tasks()` returned {tasks!r}; return a dict of at least one named task, the default first"
    for name, task in tasks.items():
        outside = spaces.contains(spec.task, task)
        if outside:
            return f"the task {name!r} is not in `spec.task`: {outside}; widen the space or mend the task"
        for leaf, value in zip(spaces.leaves(spec.task), jax.tree.leaves(task), strict=True):
            if np.shape(value) != tuple(leaf.shape):
                where = f"{np.shape(value)} where its space has {tuple(leaf.shape)}"
                return f"the task {name!r} has a leaf of shape {where}; leave out the batch axis"
    return ""


def _first_fault(life: Life, judge: Callable[[TimeStep], str]) -> str:
    for index, step in enumerate(life.steps):
        sentence = judge(step)
        if sentence:
            return ("in the first step of `init`, " if index == 0 else f"after {index} steps, ") + sentence
    return ""


def _form(spec: WorldSpec, step: TimeStep) -> str:
    for name, dtype in (("kind", "int8"), ("reward", "float32")):
        value = np.asarray(getattr(step, name))
        if value.dtype != dtype or value.shape != (spec.batch,):
            return f"`{name}` is {value.dtype}{list(value.shape)}; make it {dtype}[{spec.batch}]"
    strange = set(np.unique(step.kind).tolist()) - set(range(len(KINDS)))
    if strange:
        return f"`kind` holds {sorted(strange)}; use FIRST, MID, TERMINATED, TRUNCATED and BROKEN of umwelt.core"
    if jax.tree.structure(step.observation) != jax.tree.structure(spec.observation, is_leaf=spaces.is_leaf):
        return ""  # the rule of the observation space says it better
    for leaf, value in zip(spaces.leaves(spec.observation), jax.tree.leaves(step.observation), strict=True):
        if np.shape(value) != (spec.batch, *leaf.shape):
            return (
                f"an observation has the shape {np.shape(value)}; make it {(spec.batch, *leaf.shape)}: the batch, then the space"
            )
    return ""


def _seen(spec: WorldSpec, step: TimeStep) -> str:
    outside = spaces.contains(spec.observation, step.observation)
    return f"the observation is not in `spec.observation`: {outside}; widen the space or clip what is seen" if outside else ""


def _reward(step: TimeStep) -> str:
    if not np.all(np.isfinite(step.reward)):
        return "the reward holds NaN or infinity; bound it"
    paid = step.reward[step.kind == FIRST]
    return f"the reward on a FIRST step is {paid[paid != 0][0]:g}; nothing was done yet, so make it 0" if np.any(paid) else ""


def _begins(life: Life) -> str:
    kinds = life.steps[0].kind
    return "" if np.all(kinds == FIRST) else f"`init` returned the kinds {kinds.tolist()}; every row of its step is FIRST"


def _order(life: Life) -> str:
    kinds = np.stack([step.kind for step in life.steps])
    ended, begins = kinds[:-1] >= TERMINATED, kinds[1:] == FIRST
    for wrong, sentence in (
        (ended & ~begins, "after {before} came {after}; the step after an end ignores its action and returns FIRST"),
        (~ended & begins, "after {before} came {after}; FIRST comes only after TERMINATED, TRUNCATED or BROKEN"),
    ):
        if np.any(wrong):
            time, row = np.argwhere(wrong)[0]
            before, after = (KINDS[kinds[time + offset, row]].upper() for offset in (0, 1))
            return f"in row {row}, step {time + 1}, " + sentence.format(before=before, after=after)
    return ""


def _same_key(subject: Subject, life: Life, again: list[Life]) -> str:
    second = live(subject, min(SHORT, len(life.actions)))
    again.append(second)
    for index, (old, new) in enumerate(zip(life.steps, second.steps, strict=False)):
        difference = same_values(old, new, "the step")
        if difference:
            return (
                f"the same key, tasks and actions gave another life: after {index} steps {difference};"
                " draw every random number from `key`"
            )
    return ""


def _next_task_ignored(subject: Subject, life: Life) -> str:
    """Live again with other next tasks: each row must be the same until its first episode has ended."""
    other = live(subject, len(life.actions), shift=1)
    going = np.ones(subject.world.spec.batch, bool)
    for index, (old, new) in enumerate(zip(life.steps, other.steps, strict=True)):
        left, right = (jax.tree.map(lambda leaf: np.asarray(leaf)[going], step) for step in (old, new))  # noqa: B023 - used at once
        difference = same_values(left, right, "the step")
        if difference:
            return (
                f"another `next_task` changed an episode that was going on: after {index} steps {difference};"
                " read `next_task` only in the rows whose last step had ended"
            )
        going = going & ~(old.kind >= TERMINATED)
    return ""
