"""The checker of teachers."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.check.base import (
    Depth,
    Report,
    parameter_names,
    same_form,
    same_values,
    settles,
    wants_values,
)
from umwelt.core import Box, Feedback, capability, is_hosted, spaces
from umwelt.core.contracts import Teacher

METHODS = ("init", "ask", "tell", "panel")
SPACE = {"gravity": Box(low=0.0, high=20.0)}
NAMED = {"earth": {"gravity": np.float32(10.0)}, "moon": {"gravity": np.float32(1.6)}}
ROWS, QUESTIONS = 4, 30


def teacher(
    instance: Any,
    task_space: Any = None,
    named: dict[str, Any] | None = None,
    key: jax.Array | None = None,
    depth: Depth = "values",
    achieved: Any = None,
) -> Report:
    """Report every broken promise of a teacher, each in a sentence with its mend.

    task_space, named: those of the world that it teaches in; by default one number, `earth` and `moon`.
    depth: `shapes` traces each method once and compiles nothing; `values` runs them.
    achieved: the space of `feedback.reached`, where the world has `achieved`.
    """
    report = Report("teacher", type(instance).__name__)
    key = jax.random.key(0) if key is None else key
    space, named = (SPACE, NAMED) if task_space is None else (task_space, named or {})
    if not report.rule("parameter names", lambda: parameter_names(Teacher, instance, METHODS)):
        return report
    begun: list[Any] = []
    if not report.rule("init", lambda: begun.append(instance.init(key, space, named))):
        return report
    report.rule("panel", lambda: _panel(instance, space, named))
    turn = _Turn(instance, space, achieved)
    values = wants_values(depth)
    if not is_hosted(instance) and not (report.rule("shapes", lambda: _traced(turn, begun[0], key)) and values):
        return report
    taught: list[Any] = []
    if not report.rule("ask and tell", lambda: taught.append(turn.repeated(key, begun[0]))):
        return report
    state = taught[0]
    report.rule("state keeps its form", lambda: same_form(begun[0], state, "the state"))
    report.rule("reflect", lambda: _reflected(instance, key, state))
    if is_hosted(instance):
        return report
    ask = jax.jit(lambda key, state: instance.ask(key, state, ROWS))
    report.rule("same key, same tasks", lambda: same_values(ask(key, state), ask(key, state), "the result of ask"))
    report.rule("jit equals no jit", lambda: same_values(ask(key, state), instance.ask(key, state, ROWS), "ask", 1e-5))
    return report


class _Turn:
    """One question and the feedback on its tasks."""

    def __init__(self, instance: Any, space: Any, achieved: Any) -> None:
        self.instance, self.space, self.achieved = instance, space, achieved

    def __call__(self, key: jax.Array, state: Any, question: int) -> Any:
        """Ask and tell once, and look at the tasks; every one must lie in the space."""
        here = jax.random.fold_in(key, question)
        state, tasks = self.instance.ask(here, state, ROWS)
        self.rows(tasks)
        why = spaces.contains(self.space, jax.tree.map(np.asarray, tasks))
        if why:
            raise ValueError(f"`ask` returned a task outside the task space: {why}")
        return self.instance.tell(here, state, tasks, self.feedback(here, question))

    def repeated(self, key: jax.Array, state: Any) -> Any:
        """The state after QUESTIONS turns."""
        for question in range(QUESTIONS):
            state = self(key, state, question)
        return state

    def rows(self, tasks: Any) -> None:
        """Refuse tasks that are not one for each row."""
        rows = {np.shape(leaf)[0] if np.ndim(leaf) else 0 for leaf in jax.tree.leaves(tasks)}
        if rows - {ROWS}:
            raise ValueError(f"`ask` returned tasks with leading axes {rows}; return n = {ROWS} of them")

    def feedback(self, key: jax.Array, question: int) -> Feedback:
        """Feedback on episodes of five steps; rows end by twos."""
        age = (question + jnp.arange(ROWS) // 2) % 5
        numbers = age.astype(jnp.float32)
        return Feedback(
            finished=age == 4,
            returns=numbers * jnp.arange(ROWS),
            length=age.astype(jnp.int32) + 1,
            surprise=numbers,
            doubt=numbers,
            reached=None if self.achieved is None else spaces.sample(key, self.achieved, ROWS),
        )


def _panel(instance: Any, space: Any, named: dict[str, Any]) -> str:
    """A sentence where the panel holds an unknown name, or a task that is another or lies outside the space."""
    panel = instance.panel(dict(named))
    if not isinstance(panel, dict):
        return f"`panel` returned {type(panel).__name__}; return a dict of the tasks by name, or an empty one"
    for name, task in panel.items():
        if name not in named:
            return f"`panel` names the task {name!r}, which the world does not have; it has {', '.join(named)}"
        known, given = (jax.tree.map(np.asarray, each) for each in (named[name], task))
        if differ := same_values(known, given, f"the task {name!r} of `panel`"):
            return f"{differ} from the world's task of that name"
        if why := spaces.contains(space, given):
            return f"the task {name!r} of `panel` lies outside the task space: {why}"
    return ""


def _reflected(instance: Any, key: jax.Array, state: Any) -> str:
    """A sentence where `reflect` exists and breaks the form of the state, or writes on what it was given."""
    reflect = capability(instance, "reflect")
    if reflect is None:
        return ""
    after, info = reflect(key, state)
    if not isinstance(info, dict):
        return f"`reflect` returned {type(info).__name__} beside the state; return (state, Info), a dict"
    form = same_form(state, after, "the state")
    return form and f"{form} in `reflect`"


def _traced(turn: _Turn, state: Any, key: jax.Array) -> str:
    """A sentence where a trace of one turn, and of `reflect`, changes the form of the state."""

    def once(key: jax.Array, state: Any) -> tuple[Any, Any]:
        after, tasks = turn.instance.ask(key, state, ROWS)
        turn.rows(tasks)
        return turn.instance.tell(key, after, tasks, turn.feedback(key, 0)), tasks

    after, tasks = jax.eval_shape(once, key, state)
    like = jax.eval_shape(lambda: spaces.zeros(turn.space, ROWS))
    reflect = capability(turn.instance, "reflect")
    reflected = jax.eval_shape(lambda key, state: reflect(key, state)[0], key, state) if reflect else state
    if sentence := settles(state, after, "the state") or same_form(like, tasks, "the tasks"):
        return sentence
    sentence = same_form(state, reflected, "the state")
    return sentence and f"{sentence} in `reflect`"
