"""The planners pass their checker, and planners with one fault each fail the rule that names it."""

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from umwelt import check
from umwelt.check.planner import RULES, THOROUGH
from umwelt.check.puzzles import CONTINUOUS, DISCRETE
from umwelt.core import part
from umwelt.planners import CEM, ICEM, MPPI, Shooting

SMALL = MPPI(samples=128, horizon=4, iterations=3, elites=16)


SOLVED = [
    (Shooting(samples=256, horizon=6), (CONTINUOUS, DISCRETE)),
    (CEM(samples=160, horizon=6, iterations=4, elites=12), (CONTINUOUS,)),
    (ICEM(samples=128, horizon=6, iterations=3), (DISCRETE,)),
    (MPPI(samples=128, horizon=6, iterations=4, elites=16, choose="sample"), (CONTINUOUS,)),
]


@pytest.mark.parametrize(("planner", "action"), SOLVED, ids=lambda value: type(value).__name__)
def test_every_planner_keeps_the_contract(planner: Any, action: Any) -> None:
    others = tuple(space for space in (CONTINUOUS, DISCRETE) if space not in action)
    check.planner(planner, action=others, depth="shapes").raise_if_broken()
    check.planner(planner, action=action, only=tuple(RULES)).raise_if_broken()


def test_a_planner_keeps_the_thorough_rules() -> None:
    check.planner(SMALL, jax.random.key(5), action=(CONTINUOUS,), only=tuple(THOROUGH)).raise_if_broken()


def test_an_unknown_depth_is_refused() -> None:
    with pytest.raises(ValueError, match="depth='deep': it is 'shapes'"):
        check.planner(SMALL, depth="deep")  # type: ignore[arg-type]


@part
class Spoiled:
    """A good planner whose call goes through `spoil`, and whose `forget` may be another."""

    spoil: Callable[..., Any]
    """(plan, key, state, belief, prospect) -> (state, action)"""
    lose: Callable[[Any, Any], Any] = SMALL.forget

    def init(self, key: Any, spec: Any) -> Any:
        return SMALL.init(key, spec)

    def plan(self, key: Any, state: Any, belief: Any, prospect: Any) -> Any:
        return self.spoil(SMALL.plan, key, state, belief, prospect)

    def forget(self, state: Any, rows: Any) -> Any:
        return self.lose(state, rows)


def altered(**changes: Callable[[Any], Any]) -> Spoiled:
    """A planner that alters fields of its prospect, by name."""

    def spoil(plan: Any, key: Any, state: Any, belief: Any, prospect: Any) -> Any:
        made = {name: change(getattr(prospect, name)) for name, change in changes.items()}
        return plan(key, state, belief, dataclasses.replace(prospect, **made))

    return Spoiled(spoil=spoil)


def given(**changes: Callable[[Any], Any]) -> Spoiled:
    """A planner that alters its key or its belief."""

    def spoil(plan: Any, key: Any, state: Any, belief: Any, prospect: Any) -> Any:
        same = lambda x: x  # noqa: E731
        return plan(changes.get("key", same)(key), state, changes.get("belief", same)(belief), prospect)

    return Spoiled(spoil=spoil)


def after(change: Callable[[Any, Any, Any], Any]) -> Spoiled:
    """A planner that changes what comes out: (state before, state, action) -> (state, action)."""
    return Spoiled(spoil=lambda plan, key, state, *rest: change(state, *plan(key, state, *rest)))


def seen_as(**fields: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """An imagination whose predictions are altered."""

    def alter(imagine: Any) -> Any:
        def altered_imagine(key: Any, belief: Any, action: Any) -> Any:
            belief, seen = imagine(key, belief, action)
            return belief, dataclasses.replace(seen, **{name: change(seen) for name, change in fields.items()})

        return altered_imagine

    return alter


def no_nan(objective: Any) -> Any:
    """An objective that takes NaN for a large reward."""
    return lambda seen: jnp.where(jnp.isnan(objective(seen)), 100.0, objective(seen))


calls = itertools.count()
turn = lambda tree: jax.tree.map(lambda leaf: leaf[::-1], tree)  # noqa: E731
both = lambda tree: jax.tree.map(lambda leaf: jnp.maximum(leaf, jnp.roll(leaf, 1, axis=0)), tree)  # noqa: E731

FAULTS = {
    "acts in the space: bounds": (after(lambda old, state, action: (state, action * 1.5)), "acts within the bounds"),
    "acts in the space: dtype": (after(lambda old, state, action: (state, action.astype("float16"))), "acts in the space"),
    "acts in the space: shape": (after(lambda old, state, action: (state, action[:1])), "acts in the space"),
    "minimises": (altered(objective=lambda objective: lambda seen: -objective(seen)), "drives to the goal"),
    "sees one step only, and is always cautious": (
        altered(
            imagine=seen_as(continues=lambda seen: jnp.zeros_like(seen.continues)),
            objective=lambda objective: lambda seen: seen.reward - seen.doubt,
        ), "looks two steps ahead", "obeys the weight of doubt"),
    "ignores continues and the value, and believes NaN": (
        altered(
            imagine=seen_as(continues=lambda seen: jnp.ones_like(seen.continues)),
            objective=no_nan,
            value=lambda value: None,
        ), "counts the chance to continue", "survives an imagination that breaks", "adds the value beyond the horizon"),
    "ignores the objective and the prior": (
        altered(objective=lambda objective: lambda seen: seen.reward, prior=lambda prior: None),
        "obeys the weight of doubt", "uses the prior"),
    "needs a value": (
        altered(value=lambda value: lambda belief: 2 * value(belief)), "can be traced"),
    "obeys the prior": (
        Spoiled(spoil=lambda plan, key, state, belief, prospect: (
            plan(key, state, belief, prospect)[0], (prospect.prior or (lambda key, belief: jnp.zeros((24, 3))))(key, belief)
        )), "uses the prior"),
    "gives rows each other's answers": (after(lambda old, state, action: (state, turn(action))), "plans each row by itself"),
    "mixes rows": (given(belief=both), "plans each row by itself"),
    "keeps no warm start": (after(lambda old, state, action: (old, action)), "uses its warm start"),
    "warms up to the contrary": (
        after(lambda old, state, action: (dataclasses.replace(state, mean=-jnp.sign(state.mean)), action)),
        "uses its warm start"),
    "forgets nothing": (Spoiled(spoil=lambda plan, *rest: plan(*rest), lose=lambda state, rows: state), "forgets"),
    "forgets every row": (
        Spoiled(spoil=lambda plan, *rest: plan(*rest), lose=lambda state, rows: SMALL.forget(state, rows | True)), "forgets"),
    "state of another dtype": (
        after(lambda old, state, action: (dataclasses.replace(state, mean=state.mean.astype("float16")), action)),
        "keeps the form of its state"),
    "acts by a global count": (given(key=lambda key: jax.random.fold_in(key, next(calls))), "is pure"),
}  # fmt: skip


EARLY = {"acts in the space", "is pure", "keeps the form of its state", "can be traced"}
"""Rules that a trace decides."""


@pytest.mark.parametrize("name", list(FAULTS))
def test_the_checker_names_the_fault(name: str) -> None:
    planner, *rules = FAULTS[name]
    depth = "shapes" if EARLY & set(rules) else "values"
    report = check.planner(planner, action=(CONTINUOUS,), depth=depth, only=tuple(rules))
    assert {f"{rule} (box)" for rule in rules} <= {fault.rule for fault in report.faults}, str(report)


def test_the_checker_names_a_planner_that_takes_closed_choices() -> None:
    report = check.planner(altered(open=lambda open: None), action=(DISCRETE,), only=("takes open choices only",))
    (fault,) = report.faults
    assert fault.rule == "takes open choices only (choices)"
    assert "mask the first action" in fault.sentence


def test_the_checker_names_a_planner_that_draws_its_own_keys() -> None:
    class Restless:
        """Draws differently at every call, and compiles for each."""

        def __init__(self) -> None:
            self.init, self.forget = SMALL.init, SMALL.forget

        def plan(self, key: Any, state: Any, belief: Any, prospect: Any) -> Any:
            jitter = jax.pure_callback(lambda: jnp.int32(next(calls)), jax.ShapeDtypeStruct((), jnp.int32))
            return SMALL.plan(jax.random.fold_in(key, jitter), state, belief, prospect)

    report = check.planner(Restless(), action=(CONTINUOUS,), only=("same key, same action",))
    assert "same key, same action (box)" in {fault.rule for fault in report.faults}


def test_the_checker_names_a_missing_method_and_a_wrong_name() -> None:
    class Half:
        def init(self, key: Any, spec: Any) -> Any: ...

    class Renamed(Half):
        def plan(self, key: Any, state: Any, belief: Any, outlook: Any) -> Any: ...
        def forget(self, state: Any, rows: Any) -> Any: ...

    assert "no method `plan`" in check.planner(Half()).faults[0].sentence
    assert "outlook" in check.planner(Renamed()).faults[0].sentence


def test_the_checker_names_a_planner_that_compiles_again() -> None:
    """A state whose weak type becomes fixed at the first call makes a second program."""

    class Weak:
        def __init__(self) -> None:
            self.plan, self.forget = SMALL.plan, SMALL.forget

        def init(self, key: Any, spec: Any) -> Any:
            state = SMALL.init(key, spec)
            return dataclasses.replace(state, spread=jnp.broadcast_to(jnp.asarray(1.0), state.spread.shape))

    report = check.planner(Weak(), action=(CONTINUOUS,), depth="shapes")
    assert "compiles once (box)" in {fault.rule for fault in report.faults}
