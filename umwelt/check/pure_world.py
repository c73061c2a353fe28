"""The rules of a world that JAX can compile."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.check.base import Report, compiles_once, same_form, same_values
from umwelt.check.walk import Life, Subject
from umwelt.core import TERMINATED, host_scan, scan, spaces

CLOSE = 1e-5
"""Two ways to compute the same thing may differ by this much."""
DRIVEN = 50
"""How many steps are driven by `scan` and by `host_scan`."""


def examine(report: Report, subject: Subject, life: Life) -> None:
    """Add to the report the rules of a pure world."""
    end = life.ends()
    moments = [0, len(life.actions) // 2 if end is None else end]
    if hasattr(subject.world, "begin") and hasattr(subject.world, "advance"):
        report.rule("form of the body", lambda: _body(subject))
    report.rule("form of the state", lambda: _state(life))
    report.rule("jit", lambda: _without_jit(subject, life, moments))
    report.rule("compiles once", lambda: _compiles(subject, life, moments))
    report.rule("vmap", lambda: _vmap(subject, life))
    report.rule("drivers", lambda: _drivers(subject, life))
    if hasattr(subject.world, "reward"):
        report.rule("given reward", lambda: _given_reward(subject, life))
    if end is not None:
        report.rule("action after an end", lambda: _action_ignored(subject, life, end))
        report.rule("next task after an end", lambda: _next_task_used(subject, life, end))


def _body(subject: Subject) -> str:
    """Of a world on `umwelt.worlds.stream`: `begin` and `advance` make the same body."""
    world, spec = subject.world, subject.world.spec
    key = jax.random.key(0)
    task, action = spaces.zeros(spec.task), spaces.zeros(spec.action)
    begun = jax.eval_shape(world.begin, key, task)
    moved = jax.eval_shape(lambda body: world.advance(key, body, action, task)[0], begun)
    zeros = [jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), tree) for tree in (begun, moved)]
    difference = same_form(*zeros, "the body")
    return f"between `begin` and `advance` {difference}; give both the same arrays" if difference else ""


def _state(life: Life) -> str:
    for index, state in enumerate(life.states[1:]):
        difference = same_form(life.states[0], state, "the state")
        if difference:
            return f"between `init` and step {index + 1} {difference}; return every array in the form it came in"
    return ""


def _without_jit(subject: Subject, life: Life, moments: list[int]) -> str:
    for moment in moments:
        compiled = life.states[moment + 1], life.raw[moment + 1]
        plain = subject.world.step(*life.arguments(moment))
        difference = same_values(compiled, plain, "(state, step)", CLOSE)
        if difference:
            return (
                f"`step` under jax.jit and without it do not agree: {difference};"
                " use jax.random with `key` for chance, and keep Python and NumPy state out of it"
            )
    return ""


def _compiles(subject: Subject, life: Life, moments: list[int]) -> str:
    sentence = compiles_once(subject.step, *[life.arguments(moment) for moment in [*moments, moments[0]]])
    mend = "let `init` and `step` return states of one form, with dtypes written out, as in jnp.zeros(n, jnp.float32)"
    return f"{sentence}; {mend}" if sentence else ""


def _vmap(subject: Subject, life: Life) -> str:
    last = len(life.actions) - 1
    pair = jax.tree.map(lambda *leaves: jnp.stack(leaves), life.arguments(0), life.arguments(last))
    together = jax.jit(jax.vmap(subject.world.step))(*pair)
    for index, moment in enumerate((0, last)):
        alone = life.states[moment + 1], life.raw[moment + 1]
        difference = same_values(alone, jax.tree.map(lambda leaf: leaf[index], together), "(state, step)", CLOSE)  # noqa: B023 - used at once
        if difference:
            return f"under jax.vmap (two lives at once) a step differs: {difference}; keep the rows of a life to themselves"
    return ""


def _drivers(subject: Subject, life: Life) -> str:
    count = min(DRIVEN, len(life.actions))
    xs = [jax.tree.map(lambda *leaves: jnp.stack(leaves), *given[:count]) for given in (life.keys, life.actions, life.tasks)]

    def body(step: Any, state: Any, x: Any) -> tuple[Any, Any]:
        key, action, task = x
        return step(key, state, action, task)

    compiled = jax.jit(lambda state: scan(partial(body, subject.world.step), state, tuple(xs)))(life.states[0])
    stepped = host_scan(partial(body, subject.step), life.states[0], tuple(xs))
    difference = same_values(compiled, stepped, "(state, steps)", CLOSE)
    if not difference:
        return ""
    return f"{count} steps under `scan` and under `host_scan` do not agree: {difference}; keep `step` free of side effects"


def _given_reward(subject: Subject, life: Life) -> str:
    """The reward function that the world gives to planners is the one that it pays, on its default task."""
    state, step = subject.init(subject.key, subject.default())
    for key, action in zip(life.keys[:DRIVEN], life.actions[:DRIVEN], strict=True):
        before = step
        state, step = subject.step(key, state, action, subject.default())
        claimed = subject.world.reward(before.observation, action, step.observation)
        gap = np.where(before.kind < TERMINATED, np.abs(np.asarray(claimed) - step.reward), 0.0)
        if np.shape(claimed) != np.shape(step.reward) or gap.max() > 1e-3 * (1.0 + np.abs(step.reward).max()):
            return (
                f"`reward` says {np.asarray(claimed).tolist()} where `step` paid {np.asarray(step.reward).tolist()};"
                " mend it, or leave it out where the reward is not a function of what is seen"
            )
    return ""


def _action_ignored(subject: Subject, life: Life, end: int) -> str:
    key, state, action, task = life.arguments(end)
    other = next((each for each in life.actions if same_values(each, action, "")), action)
    rows = life.steps[end].kind >= TERMINATED
    seen = [_of_rows(subject.step(key, state, each, task)[1], rows) for each in (action, other)]
    difference = same_values(*seen, "the FIRST step")
    return f"after an end the action still matters: {difference}; ignore it in the rows that begin anew" if difference else ""


def _next_task_used(subject: Subject, life: Life, end: int) -> str:
    key, state, action, _ = life.arguments(end)
    tasks = subject.rows(0), subject.rows(1)
    rows = life.steps[end].kind >= TERMINATED
    if not same_values(*(_of_rows(task, rows) for task in tasks), "the task"):
        return ""  # there is but one task
    (first, seen), (second, also) = (subject.step(key, state, action, task) for task in tasks)
    if not same_values((first, seen), (second, also), "the state"):
        return "after an end, two different tasks in `next_task` led to the same state; begin the new episode on `next_task`"
    difference = same_values(_of_rows(seen, ~rows), _of_rows(also, ~rows), "the step")
    if not difference:
        return ""
    return f"`next_task` changed rows whose episodes go on: {difference}; read it only in the rows that begin anew"


def _of_rows(tree: Any, rows: np.ndarray) -> Any:
    return jax.tree.map(lambda leaf: np.asarray(leaf)[rows], tree)
