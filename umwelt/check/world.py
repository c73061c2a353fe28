"""Check whether a world keeps its contract."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from umwelt.check import abilities, history, hosted_world, pure_world
from umwelt.check.base import Depth, Report, parameter_names, same_values, wants_values
from umwelt.check.walk import Subject, Walk, subject_of, walk
from umwelt.core import FIRST, KINDS, TERMINATED, TimeStep, WorldSpec, capability, spaces
from umwelt.core.contracts import World

SHORT = 60
"""How many steps are taken again, to compare."""


def world(instance: Any, steps: int = 300, key: jax.Array | None = None, depth: Depth = "values") -> Report:
    """Report every broken promise of a world, each in a sentence.

    depth: "shapes" traces a pure world once, without compilation, and takes one step of a hosted one. "values" takes
    `steps` random steps, up to ten times as many until an episode ends, and examines them. Where no episode ends in that
    time, the rules about ends are left out. Every simulator that the check of a hosted world begins is closed again.
    """
    report, values = Report("world", type(instance).__name__), wants_values(depth)
    if not report.rule("parameters", lambda: parameter_names(World, instance, ("tasks", "init", "step"))):
        return report
    if not report.rule("spec", lambda: _spec(instance.spec)):
        return report
    if instance.spec.hosted and not report.rule("parameters of a hosted world", lambda: hosted_world.parameters(instance)):
        return report
    if not report.rule("tasks", lambda: _tasks(instance.spec, instance.tasks())):
        return report
    report.rule("mask", lambda: _mask(instance.spec))
    if not report.rule("parameters of its capabilities", lambda: abilities.parameters(instance)):
        return report
    report.rule("names", lambda: _names(instance))
    subject = subject_of(instance, jax.random.key(0) if key is None else key)
    if instance.spec.hosted:
        if not values and report.rule("it runs", lambda: hosted_world.one_step(subject, _form)):
            return report
    elif not pure_world.outline(report, subject, _form):
        return report
    if values:
        _examine(report, subject, steps)
    return report


def _examine(report: Report, subject: Subject, steps: int) -> None:
    """Add the rules that need numbers."""
    taken: list[Walk] = []
    if not report.rule("it runs", lambda: taken.append(walk(subject, steps, to_an_end=True))):
        return
    _watch(report, subject, taken[0])
    again: list[Walk] = []
    if report.rule("same key", lambda: _same_key(subject, taken[0], again)):
        report.rule("next task in an episode", lambda: _next_task_ignored(subject, again[0]))
    (hosted_world if subject.world.spec.hosted else pure_world).examine(report, subject, taken[0])
    abilities.examine(report, subject, taken[0])
    if note := history.remark(taken[0], subject.world.spec):
        report.notes.append(note)


def _watch(report: Report, subject: Subject, taken: Walk) -> None:
    """The rules that need nothing but what was seen."""
    spec = subject.world.spec
    if report.rule("form of a step", lambda: _first_fault(taken, lambda step: _form(spec, step) or _kinds(step))):
        report.rule("observation space", lambda: _first_fault(taken, lambda step: _seen(spec, step)))
        report.rule("reward", lambda: _first_fault(taken, _reward))
        report.rule("begins with FIRST", lambda: _begins(taken))
        report.rule("order of kinds", lambda: _order(taken))
        if masks(spec):
            report.rule("a choice is open", lambda: _first_fault(taken, lambda step: _some_open(spec, step)))


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


def _names(world: Any) -> str:
    given, width = capability(world, "observation_names"), spaces.width(world.spec.observation)
    names = () if given is None else given()
    if not isinstance(names, tuple) or not all(isinstance(name, str) and name and name.isprintable() for name in names):
        return f"`observation_names` are {names!r}; give a tuple of printable texts"
    if names and len(names) != width:
        return f"`observation_names` are {len(names)}, and an observation has {width} numbers; name each of them, or none"
    twice = sorted({name for name in names if names.count(name) > 1})
    return f"`observation_names` holds {twice[0]!r} more than once; give each number a name of its own" if twice else ""


def masks(spec: WorldSpec) -> list[int]:
    """Which leaves of the observation, by their number, are called `open`."""
    named = jax.tree_util.tree_leaves_with_path(spec.observation, is_leaf=spaces.is_leaf)
    return [index for index, (path, _) in enumerate(named) if path and jax.tree_util.keystr(path[-1:], simple=True) == "open"]


def _mask(spec: WorldSpec) -> str:
    found = masks(spec)
    if not found:
        return ""
    leaf = spaces.leaves(spec.observation)[found[0]]
    if not isinstance(spec.action, spaces.Discrete):
        return f"the observation has a leaf `open`, which names choices, and the action is {spec.action}; call the leaf otherwise"
    if (
        len(found) > 1
        or not isinstance(leaf, spaces.Box)
        or leaf.shape != (spec.action.n,)
        or leaf.dtype not in ("uint8", "bool")
    ):
        return (
            f"the observation's leaf `open` is {leaf} for {spec.action.n} choices; make it one"
            f' Box(shape=({spec.action.n},), low=0, high=1, dtype="uint8"), with 1 for each choice that is admissible now'
        )
    return ""


def _some_open(spec: WorldSpec, step: TimeStep) -> str:
    mask = np.asarray(jax.tree.leaves(step.observation)[masks(spec)[0]])
    return (
        ""
        if np.all(np.any(mask != 0, axis=-1))
        else "`open` is all zero in a row, so nothing can be chosen; leave one choice open"
    )


def _first_fault(taken: Walk, judge: Callable[[TimeStep], str]) -> str:
    for index, step in enumerate(taken.steps):
        sentence = judge(step)
        if sentence:
            return ("in the first step of `init`, " if index == 0 else f"after {index} steps, ") + sentence
    return ""


def _form(spec: WorldSpec, step: Any) -> str:
    """A sentence where the arrays of a step, or the shapes of a trace, are not those of the spec."""
    if not isinstance(step, TimeStep):
        return f"a {type(step).__name__} came where a TimeStep belongs; return (state, TimeStep(...))"
    for name, dtype in (("kind", "int8"), ("reward", "float32")):
        value = getattr(step, name)
        if value.dtype != dtype or value.shape != (spec.batch,):
            return f"`{name}` is {value.dtype}{list(value.shape)}; make it {dtype}[{spec.batch}]"
    if step.named is not None and not isinstance(step.named, dict):
        return f"`named` is a {type(step.named).__name__}; make it a dict of float32[{spec.batch}], or None"
    for name, value in (step.named or {}).items():
        if value.dtype != "float32" or value.shape != (spec.batch,):
            return f"`named[{name!r}]` is {value.dtype}{list(value.shape)}; make it float32[{spec.batch}]"
    expected, found = jax.tree.structure(spec.observation, is_leaf=spaces.is_leaf), jax.tree.structure(step.observation)
    if expected != found:
        return f"the observation is {found}, and `spec.observation` {expected}; make them alike"
    for leaf, value in zip(spaces.leaves(spec.observation), jax.tree.leaves(step.observation), strict=True):
        if np.shape(value) != (spec.batch, *leaf.shape):
            return (
                f"an observation has the shape {np.shape(value)}; make it {(spec.batch, *leaf.shape)}: the batch, then the space"
            )
        if value.dtype != leaf.dtype:
            return f"an observation is {value.dtype}, and `spec.observation` says {leaf.dtype}; make them equal"
    return ""


def _kinds(step: TimeStep) -> str:
    unknown = set(np.unique(step.kind).tolist()) - set(range(len(KINDS)))
    return f"`kind` holds {sorted(unknown)}; use FIRST, MID, TERMINATED, TRUNCATED and BROKEN of umwelt.core" if unknown else ""


def _seen(spec: WorldSpec, step: TimeStep) -> str:
    outside = spaces.contains(spec.observation, step.observation)
    return f"the observation is not in `spec.observation`: {outside}; widen the space or clip what is seen" if outside else ""


def _reward(step: TimeStep) -> str:
    if not np.all(np.isfinite(step.reward)):
        return "the reward holds NaN or infinity; bound it"
    paid = step.reward[step.kind == FIRST]
    return f"the reward on a FIRST step is {paid[paid != 0][0]:g}; nothing was done yet, so make it 0" if np.any(paid) else ""


def _begins(taken: Walk) -> str:
    kinds = taken.steps[0].kind
    return "" if np.all(kinds == FIRST) else f"`init` returned the kinds {kinds.tolist()}; every row of its step is FIRST"


def _order(taken: Walk) -> str:
    kinds = np.stack([step.kind for step in taken.steps])
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


def _same_key(subject: Subject, taken: Walk, again: list[Walk]) -> str:
    second = walk(subject, min(SHORT, len(taken.actions)))
    again.append(second)
    for index, (old, new) in enumerate(zip(taken.steps, second.steps, strict=False)):
        difference = same_values(old, new, "the step")
        if difference:
            return (
                f"the same key, tasks and actions gave other steps: after {index} steps {difference};"
                " draw every random number from `key`"
            )
    return ""


def _next_task_ignored(subject: Subject, taken: Walk) -> str:
    """Walk again with other next tasks: each row must be the same until its first episode has ended."""
    other = walk(subject, len(taken.actions), shift=1)
    going = np.ones(subject.world.spec.batch, bool)
    for index, (old, new) in enumerate(zip(taken.steps, other.steps, strict=True)):
        left, right = (jax.tree.map(lambda leaf: np.asarray(leaf)[going], step) for step in (old, new))  # noqa: B023 - used at once
        difference = same_values(left, right, "the step")
        if difference:
            return (
                f"another `next_task` changed an episode that was under way: after {index} steps {difference};"
                " read `next_task` only in the rows whose last step had ended"
            )
        going = going & ~(old.kind >= TERMINATED)
    return ""
