"""Check the rules of a world that JAX can compile."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.check import abilities
from umwelt.check.base import Report, same_values, settles
from umwelt.check.walk import Subject, Walk
from umwelt.core import TERMINATED, TimeStep, WorldSpec, scan, spaces

CLOSE = 1e-5
"""Two ways to compute the same thing may differ by this much."""
DRIVEN = 50
"""How many steps are driven by `scan`."""
TRACED = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
)
"""What JAX raises where Python or NumPy asks for the value of a traced array."""


def outline(report: Report, subject: Subject, form: Callable[[WorldSpec, Any], str]) -> bool:
    """Add the rules of one abstract trace: nothing is compiled, and no number is computed."""
    spec, found = subject.world.spec, {}
    if not report.rule("it can be traced", lambda: found.update(_traced(subject)) or found.get("fault", "")):
        return False
    if not report.rule("form of a step", lambda: form(spec, found["first"]) or form(spec, found["second"])):
        return False
    report.rule("form of the state", lambda: settles(found["begun"], found["after"], "between `init` and `step` the state"))
    return report.rule("form of its capabilities", lambda: abilities.outline(spec, found["abilities"]))


def _traced(subject: Subject) -> dict[str, Any]:
    """The shapes of what `init`, `step` and the capabilities return."""
    world, spec = subject.world, subject.world.spec

    def both(key: jax.Array, task: Any) -> dict[str, Any]:
        begun, first = world.init(key, task)
        action = spaces.sample(key, spec.action, spec.batch)
        after, second = world.step(key, begun, action, task)
        steps = isinstance(first, TimeStep) and isinstance(second, TimeStep)
        given = abilities.traced(world, key, first, action, second, task) if steps else {}
        return {"begun": begun, "first": first, "after": after, "second": second, "abilities": given}

    try:
        return jax.eval_shape(both, jax.random.key(0), subject.default())
    except TRACED as error:
        asked = str(error).splitlines()[0]
        return {"fault": f"it asks for a value that is not known yet ({asked}); use jnp.where in place of `if`, and jnp of np"}


def examine(report: Report, subject: Subject, taken: Walk) -> None:
    """Add to the report the rules of a pure world that need numbers."""
    end = taken.ends()
    report.rule("jit", lambda: _without_jit(subject, taken, len(taken.actions) // 2 if end is None else end))
    report.rule("scan and vmap", lambda: _together(subject, taken))
    if end is not None:
        report.rule("action after an end", lambda: _action_ignored(subject, taken, end))
        report.rule("next task after an end", lambda: _next_task_used(subject, taken, end))


def _without_jit(subject: Subject, taken: Walk, moment: int) -> str:
    compiled = taken.states[moment + 1], taken.raw[moment + 1]
    difference = same_values(compiled, subject.world.step(*taken.arguments(moment)), "(state, step)", CLOSE)
    if not difference:
        return ""
    return (
        f"`step` under jax.jit and without it do not agree: {difference};"
        " use jax.random with `key` for chance, and keep Python and NumPy state out of it"
    )


def _together(subject: Subject, taken: Walk) -> str:
    """Two stretches of the walk at once, each driven by `scan`, are what they were one step at a time."""
    count = min(DRIVEN, len(taken.actions) // 2)
    starts = (0, len(taken.actions) - count)
    stretches = [
        (taken.states[start], *(_stacked(given[start : start + count]) for given in (taken.keys, taken.actions, taken.tasks)))
        for start in starts
    ]

    def drive(state: Any, *xs: Any) -> Any:
        return scan(lambda state, x: subject.world.step(x[0], state, *x[1:]), state, xs)

    ends, steps = jax.jit(jax.vmap(drive))(*_stacked(stretches))
    for index, start in enumerate(starts):
        alone = taken.states[start + count], _stacked(taken.raw[start + 1 : start + count + 1])
        found = jax.tree.map(lambda leaf: leaf[index], (ends, steps))  # noqa: B023 - used at once
        difference = same_values(alone, jax.tree.map(_rounded, alone, found), "(state, steps)", CLOSE)
        if difference:
            return (
                f"{count} steps of two lives at once, under jax.vmap and `scan`, differ from single ones: {difference};"
                " keep the rows of a life to themselves, and `step` free of side effects"
            )
    return ""


def _action_ignored(subject: Subject, taken: Walk, end: int) -> str:
    key, state, action, task = taken.arguments(end)
    other = next((each for each in taken.actions if same_values(each, action, "")), action)
    rows = taken.steps[end].kind >= TERMINATED
    seen = [_of_rows(subject.step(key, state, each, task)[1], rows) for each in (action, other)]
    difference = same_values(seen[0], seen[1], "the FIRST step")
    return f"after an end the action still matters: {difference}; ignore it in the rows that begin again" if difference else ""


def _next_task_used(subject: Subject, taken: Walk, end: int) -> str:
    key, state, action, _ = taken.arguments(end)
    tasks = subject.rows(0), subject.rows(1)
    rows = taken.steps[end].kind >= TERMINATED
    if not same_values(_of_rows(tasks[0], rows), _of_rows(tasks[1], rows), "the task"):
        return ""  # there is but one task
    (first, seen), (second, also) = (subject.step(key, state, action, task) for task in tasks)
    if not same_values((first, seen), (second, also), "the state"):
        return "after an end, two different tasks in `next_task` led to the same state; begin the new episode on `next_task`"
    difference = same_values(_of_rows(seen, ~rows), _of_rows(also, ~rows), "the step")
    if not difference:
        return ""
    return f"`next_task` changed rows whose episodes continue: {difference}; read it only in the rows that begin again"


def _rounded(alone: Any, found: Any) -> Any:
    """`found`, where a pixel that two programs rounded to neighbouring numbers is as in `alone`."""
    if found.dtype != np.uint8 or found.ndim < 4:
        return found
    return jnp.where(jnp.abs(found.astype(jnp.int32) - alone.astype(jnp.int32)) <= 1, alone, found)


def _of_rows(tree: Any, rows: np.ndarray) -> Any:
    return jax.tree.map(lambda leaf: np.asarray(leaf)[rows], tree)


def _stacked(trees: Any) -> Any:
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)
