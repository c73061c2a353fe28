"""The rules of a model that need no learning: what `start`, `observe` and `imagine` return."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.check.base import Compiled, Report, compiles_once, plain, same_form, same_values
from umwelt.check.plant import Subject, altered
from umwelt.core import FIRST, spaces
from umwelt.core.metric import Metric

CLOSE = 1e-4
"""Compiled and not compiled, the same thing may differ by this much."""
OTHER = 7
"""A number of rows that is not the world's."""


def examine(report: Report, subject: Subject, state: Any, thorough: bool) -> None:
    """Add the rules of observing and imagining to the report. thorough: also that about jit."""
    rules = {
        "beliefs keep their form": _beliefs,
        "predictions": _predictions,
        "surprise and doubt": _noticed,
        "the first step": _first,
        "rows do not mix": _mixing,
        "same key": _same_key,
        "compiles once": _once,
    }
    if thorough:
        rules = {"jit": _jit} | rules
    for rule, check in rules.items():
        report.rule(f"{rule}{subject.suffix}", lambda check=check: check(subject, state))


def declared(model: Any, info: Any, method: str) -> str:
    """A sentence where `info` holds a name that is no declared metric."""
    names = [metric.name for metric in model.metrics if isinstance(metric, Metric)]
    strange = sorted(set(info) - set(names))
    return (
        f"`{method}` reports {strange}, which `metrics` does not declare; declare each as an umwelt.core.Metric"
        if strange
        else ""
    )


def seen(subject: Subject, state: Any, tick: int = 1) -> Any:
    """The belief [B] after the first steps of the life, the last of them `life.next` of the tick."""
    belief = subject.model.start(state, subject.spec.batch)
    for index in range(tick + 1):
        moment = subject.moment(index)
        belief, _ = subject.observe(subject.key, state, belief, moment.action, moment.next)
    return belief


def _beliefs(subject: Subject, state: Any) -> str:
    model, moment = subject.model, subject.moment(0)
    start = model.start(state, subject.spec.batch)
    for leaf in jax.tree.leaves(start):
        if np.shape(leaf)[:1] != (subject.spec.batch,):
            return f"`start` made an array of shape {np.shape(leaf)}; every array of a belief has the leading axis `batch`"
    belief, _ = subject.observe(subject.key, state, start, moment.action, moment.next)
    after, _ = subject.imagine(subject.key, state, belief, moment.action)
    for found, method in ((belief, "observe"), (after, "imagine")):
        difference = same_form(start, found, "the belief")
        if difference:
            return f"in `{method}` {difference}; return it in the form in which `start` makes it"
    actions = spaces.sample(subject.key, subject.spec.action, OTHER)
    wide, prediction = subject.imagine(subject.key, state, model.start(state, OTHER), actions)
    if prediction.reward.shape != (OTHER,) or jax.tree.leaves(wide)[0].shape[0] != OTHER:
        return f"`imagine` was given {OTHER} beliefs of `start` and did not return {OTHER}; take N from the belief, not the spec"
    return ""


def _predictions(subject: Subject, state: Any) -> str:
    rows = subject.spec.batch
    _, prediction = subject.imagine(subject.key, state, seen(subject, state), subject.moment(2).action)
    for field in ("reward", "continues", "doubt"):
        found = jnp.asarray(getattr(prediction, field))
        if found.shape != (rows,) or found.dtype != jnp.float32:
            return f"the prediction's `{field}` is {found.dtype}{list(found.shape)}; make it float32[{rows}], one for each row"
        if not bool(jnp.all(jnp.isfinite(found))):
            return f"the prediction's `{field}` is not finite; a planner adds it up, so guard divisions, roots and logarithms"
    if bool(jnp.any(prediction.doubt < 0)):
        return "the prediction's `doubt` is negative; it is a spread, so take the root of a variance that is held at 0"
    if bool(jnp.any((prediction.continues < 0) | (prediction.continues > 1))):
        return "the prediction's `continues` leaves [0, 1]; it is a probability, so pass it through a sigmoid or clip it"
    if prediction.observation is None:
        return ""
    difference = same_form(subject.moment(2).step.observation, prediction.observation, "the predicted observation")
    return f"{difference}; give it the form of the world's observation, or None where there is no decoder" if difference else ""


def _noticed(subject: Subject, state: Any) -> str:
    """Over a stretch of life with episodes' ends and beginnings."""
    belief, first_seen = subject.model.start(state, subject.spec.batch), False
    for tick in range(min(16, subject.life.origin.shape[0])):
        moment = subject.moment(tick)
        belief, info = subject.observe(subject.key, state, belief, moment.action, moment.next)
        first = np.asarray(moment.next.kind == FIRST)
        first_seen |= bool(first.any())
        for name in ("surprise", "doubt"):
            if name not in info:
                return f"`observe` reports no `{name}`; return it in the Info, float32 [N]"
            value = np.asarray(info[name])
            if value.shape != first.shape or value.dtype != np.float32:
                return f"`{name}` of `observe` is {value.dtype}{list(value.shape)}; make it float32[{len(first)}]"
            if not np.isnan(value[first]).all():
                return f"`{name}` is a number on a FIRST row, where nothing could be expected; set it to NaN there"
            if not np.isfinite(value[~first]).all():
                return f"`{name}` is not finite on a row that is not FIRST; only FIRST rows are NaN"
        if np.any(np.asarray(info["doubt"]) < 0):
            return "`doubt` of `observe` is negative; it is a spread, so take the root of a variance that is held at 0"
        strange = declared(subject.model, info, "observe")
        if strange:
            return strange
    return "" if first_seen else "the life of the check holds no FIRST row; check with more steps"


def _first(subject: Subject, state: Any) -> str:
    """Two pasts, one beginning."""
    rows = subject.spec.batch
    first = jnp.full(rows, FIRST, jnp.int8)
    step = jax.tree.map(lambda leaf: leaf[3], subject.life.next)
    step = type(step)(kind=first, observation=step.observation, reward=jnp.zeros(rows, jnp.float32))
    found = [
        subject.observe(subject.key, state, belief, subject.moment(tick).action, step)[0]
        for tick, belief in ((0, subject.model.start(state, rows)), (1, seen(subject, state)))
    ]
    difference = same_values(*found, "the belief")
    return f"on FIRST rows {difference} when the belief and action before it differ; ignore both there" if difference else ""


def _mixing(subject: Subject, state: Any) -> str:
    """Change what row 0 saw and does: the other rows must not notice."""
    moment = subject.moment(2)
    belief = seen(subject, state)
    changed = altered((belief, moment.action, moment.next), 0, 1)
    for method, pair in (
        ("observe", [subject.observe(subject.key, state, *x)[0] for x in ((belief, moment.action, moment.next), changed)]),
        ("imagine", [subject.imagine(subject.key, state, *x[:2]) for x in ((belief, moment.action), changed)]),
    ):
        others = [jax.tree.map(lambda leaf: plain(leaf)[1:], found) for found in pair]
        difference = same_values(*others, "what another row holds", CLOSE)
        if difference:
            return f"when row 0 of `{method}` changes, {difference}; rows are separate, so reduce over no leading axis"
    return ""


def _same_key(subject: Subject, state: Any) -> str:
    moment = subject.moment(2)
    belief = seen(subject, state)
    for method, call in (
        # by a new program, because an old one repeats what Python drew while it was made
        ("init", lambda: Compiled(subject.init.plain)(subject.key)),
        ("observe", lambda: subject.observe(subject.key, state, belief, moment.action, moment.next)),
        ("imagine", lambda: subject.imagine(subject.key, state, belief, moment.action)),
    ):
        difference = same_values(call(), call(), "the result")
        if difference:
            return f"`{method}` called twice with one key: {difference}; draw every random number from `key`"
    return ""


def _jit(subject: Subject, state: Any) -> str:
    model, moment = subject.model, subject.moment(2)
    belief = seen(subject, state)
    for method, arguments in (
        ("observe", (subject.key, state, belief, moment.action, moment.next)),
        ("imagine", (subject.key, state, belief, moment.action)),
    ):
        found = [call(*arguments) for call in (getattr(model, method), getattr(subject, method))]
        difference = same_values(*found, "the result", CLOSE)
        if difference:
            return (
                f"under jit, `{method}` returns something else: {difference}; keep it pure, with no Python state or NumPy draws"
            )
    made = same_values(model.init(subject.key, subject.spec), subject.state(), "the state", CLOSE)
    return f"under jit, `init` returns something else: {made}; keep it pure" if made else ""


def _once(subject: Subject, state: Any) -> str:
    first, second = subject.moment(2), subject.moment(3)
    belief = seen(subject, state)
    after, _ = subject.observe(subject.key, state, belief, first.action, first.next)
    dreamt, _ = subject.imagine(subject.key, state, belief, first.action)
    for method, calls in (
        ("observe", [(subject.key, state, b, m.action, m.next) for b, m in ((belief, first), (after, second))]),
        ("imagine", [(subject.key, state, b, m.action) for b, m in ((belief, first), (dreamt, second))]),
    ):
        again = compiles_once(getattr(subject, method), *calls)
        if again:
            return f"`{method}`: {again}; return every array in the dtype and weak type in which it came"
    return ""
