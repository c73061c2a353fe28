"""The planners pass their checker, and planners with one fault each fail the rule that names it."""

import dataclasses
import importlib.util
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from umwelt import check
from umwelt.check.puzzles import CONTINUOUS
from umwelt.core import part
from umwelt.planners import CEM, ICEM, MPPI, Shooting

SMALL = MPPI(samples=128, horizon=4, iterations=3, elites=16)


@pytest.mark.parametrize(
    "planner",
    [
        Shooting(samples=512, horizon=6),
        CEM(samples=160, horizon=6, iterations=4, elites=12),
        ICEM(horizon=6, iterations=3),
        MPPI(samples=256, horizon=6, iterations=4, elites=32, choose="sample"),
    ],
    ids=lambda planner: f"{type(planner).__name__}-{getattr(planner, 'choose', 'best')}",
)
def test_every_planner_keeps_the_contract(planner: Any) -> None:
    check.planner(planner, quick=True).raise_if_broken()


def test_a_planner_keeps_the_thorough_rules() -> None:
    check.planner(SMALL, jax.random.key(5), action=(CONTINUOUS,)).raise_if_broken()


def test_the_example_keeps_the_contract() -> None:
    path = Path(__file__).parent.parent / "examples" / "my_planner.py"
    found = importlib.util.spec_from_file_location("my_planner", path)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    check.planner(module.HillClimbing(), action=(CONTINUOUS,), quick=True).raise_if_broken()


@part
class Spoiled:
    """A good planner whose call goes through `spoil`, and whose `forget` may be another."""

    spoil: Callable[..., Any]
    """(plan, key, state, belief, imagine, objective, value, prior) -> (state, action)"""
    lose: Callable[[Any, Any], Any] = SMALL.forget

    def init(self, key: Any, spec: Any) -> Any:
        return SMALL.init(key, spec)

    def plan(self, key: Any, state: Any, belief: Any, imagine: Any, objective: Any, value: Any, prior: Any) -> Any:
        return self.spoil(SMALL.plan, key, state, belief, imagine, objective, value, prior)

    def forget(self, state: Any, rows: Any) -> Any:
        return self.lose(state, rows)


def altered(**changes: Callable[[Any], Any]) -> Spoiled:
    """A planner that alters some arguments of the call, by name."""
    names = ("key", "state", "belief", "imagine", "objective", "value", "prior")

    def spoil(plan: Any, *arguments: Any) -> Any:
        given = dict(zip(names, arguments, strict=True))
        return plan(*(changes.get(name, lambda x: x)(x) for name, x in given.items()))

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


def no_nan(prior_scores: Any) -> Any:
    return lambda seen: jnp.where(jnp.isnan(prior_scores(seen)), 100.0, prior_scores(seen))


calls = itertools.count()
turn = lambda tree: jax.tree.map(lambda leaf: leaf[::-1], tree)  # noqa: E731
both = lambda tree: jax.tree.map(lambda leaf: jnp.maximum(leaf, jnp.roll(leaf, 1, axis=0)), tree)  # noqa: E731

FAULTS = {
    "acts in the space: bounds": (after(lambda old, state, action: (state, action * 1.5)), "acts in the space"),
    "acts in the space: dtype": (after(lambda old, state, action: (state, action.astype("float16"))), "acts in the space"),
    "acts in the space: shape": (after(lambda old, state, action: (state, action[:1])), "acts in the space"),
    "minimises": (altered(objective=lambda objective: lambda seen: -objective(seen)), "drives to the goal"),
    "sees one step only": (
        altered(imagine=seen_as(continues=lambda seen: jnp.zeros_like(seen.continues))), "looks two steps ahead"),
    "ignores continues": (
        altered(imagine=seen_as(continues=lambda seen: jnp.ones_like(seen.continues))), "counts the chance to continue"),
    "ignores the objective": (altered(objective=lambda objective: lambda seen: seen.reward), "obeys the weight of doubt"),
    "always cautious": (
        altered(objective=lambda objective: lambda seen: seen.reward - seen.doubt), "obeys the weight of doubt"),
    "believes NaN": (altered(objective=no_nan), "survives an imagination that breaks"),
    "ignores the value": (altered(value=lambda value: None), "adds the value beyond the horizon"),
    "needs a value": (
        altered(value=lambda value: lambda belief: 2 * value(belief)), "does without a value and a prior"),
    "ignores the prior": (altered(prior=lambda prior: None), "hears the prior"),
    "obeys the prior": (
        Spoiled(spoil=lambda plan, key, state, belief, *rest: (
            lambda planned: (planned[0], rest[-1](key, belief))
        )(plan(key, state, belief, *rest))), "hears the prior"),
    "gives rows each other's answers": (after(lambda old, state, action: (state, turn(action))), "plans each row by itself"),
    "mixes rows": (altered(belief=both), "plans each row by itself"),
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
    "acts by a global count": (altered(key=lambda key: jax.random.fold_in(key, next(calls))), "is the same without jit"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(FAULTS))
def test_the_checker_names_the_fault(name: str) -> None:
    planner, rule = FAULTS[name]
    report = check.planner(planner, action=(CONTINUOUS,), only=(rule,))
    assert f"{rule} (box)" in {fault.rule for fault in report.faults}, str(report)


def test_the_checker_names_a_planner_that_draws_its_own_keys() -> None:
    class Restless:
        """Draws differently at every call, and compiles for each."""

        def __init__(self) -> None:
            self.init, self.forget = SMALL.init, SMALL.forget

        def plan(self, key: Any, state: Any, belief: Any, imagine: Any, objective: Any, value: Any, prior: Any) -> Any:
            jitter = jax.pure_callback(lambda: jnp.int32(next(calls)), jax.ShapeDtypeStruct((), jnp.int32))
            return SMALL.plan(jax.random.fold_in(key, jitter), state, belief, imagine, objective, value, prior)

    report = check.planner(Restless(), action=(CONTINUOUS,), only=("same key, same action",))
    assert "same key, same action (box)" in {fault.rule for fault in report.faults}


def test_the_checker_names_a_missing_method_and_a_wrong_name() -> None:
    class Half:
        def init(self, key: Any, spec: Any) -> Any: ...

    class Renamed(Half):
        def plan(self, key: Any, state: Any, belief: Any, model: Any, objective: Any, value: Any, prior: Any) -> Any: ...
        def forget(self, state: Any, rows: Any) -> Any: ...

    assert "no method `plan`" in check.planner(Half()).faults[0].sentence
    assert "model" in check.planner(Renamed()).faults[0].sentence


def test_the_checker_names_a_planner_that_compiles_again() -> None:
    """A state whose weak type turns strong at the first call makes a second program."""

    class Weak:
        def __init__(self) -> None:
            self.plan, self.forget = SMALL.plan, SMALL.forget

        def init(self, key: Any, spec: Any) -> Any:
            state = SMALL.init(key, spec)
            return dataclasses.replace(state, spread=jnp.broadcast_to(jnp.asarray(1.0), state.spread.shape))

    report = check.planner(Weak(), action=(CONTINUOUS,), only=("compiles once",))
    assert "compiles once (box)" in {fault.rule for fault in report.faults}
