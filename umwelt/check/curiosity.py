"""The checker of signals of curiosity."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.check.base import (
    Depth,
    Report,
    compiled,
    declares_metrics,
    parameter_names,
    plain,
    same_form,
    same_values,
    settles,
    undeclared,
    wants_values,
)
from umwelt.core import Moment, capability
from umwelt.core.contracts import Curiosity

METHODS = ("init", "bonus", "learn")
WIDTH, ACTIONS, ROWS = 6, 3, 5
LESSONS, HUNDRED = 12, 100


def curiosity(instance: Any, depth: Depth = "values", key: jax.Array | None = None) -> Report:
    """Report every broken promise of a signal of curiosity, each in a sentence with its mend.

    depth: `shapes` traces each method once and compiles nothing; `values` runs them.
    """
    report = Report("curiosity", type(instance).__name__)
    key = jax.random.key(0) if key is None else key
    if not report.rule("parameter names", lambda: parameter_names(Curiosity, instance, METHODS)):
        return report
    report.rule("metrics", lambda: declares_metrics(instance))
    if not report.rule("shapes", lambda: _traced(instance, key)) or not wants_values(depth):
        return report
    trial = _Trial(instance, key)
    if not report.rule("learn", trial.run):
        return report
    report.rule("state keeps its form", lambda: same_form(trial.first, trial.state, "the state"))
    report.rule("finite bonuses", trial.finite)
    report.rule("rows of weight 0", trial.weightless)
    report.rule("same key, same bonus", lambda: same_values(trial.paid(), trial.paid(), "bonus"))
    report.rule("jit equals no jit", trial.jitted)
    report.rule("begin", trial.begins)
    if getattr(instance, "novelty", False):
        report.rule("novelty", trial.falls)
    return report


def moments(key: jax.Array, rows: int = ROWS) -> Moment:
    """Draw transitions of vectors, with a surprise that was not measured in the first row."""
    now, after, done, surprise = (jax.random.fold_in(key, index) for index in range(4))
    return Moment(
        now=jax.random.normal(now, (rows, WIDTH)),
        after=jax.random.normal(after, (rows, WIDTH)),
        done=jax.random.uniform(done, (rows, ACTIONS), minval=-1.0),
        weight=jnp.ones(rows, jnp.float32),
        surprise=jax.random.normal(surprise, (rows,)).at[0].set(jnp.nan),
    )


def _traced(instance: Any, key: jax.Array) -> str:
    """A sentence where one trace of each method breaks a shape, a dtype or the form of the state."""
    state = jax.eval_shape(lambda key: instance.init(key, WIDTH, ACTIONS, ROWS), key)
    begin, told = (capability(instance, name) for name in ("begin", "told"))
    # a signal that counts within episodes has one row for each; any other reads as many rows as it is given
    for rows in (ROWS,) if begin else (ROWS, 2 * ROWS):
        moment = jax.eval_shape(lambda key, rows=rows: moments(key, rows), key)
        bonus = jax.eval_shape(instance.bonus, key, state, moment)
        if bonus.shape != (rows,) or bonus.dtype != jnp.float32:
            return f"`bonus` of {rows} rows is {bonus.dtype}{list(bonus.shape)}; return float32 [{rows}], one for each"
        after, info = jax.eval_shape(instance.learn, key, state, moment)
        if sentence := settles(state, after, "the state") or undeclared(instance, info, "learn"):
            return sentence
    if begin:
        begun = jax.eval_shape(begin, state, jnp.ones(ROWS, bool))
        if sentence := same_form(state, begun, "the state"):
            return f"{sentence} in `begin`"
    if told:
        shown = jax.eval_shape(told, state)
        if shown.ndim != 2 or shown.shape[0] != ROWS or shown.dtype != jnp.float32:
            return f"`told` is {shown.dtype}{list(shown.shape)}; return float32 [{ROWS}, W], one row for each of the batch"
    return ""


class _Trial:
    """A signal, and its state after some lessons."""

    def __init__(self, instance: Any, key: jax.Array) -> None:
        self.instance, self.key = instance, key
        self.bonus, self.learn = compiled(instance.bonus), compiled(instance.learn)
        self.begin: Any = capability(instance, "begin")
        self.told: Any = capability(instance, "told")
        self.first = self.state = instance.init(key, WIDTH, ACTIONS, ROWS)
        self.moment = moments(jax.random.fold_in(key, LESSONS))

    def run(self) -> str:
        """Learn from LESSONS moments."""
        for lesson in range(LESSONS):
            here = jax.random.fold_in(self.key, lesson)
            self.state, _ = self.learn(here, self.state, moments(here))
        return ""

    def paid(self, state: Any = None, moment: Moment | None = None) -> np.ndarray:
        """The bonus [N] in a state, by default the present one, of a moment, by default one that was never met."""
        state, moment = self.state if state is None else state, moment or self.moment
        return np.asarray(self.bonus(self.key, state, moment))

    def finite(self) -> str:
        """A sentence where a bonus is NaN or infinite, before or after learning, also of numbers that are far away."""
        far = replace(self.moment, after=1e4 * self.moment.after)
        for state, when in ((self.first, "before anything was learned"), (self.state, "after learning")):
            for moment, what in ((self.moment, "transitions"), (far, "transitions far from what was met")):
                bonus = self.paid(state, moment)
                if not np.all(np.isfinite(bonus)):
                    return f"`bonus` of {what} {when} is {bonus}; return finite numbers (a surprise may be NaN)"
        return ""

    def weightless(self) -> str:
        """A sentence where rows of weight 0 change the state or the bonus of other rows, whatever they hold."""
        none = jnp.zeros(ROWS)
        wild = jax.tree.map(lambda leaf: jnp.full_like(leaf, jnp.nan), self.moment)
        after, _ = self.learn(self.key, self.state, replace(wild, weight=none))
        if not _finite(after):
            return "`learn` takes NaN from rows of weight 0 into the state; leave them out of all sums with `jnp.where`"
        if sentence := same_values(self.state, after, "the state"):
            return f"{sentence} after a lesson without weight; leave rows of weight 0 out of all sums"
        weight = none.at[:2].set(1.0)

        def mixed(rest: Moment) -> Moment:
            rows = jax.tree.map(lambda leaf, other: leaf.at[2:].set(other[2:]), self.moment, rest)
            return replace(rows, weight=weight)

        one, other = mixed(wild), mixed(moments(self.key))
        first, second = (self.learn(self.key, self.state, moment)[0] for moment in (one, other))
        if sentence := same_values(first, second, "the state"):
            return f"{sentence} with the contents of rows of weight 0; leave them out of all sums"
        first, second = (self.paid(moment=moment)[:2] for moment in (one, other))
        return same_values(first, second, "the bonus beside rows of weight 0")

    def jitted(self) -> str:
        """A sentence where compilation changes a bonus or a lesson."""
        plain = self.instance.bonus(self.key, self.state, self.moment)
        learned = self.instance.learn(self.key, self.state, self.moment)
        compiled = self.learn(self.key, self.state, self.moment)
        return same_values(self.paid(), np.asarray(plain), "bonus", 1e-4) or same_values(compiled, learned, "learn", 1e-4)

    def begins(self) -> str:
        """A sentence where `begin` touches rows in which no episode begins, or cannot begin another number of rows."""
        if self.begin is None:
            return ""
        nowhere, one = jnp.zeros(ROWS, bool), jnp.zeros(ROWS, bool).at[0].set(True)
        if sentence := same_values(self.state, self.begin(self.state, nowhere), "the state"):
            return f"{sentence} where `begin` is asked for no row"
        begun = self.begin(self.state, one)
        # the first row weighs nothing, or what it counts would be counted beside the others
        moment = replace(self.moment, weight=self.moment.weight.at[0].set(0.0))
        paid, still = (self.paid(state, moment)[1:] for state in (self.state, begun))
        shown, kept = (np.asarray(self.told(state))[1:] if self.told else 0 for state in (self.state, begun))
        if sentence := same_values(paid, still, "the bonus") or same_values(shown, kept, "`told`"):
            return f"{sentence} in rows in which no episode begins; `begin` touches the others alone"
        few = self.begin(self.state, jnp.ones(2, bool))
        paid = np.asarray(self.instance.bonus(self.key, few, moments(self.key, 2)))
        return (
            "" if paid.shape == (2,) else f"`begin` with 2 rows gives a state that pays {paid.shape[0]}; begin a body of 2 rows"
        )

    def falls(self) -> str:
        """A sentence where what was learned a hundred times pays no less than at first, though it claims novelty."""
        before, state = self.paid(), self.state
        for lesson in range(HUNDRED):
            state, _ = self.learn(jax.random.fold_in(self.key, lesson), state, self.moment)
        after = self.paid(state)
        if before.mean() > 0.0 and after.mean() < 0.9 * before.mean():
            return ""
        return (
            f"`bonus` of transitions is {before.mean():g} on the mean when they are new and {after.mean():g} after they were"
            f" learned {HUNDRED} times; it is to fall, or leave out `novelty = True`"
        )


def _finite(tree: Any) -> bool:
    """True where no number of a tree is NaN or infinite."""
    return all(np.all(np.isfinite(leaf)) for leaf in map(plain, jax.tree.leaves(tree)) if leaf.dtype.kind == "f")
