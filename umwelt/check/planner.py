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
from umwelt.check.base import Depth, Report, parameter_names, pure, same_form, same_values, settles, wants_values
from umwelt.check.puzzles import ALONE, BEYOND, BROKEN, CONTINUOUS, DISCRETE, DOUBT, DRIVE, HINT, LIFE, TWO, Puzzle
from umwelt.core import Box, Discrete, Objective, WorldSpec, keys, spaces
from umwelt.core.contracts import Planner, Prospect

METHODS = ("init", "plan", "forget")
EACH, STEPS = 3, 6
"""How often each puzzle stands in the batch, and how long the closed loop runs."""


def planner(
    instance: Any,
    key: jax.Array | None = None,
    action: tuple[Box | Discrete, ...] = (CONTINUOUS, DISCRETE),
    depth: Depth = "values",
    only: tuple[str, ...] = (),
) -> Report:
    """Report every broken promise of a planner, each in a sentence.

    action: the spaces that it is for, where it is not for both a Box and a Discrete.
    depth: "shapes" traces each space once and compiles nothing; "values" solves the puzzles too.
    only: the titles of the rules of values to look at, while one is being mended; () for all.
    """
    report, values = Report("planner", type(instance).__name__), wants_values(depth)
    if not report.rule("names", lambda: parameter_names(Planner, instance, METHODS)):
        return report
    for index, space in enumerate(action):
        trial = Trial(instance, space, jax.random.key(0) if key is None else key)
        if _outline(report, trial) and values:
            _examine(report, trial, only, thorough=index == 0)
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
        self.open = jnp.ones((self.batch, space.n), bool) if isinstance(space, Discrete) else None
        self.name = "box" if self.open is None else "choices"
        self._plan = jax.jit(self.eager)

    def eager(self, key: Any, state: Any, belief: Puzzle, weight: Any, open: Any) -> Any:
        """(state, action), with `weight` on doubt."""
        prospect = Prospect(
            imagine=self.imagine,
            objective=lambda seen: seen.reward + weight * seen.doubt,
            value=puzzles.value,
            prior=partial(puzzles.prior, self.space),
            open=open,
        )
        return self.instance.plan(key, state, belief, prospect)

    def plan(self, key: Any, state: Any, belief: Puzzle, weight: float = -1.0, open: Any = None) -> Any:
        """(state, action) by one compiled program; of a Discrete space all choices are open unless `open` is given."""
        return self._plan(key, state, belief, weight, self.open if open is None else open)

    def first_call(self, key: Any, belief: Puzzle) -> Any:
        """(state, action) of a fresh planner, with one key for all."""
        return self.eager(key, self.instance.init(key, self.spec), belief, jnp.float32(-1.0), self.open)

    def outline(self) -> dict[str, Any]:
        """The shapes of all that the planner returns, by one trace."""

        def calls(key: Any, belief: Puzzle) -> dict[str, Any]:
            fresh = self.instance.init(key, self.spec)
            after, action = self.eager(key, fresh, belief, jnp.float32(-1.0), self.open)
            bare = Prospect(imagine=self.imagine, objective=Objective())
            forgotten = self.instance.forget(after, jnp.arange(self.batch) % 2 == 0)
            found = {"fresh": fresh, "after": after, "action": action, "forgotten": forgotten}
            return found | {"bare": self.instance.plan(key, fresh, belief, bare)}

        return jax.eval_shape(calls, self.init_key, self.belief)

    def begin(self) -> None:
        """The call that most rules look at. A planner that raises here is not examined further."""
        self.fresh = self.instance.init(self.init_key, self.spec)
        self.after, self.action = self.plan(self.key, self.fresh, self.belief)

    def run(self) -> None:
        """The closed loop that the later rules look at."""
        self.total, self.warm, self.there = self.loop(warm=True)

    def loop(self, warm: bool) -> tuple[np.ndarray, Any, Puzzle]:
        """The closed loop, the model being the world: summed rewards [B], the last state and belief."""
        state, belief, total = self.fresh, self.belief, np.zeros(self.batch)
        for index in range(STEPS):
            key = jax.random.fold_in(self.key, index)
            after, action = self.plan(key, state, belief)
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


def _outline(report: Report, trial: Trial) -> bool:
    """Add the rules of shapes; whether the planner is fit for those of values."""
    found: dict[str, Any] = {}
    if not report.rule(f"can be traced ({trial.name})", lambda: found.update(trial.outline())):
        return False
    fresh, after = found["fresh"], found["after"]
    rules = {
        "acts in the space": lambda: _in_shape(trial, found["action"]),
        "keeps the form of its state": lambda: (
            same_form(fresh, after, "after `plan`, state") or same_form(fresh, found["forgotten"], "after `forget`, state")
        ),
        "compiles once": lambda: settles(fresh, after, "after `plan`, state"),
        "is pure": lambda: pure(trial.first_call, trial.init_key, trial.belief),
        "does without a value and a prior": lambda: same_form((after, found["action"]), found["bare"], "the result"),
    }
    kept = [report.rule(f"{title} ({trial.name})", check) for title, check in rules.items()]
    return all(kept)


def _in_shape(trial: Trial, action: Any) -> str:
    wanted = f"{trial.space.dtype}{[trial.batch, *trial.space.shape]}"
    found = [f"{leaf.dtype}{list(leaf.shape)}" for leaf in jax.tree.leaves(action)]
    return "" if found == [wanted] else f"the action is {', '.join(found)}, where {trial.batch} beliefs ask for {wanted}"


def _examine(report: Report, trial: Trial, only: tuple[str, ...], thorough: bool) -> None:
    def rule(title: str, check: Callable[[Trial], str | None]) -> bool:
        return report.rule(f"{title} ({trial.name})", lambda: check(trial))

    # every rule below needs each of these
    if not all(rule(title, check) for title, check in NEEDED.items()):
        return
    for title, check in (RULES | (THOROUGH if thorough else {})).items():
        if not only or title in only:
            rule(title, check)


def _in_space(trial: Trial) -> str:
    return spaces.contains(trial.space, trial.action)


def _repeats(trial: Trial) -> str:
    again = trial.plan(trial.key, trial.fresh, trial.belief)
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
    return _most(trial.chosen(trial.action, LIFE) < 0, "it ended the episode for a small reward: `continues` was not counted")


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
    """All rows but HINT get bad advice; the other rules show that it is not followed."""
    if isinstance(trial.space, Discrete):
        return _most(trial.chosen(trial.action, LIFE) < 0.5, "it followed a prior's bad advice")
    change = np.mean(trial.chosen(trial.action, HINT)) - np.mean(trial.chosen(trial.action, ALONE))
    return "" if change > 0.25 else f"good advice of the prior moved the choice by {change:.2f} half-ranges only"


def _open(trial: Trial) -> str:
    """Closes in each row what was chosen while all was open; then all but one choice, from a warm start."""
    if not isinstance(trial.space, Discrete):
        return ""
    rows, choices = np.arange(trial.batch), trial.space.n
    open = np.ones((trial.batch, choices), bool)
    open[rows, np.asarray(trial.action)] = False
    single = np.eye(choices, dtype=bool)[rows % choices]
    for state, belief, mask in ((trial.fresh, trial.belief, open), (trial.warm, trial.there, single)):
        _, action = trial.plan(trial.key, state, belief, open=jnp.asarray(mask))
        closed = ~mask[rows, np.asarray(action)]
        if closed.any():
            count = f"{closed.sum()} of {closed.size} rows"
            return f"it chose what `prospect.open` closes in {count}: mask the first action of each plan"
    return ""


def _rows(trial: Trial) -> str:
    """Rows of other beliefs change, and these rows must not; rows that move take their answers along."""
    stays = np.arange(trial.batch) % 2 == 0
    belief = jax.tree.map(lambda leaf: jnp.where(stays, leaf, leaf[::-1]), trial.belief)
    _, other = trial.plan(trial.key, trial.fresh, belief)
    leak = trial.same(trial.action, other, stays, 1e-3, "other rows' beliefs changed, and so did this row's choice")
    _, mirrored = trial.plan(trial.key, trial.fresh, jax.tree.map(lambda leaf: leaf[::-1], trial.belief))
    gap = np.abs(trial.chosen(trial.action, BEYOND) - trial.chosen(mirrored[::-1], BEYOND))
    return leak or _most(gap < 0.26, "the rows were reversed, and the answers did not move with them")


def _warm(trial: Trial) -> str:
    if not jax.tree.leaves(trial.fresh):
        return ""
    _, cold = trial.plan(trial.key, trial.fresh, trial.there)
    _, warm = trial.plan(trial.key, trial.warm, trial.there)
    # two good planners may well make the same choices; they never agree on numbers
    if isinstance(trial.space, Box) and np.array_equal(cold, warm):
        return "it carries a state that changes no action: use it, or carry none"
    kept, dropped = _gap_closed(trial, trial.total), _gap_closed(trial, trial.loop(warm=False)[0])
    # a planner that is far from the known answer anyway may vary by as much as it is off
    if dropped - kept < 0.004 + max(0.0, 1 - dropped):
        return ""
    return f"its warm start does harm: it closes {kept:.1%} of the gap to the known answer, and {dropped:.1%} without"


def _forgets(trial: Trial) -> str:
    rows = np.arange(trial.batch) % 3 == 0
    partly = trial.instance.forget(trial.warm, jnp.asarray(rows))
    cold, warm, mixed = (trial.plan(trial.key, state, trial.there)[1] for state in (trial.fresh, trial.warm, partly))
    return trial.same(mixed, cold, rows, 1e-4, "forgotten rows do not plan as fresh ones") or trial.same(
        mixed, warm, ~rows, 1e-4, "rows that were not forgotten plan otherwise"
    )


def _vmap(trial: Trial) -> str:
    both = jnp.stack([trial.other_key, trial.key])
    mapped = jax.jit(jax.vmap(trial.eager, in_axes=(0, None, None, None, None)))
    _, actions = mapped(both, trial.fresh, trial.belief, -1.0, trial.open)
    steady = np.isin(trial.kind, [TWO, BROKEN])
    return trial.same(actions[1], trial.action, steady, 0.3, "under vmap and alone")


NEEDED = {"plans": Trial.begin, "acts within the bounds": _in_space, "plans again and again": Trial.run}
RULES = {
    "same key, same action": _repeats,
    "drives to the goal": _drives,
    "looks two steps ahead": _two_steps,
    "counts the chance to continue": _continues,
    "obeys the weight of doubt": _doubt,
    "survives an imagination that breaks": _breaks,
    "adds the value beyond the horizon": _value,
    "uses the prior": _prior,
    "takes open choices only": _open,
    "plans each row by itself": _rows,
    "uses its warm start": _warm,
    "forgets": _forgets,
}
THOROUGH = {"works under vmap": _vmap}
