"""Does a teacher keep its contract?"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.check.base import Compiled, Report, compiles_once, parameter_names, same_form, same_values
from umwelt.core import Box, Feedback, spaces
from umwelt.core.contracts import Teacher

METHODS = ("init", "ask", "tell")
SPACE = {"gravity": Box(low=0.0, high=20.0)}
NAMED = {"earth": {"gravity": np.float32(10.0)}, "moon": {"gravity": np.float32(1.6)}}
ROWS, QUESTIONS = 4, 30


def teacher(instance: Any, task_space: Any = None, named: dict[str, Any] | None = None, key: jax.Array | None = None) -> Report:
    """Every broken promise of a teacher, each in a sentence with its mend.

    task_space, named: those of the world that it is to teach in; by default one number, `earth` and `moon`.
    """
    report = Report("teacher", type(instance).__name__)
    key = jax.random.key(0) if key is None else key
    space, named = (SPACE, NAMED) if task_space is None else (task_space, named or {})
    if not report.rule("parameter names", lambda: parameter_names(Teacher, instance, METHODS)):
        return report
    newborn: list[Any] = []
    if not report.rule("init", lambda: newborn.append(instance.init(key, space, named))):
        return report
    ask = Compiled(lambda key, state: instance.ask(key, state, ROWS))
    schooled: list[Any] = []
    if not report.rule("asked and told", lambda: schooled.append(_school(instance, newborn[0], space, key))):
        return report
    state = schooled[0]
    report.rule("state keeps its form", lambda: same_form(newborn[0], state, "the state"))
    report.rule("same key, same tasks", lambda: same_values(ask(key, state), ask(key, state), "the result of ask"))
    report.rule("jit equals no jit", lambda: same_values(ask(key, state), instance.ask(key, state, ROWS), "ask", 1e-5))
    report.rule("compiles once", lambda: compiles_once(ask, (key, newborn[0]), (key, state)))
    return report


def _school(instance: Any, state: Any, space: Any, key: jax.Array) -> Any:
    """Ask and tell for a while; every task must lie in the space, one for each row."""
    for question in range(QUESTIONS):
        here = jax.random.fold_in(key, question)
        state, tasks = instance.ask(here, state, ROWS)
        rows = {np.shape(leaf)[0] if np.ndim(leaf) else 0 for leaf in jax.tree.leaves(tasks)}
        if rows != {ROWS}:
            raise ValueError(f"`ask` returned tasks with leading axes {rows}; return n = {ROWS} of them")
        why = spaces.contains(space, jax.tree.map(np.asarray, tasks))
        if why:
            raise ValueError(f"`ask` returned a task outside the task space: {why}")
        numbers = jnp.full(ROWS, float(question), jnp.float32)
        ends = jnp.full(ROWS, question % 5 == 4)
        evidence = Feedback(
            finished=ends, returns=numbers, length=jnp.full(ROWS, question % 5 + 1), surprise=numbers, doubt=numbers
        )
        state = instance.tell(here, state, tasks, evidence)
    return state
