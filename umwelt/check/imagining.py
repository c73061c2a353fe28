"""The rules of a model that need values but no learning: what `start`, `observe` and `imagine` compute."""

from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.check.base import Report, plain, same_values
from umwelt.check.plant import Subject, altered
from umwelt.core import FIRST, capability

CLOSE = 1e-4
"""Two ways to compute the same thing may differ by this much."""
LENGTH = 16
"""Transitions of the sequences that `recall` filters; they hold an episode's end."""


def examine(report: Report, subject: Subject, state: Any) -> None:
    """Add the rules of observing and imagining to the report."""
    rules = {
        "predicted values": _predictions,
        "seams": _noticed,
        "the first step": _first,
        "rows do not mix": _mixing,
        "recall": _recalled,
    }
    for rule, check in rules.items():
        report.rule(rule, lambda check=check: check(subject, state))


def differing(pair: Iterable[Any], what: str, tolerance: float = 0.0) -> str:
    """A sentence where the two trees of a pair differ in value."""
    first, second = pair
    return same_values(first, second, what, tolerance)


def seen(subject: Subject, state: Any, tick: int = 1) -> Any:
    """Filter the first steps of the life, the last of them `life.next` of the tick: a belief [B]."""
    belief = subject.model.start(state, subject.spec.batch)
    for index in range(tick + 1):
        moment = subject.moment(index)
        belief, _ = subject.observe(subject.key, state, belief, moment.action, moment.next)
    return belief


def _predictions(subject: Subject, state: Any) -> str:
    _, prediction = subject.imagine(subject.key, state, seen(subject, state), subject.moment(2).action)
    for field in ("reward", "continues", "doubt"):
        if not bool(jnp.all(jnp.isfinite(getattr(prediction, field)))):
            return f"the prediction's `{field}` is not finite; a planner adds it up, so guard divisions, roots and logarithms"
    if bool(jnp.any(prediction.doubt < 0)):
        return "the prediction's `doubt` is negative; it is a spread, so take the root of a variance that is held at 0"
    if bool(jnp.any((prediction.continues < 0) | (prediction.continues > 1))):
        return "the prediction's `continues` leaves [0, 1]; it is a probability, so pass it through a sigmoid or clip it"
    return ""


def _noticed(subject: Subject, state: Any) -> str:
    """Over a stretch of life with ends and beginnings of episodes."""
    belief, first_seen = subject.model.start(state, subject.spec.batch), False
    for tick in range(min(16, subject.life.origin.shape[0])):
        moment = subject.moment(tick)
        belief, info = subject.observe(subject.key, state, belief, moment.action, moment.next)
        first = np.asarray(moment.next.kind == FIRST)
        first_seen |= bool(first.any())
        for name in ("surprise", "doubt"):
            value = np.asarray(info[name])
            if not np.isnan(value[first]).all():
                return f"on a FIRST row `observe` reports a `{name}` that is not NaN; there was no prediction, so report NaN"
            if not np.isfinite(value[~first]).all():
                return f"`{name}` is not finite on a row that is not FIRST; guard divisions, roots and logarithms"
            if name == "doubt" and (value[~first] < 0).any():
                return "`doubt` is negative; it is a spread, so take the root of a variance that is held at 0"
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
    difference = differing(found, "the belief")
    return f"on FIRST rows {difference} when the belief and action before it differ; ignore both there" if difference else ""


def _mixing(subject: Subject, state: Any) -> str:
    """Change row 0: the other rows must not notice."""
    moment = subject.moment(2)
    belief = seen(subject, state)
    changed = altered((belief, moment.action, moment.next), 0, 1)
    for method, pair in (
        ("observe", [subject.observe(subject.key, state, *x)[0] for x in ((belief, moment.action, moment.next), changed)]),
        ("imagine", [subject.imagine(subject.key, state, *x[:2]) for x in ((belief, moment.action), changed)]),
    ):
        others = [jax.tree.map(lambda leaf: plain(leaf)[1:], found) for found in pair]
        difference = differing(others, "another row", CLOSE)
        if difference:
            return f"when row 0 of `{method}` changes, {difference}; rows are separate, so reduce over no leading axis"
    return ""


def _recalled(subject: Subject, state: Any) -> str:
    """Where a model filters whole sequences at once, it filters as `observe` does step by step."""
    recall: Any = capability(subject.model, "recall")
    if recall is None:
        return ""
    sequences = subject.sequences(LENGTH)
    draws = jax.random.split(subject.key, LENGTH + 1)
    found = jax.jit(recall)(subject.key, state, sequences)
    action, first = jax.tree.map(lambda leaf: leaf[:, 0], (sequences.action, sequences.step))
    belief, _ = subject.observe(draws[0], state, subject.model.start(state, subject.spec.batch), action, first.opening)
    beliefs = [belief]
    for tick in range(LENGTH):
        moment = subject.moment(tick)
        beliefs.append(subject.observe(draws[tick + 1], state, beliefs[-1], moment.action, moment.next)[0])
    expected = jax.tree.map(lambda *leaves: jnp.stack(leaves), *beliefs)
    difference = same_values(expected, found, "the beliefs", CLOSE)
    return (
        f"`recall` does not equal observing step by step with the keys `jax.random.split(key, L + 1)`: {difference}; begin"
        " with the opening of the first step, and reset beliefs at FIRST steps"
        if difference
        else ""
    )
