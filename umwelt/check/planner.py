"""The checker of planners: `planner(instance)` says which promises of the contract it keeps.

It needs no world and no learned model: the planner imagines in problems whose answers are known
(`umwelt.check.puzzles`). Some of them need a horizon of four steps or more.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.check import puzzles
from umwelt.check.base import Report, parameter_names, same_form, same_values
from umwelt.check.puzzles import ALONE, BEYOND, BROKEN, CONTINUOUS, DISCRETE, DOUBT, DRIVE, HINT, LIFE, TWO, Puzzle
from umwelt.core import Box, Discrete, Prediction, WorldSpec, keys, spaces
from umwelt.core.contracts import Planner

METHODS = ("init", "plan", "forget")
EACH = 3
"""how often each puzzle stands in the batch"""
STEPS = 6
"""how long the closed loop runs"""


def planner(
    instance: Any,
    key: jax.Array | None = None,
    action: tuple[Any, ...] = (CONTINUOUS, DISCRETE),
    quick: bool = False,
    only: tuple[str, ...] = (),
) -> Report:
    """Every broken promise of a planner, each in a sentence.

    action: the spaces that it is for, where it is not for both a Box and a Discrete.
    quick: leave out the rules about jit and vmap, which take most of the time.
    only: the titles of the rules to look at, where one is being mended; () for all.
    """
    report = Report("planner", type(instance).__name__)
    if report.rule("names", lambda: parameter_names(Planner, instance, METHODS)):
        for index, space in enumerate(action):
            trial = Trial(instance, space, jax.random.key(0) if key is None else key)
            _examine(report, trial, only, thorough=index == 0 and not quick)
    return report


class Trial:
    """One planner in one action space: its compiled calls, and what they chose."""

    def __init__(self, instance: Any, space: Box | Discrete, key: jax.Array) -> None:
        self.instance, self.space = instance, space
        self.belief = puzzles.puzzles(EACH)
        self.kind = np.asarray(self.belief.kind)
        self.batch = self.kind.size
        self.init_key, self.key, self.other_key = keys.split(key, "init", "plan", "other")
        self.spec = WorldSpec(name="puzzles", observation=Box(), action=space, task=Box(), batch=self.batch)
        self.imagine = partial(puzzles.imagine, space)
        self.prior = partial(puzzles.prior, space)
        self.plan = jax.jit(self.eager)

    def eager(self, key: Any, state: Any, belief: Puzzle, weight: Any) -> Any:
        """(state, action), with `weight` on doubt."""
        objective = partial(_objective, weight)
        return self.instance.plan(key, state, belief, self.imagine, objective, puzzles.value, self.prior)

    def bare(self) -> Any:
        """(state, action) in shapes only, without a value and without a prior."""
        rest = (self.imagine, partial(_objective, 0.0), None, None)
        return jax.eval_shape(lambda *given: self.instance.plan(*given, *rest), self.key, self.fresh, self.belief)

    def begin(self) -> None:
        """The call that most rules look at. A planner that raises here is not examined further."""
        self.fresh = self.instance.init(self.init_key, self.spec)
        self.after, self.action = self.plan(self.key, self.fresh, self.belief, -1.0)

    def lead_a_life(self) -> None:
        """The closed loop that the later rules look at."""
        self.total, self.warm, self.there = self.live(warm=True)

    def live(self, warm: bool) -> tuple[np.ndarray, Any, Puzzle]:
        """The closed loop, the model being the world: summed rewards [B], the last state and belief."""
        state, belief, total = self.fresh, self.belief, np.zeros(self.batch)
        for index in range(STEPS):
            key = jax.random.fold_in(self.key, index)
            after, action = self.plan(key, state, belief, -1.0)
            belief, prediction = self.imagine(key, belief, action)
            state, total = after if warm else state, total + np.asarray(prediction.reward)
        return total, state, belief

    def chosen(self, action: Any, kind: int) -> np.ndarray:
        """The first entries, in units, of the actions in the rows of one puzzle: [EACH]."""
        return np.asarray(puzzles.unit(self.space, action))[self.kind == kind, 0]

    def same(self, first: Any, second: Any, rows: np.ndarray, slack: float, what: str) -> str:
        """A sentence where two actions differ by more than `slack` units in one of the rows."""
        gap = np.abs(np.asarray(puzzles.unit(self.space, first)) - np.asarray(puzzles.unit(self.space, second)))
        worst = np.max(gap[rows]) if np.any(rows) else 0.0
        return "" if worst <= slack else f"{what}: actions differ by {worst:.2g} half-ranges"


def _objective(weight: Any, prediction: Prediction) -> jax.Array:
    return prediction.reward + weight * prediction.doubt


def _examine(report: Report, trial: Trial, only: tuple[str, ...], thorough: bool) -> None:
    name = "choices" if isinstance(trial.space, Discrete) else "box"

    def rule(title: str, check: Callable[[Trial], str | None]) -> bool:
        return report.rule(f"{title} ({name})", lambda: check(trial))

    # each of these is needed by every rule below
    if not all(rule(title, check) for title, check in FIRST.items()):
        return
    for title, check in (RULES | (THOROUGH if thorough else {})).items():
        if not only or title in only:
            rule(title, check)


def _in_space(trial: Trial) -> str:
    lead = np.shape(trial.action)[:1]
    if lead != (trial.batch,):
        return f"the action's leading axis is {lead}, where {trial.batch} beliefs were given"
    return spaces.contains(trial.space, trial.action)


def _form(trial: Trial) -> str:
    forgotten = trial.instance.forget(trial.after, jnp.arange(trial.batch) % 2 == 0)
    return same_form(trial.fresh, trial.after, "after `plan`, state") or same_form(
        trial.fresh, forgotten, "after `forget`, state"
    )


def _repeats(trial: Trial) -> str:
    again = trial.plan(trial.key, trial.fresh, trial.belief, -1.0)
    return same_values((trial.after, trial.action), again, "a second call: (state, action)")


def _drives(trial: Trial) -> str:
    share = _gap_closed(trial, trial.total)
    if share >= 0.8:
        return ""
    return f"it closed {share:.0%} of the gap between random actions and the known answer, where 80% is asked"


def _gap_closed(trial: Trial, total: np.ndarray) -> float:
    low, high = puzzles.references(trial.space, EACH, STEPS)
    return float((total[trial.kind == DRIVE].mean() - low) / (high - low))


def _most(good: np.ndarray, sentence: str) -> str:
    """Keeps a rule where all rows but one in five are good."""
    return "" if np.mean(good) >= 0.8 else f"{sentence} in {np.sum(~good)} of {good.size} rows"


def _two_steps(trial: Trial) -> str:
    good = np.abs(trial.chosen(trial.action, TWO) + 0.5) < 0.26
    return _most(good, "it missed the first action that pays only at the second step")


def _continues(trial: Trial) -> str:
    return _most(trial.chosen(trial.action, LIFE) < 0, "it chose to die for a small reward: `continues` was not counted")


def _doubt(trial: Trial) -> str:
    _, curious = trial.plan(trial.key, trial.fresh, trial.belief, 1.0)
    return _most(
        trial.chosen(trial.action, DOUBT) < 0, "with weight -1 it went where doubt is: the objective was not used"
    ) or _most(trial.chosen(curious, DOUBT) > 0, "with weight +1 it avoided doubt: the objective was not used")


def _breaks(trial: Trial) -> str:
    units = trial.chosen(trial.action, BROKEN)
    good = (units < 0.36) & (units > -0.5)
    return _most(good, "plans whose score is NaN spoiled the choice (count them as -infinity)")


def _value(trial: Trial) -> str:
    off = np.abs(trial.chosen(trial.action, BEYOND) - np.asarray(trial.belief.aim)[trial.kind == BEYOND])
    return _most(off < 0.26, "it missed what the value asks for")


def _prior(trial: Trial) -> str:
    """All rows but HINT are ill advised; the other rules tell that bad advice is not followed."""
    if isinstance(trial.space, Discrete):
        return _most(trial.chosen(trial.action, LIFE) < 0.5, "it followed a prior's bad advice")
    change = np.mean(trial.chosen(trial.action, HINT)) - np.mean(trial.chosen(trial.action, ALONE))
    return "" if change > 0.25 else f"good advice of the prior moved the choice by {change:.2f} half-ranges only"


def _bare(trial: Trial) -> str:
    state, action = trial.bare()
    known = jax.eval_shape(lambda: (trial.after, trial.action))
    same = jax.tree.structure(known) == jax.tree.structure((state, action)) and all(
        a.shape == b.shape and a.dtype == b.dtype
        for a, b in zip(jax.tree.leaves(known), jax.tree.leaves((state, action)), strict=True)
    )
    return "" if same else "without a value and a prior it returns something of another form"


def _rows(trial: Trial) -> str:
    """Rows of other beliefs change, and these rows must not; rows that move take their answers along."""
    stays = np.arange(trial.batch) % 2 == 0
    belief = jax.tree.map(lambda leaf: jnp.where(stays, leaf, leaf[::-1]), trial.belief)
    _, other = trial.plan(trial.key, trial.fresh, belief, -1.0)
    leak = trial.same(trial.action, other, stays, 1e-3, "other rows' beliefs changed, and so did this row's choice")
    _, mirrored = trial.plan(trial.key, trial.fresh, jax.tree.map(lambda leaf: leaf[::-1], trial.belief), -1.0)
    gap = np.abs(trial.chosen(trial.action, BEYOND) - trial.chosen(mirrored[::-1], BEYOND))
    return leak or _most(gap < 0.26, "the rows were reversed, and the answers did not move with them")


def _warm(trial: Trial) -> str:
    if not jax.tree.leaves(trial.fresh):
        return ""
    _, cold = trial.plan(trial.key, trial.fresh, trial.there, -1.0)
    _, warm = trial.plan(trial.key, trial.warm, trial.there, -1.0)
    # two good planners may well make the same choices; they never agree on numbers
    if isinstance(trial.space, Box) and np.array_equal(cold, warm):
        return "it carries a state that changes no action: use it, or carry none"
    kept, dropped = _gap_closed(trial, trial.total), _gap_closed(trial, trial.live(warm=False)[0])
    # a planner that is far from the known answer anyway may vary by as much as it is off
    if dropped - kept < 0.004 + max(0.0, 1 - dropped):
        return ""
    return f"its warm start does harm: it closes {kept:.1%} of the gap to the known answer, and {dropped:.1%} without"


def _forgets(trial: Trial) -> str:
    rows = np.arange(trial.batch) % 3 == 0
    partly = trial.instance.forget(trial.warm, jnp.asarray(rows))
    cold, warm, mixed = (trial.plan(trial.key, state, trial.there, -1.0)[1] for state in (trial.fresh, trial.warm, partly))
    return trial.same(mixed, cold, rows, 1e-4, "forgotten rows do not plan as fresh ones") or trial.same(
        mixed, warm, ~rows, 1e-4, "rows that were not forgotten plan otherwise"
    )


def _compiles(trial: Trial) -> str:
    count = trial.plan._cache_size()
    # 0 where JAX has forgotten it, as it does in long processes
    return "" if count <= 1 else f"it was compiled {count} times for calls of the same form"


def _eager(trial: Trial) -> str:
    _, action = trial.eager(trial.key, trial.fresh, trial.belief, jnp.float32(-1.0))
    steady = np.isin(trial.kind, [TWO, BROKEN])
    return trial.same(action, trial.action, steady, 0.3, "with and without jit")


def _vmap(trial: Trial) -> str:
    both = jnp.stack([trial.other_key, trial.key])
    _, actions = jax.jit(jax.vmap(trial.eager, in_axes=(0, None, None, None)))(both, trial.fresh, trial.belief, -1.0)
    steady = np.isin(trial.kind, [TWO, BROKEN])
    return trial.same(actions[1], trial.action, steady, 0.3, "under vmap and alone")


FIRST = {
    "plans": Trial.begin,
    "acts in the space": _in_space,
    "keeps the form of its state": _form,
    "plans again and again": Trial.lead_a_life,
}
RULES = {
    "same key, same action": _repeats,
    "drives to the goal": _drives,
    "looks two steps ahead": _two_steps,
    "counts the chance to continue": _continues,
    "obeys the weight of doubt": _doubt,
    "survives an imagination that breaks": _breaks,
    "adds the value beyond the horizon": _value,
    "hears the prior": _prior,
    "does without a value and a prior": _bare,
    "plans each row by itself": _rows,
    "uses its warm start": _warm,
    "forgets": _forgets,
    "compiles once": _compiles,
}
THOROUGH = {"is the same without jit": _eager, "works under vmap": _vmap}
