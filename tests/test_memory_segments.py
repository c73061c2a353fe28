"""Where a policy is surprised, another skill begins."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.claims.studies.cutting import agreement
from umwelt.memory.segments import Segments, ends

KEY = jax.random.key(0)
SWITCHES = (7, 12, 20)
SEGMENTS = Segments(units=8, gap=1.0, learning_rate=0.02)


def made(switches: tuple[int, ...], length: int = 28) -> tuple[np.ndarray, np.ndarray]:
    """A run of two skills by turns, one that acts 1 and one that acts -1: what was seen [L, 1, 1] (the action before), and
    the action [L, 1, 1]."""
    acted = np.ones(length, np.float32)
    for switch in switches:
        acted[switch:] *= -1
    before = np.concatenate([acted[:1], acted[:-1]])
    return before[:, None, None], acted[:, None, None]


@pytest.fixture(scope="module")
def learned() -> Any:
    """A policy that has seen many such runs."""
    random = np.random.default_rng(0)
    runs = [made(tuple(np.cumsum(random.integers(3, 14, 3)))) for _ in range(64)]
    seen, acted = (jnp.asarray(np.concatenate(each, axis=1)) for each in zip(*runs, strict=True))

    def update(state: Any, _: None) -> tuple[Any, jax.Array]:
        return SEGMENTS.learn(state, seen, acted)

    begun = SEGMENTS.init(KEY, 1, 1)
    return jax.jit(lambda: jax.lax.scan(update, begun, None, length=150))()


def test_cuts_fall_exactly_on_the_switches_of_two_deterministic_skills(learned: Any) -> None:
    state, losses = learned
    assert float(losses[-1]) < float(losses[0]) - 0.5
    cuts = jax.jit(SEGMENTS.cuts)(state, *map(jnp.asarray, made(SWITCHES)))
    assert tuple(np.flatnonzero(cuts[:, 0])) == SWITCHES


def test_no_gap_is_met_by_infinity_and_any_by_minus_infinity(learned: Any) -> None:
    run = tuple(map(jnp.asarray, made(SWITCHES)))
    never, always = (replace(SEGMENTS, gap=gap) for gap in (np.inf, -np.inf))
    assert int(jax.jit(never.cuts)(learned[0], *run).sum()) == 0
    # two decisions apart at least
    assert np.flatnonzero(jax.jit(always.cuts)(learned[0], *run)[:, 0]).tolist() == list(range(1, 28, 2))
    known = jnp.zeros((28, 1), bool).at[9].set(True)
    assert np.flatnonzero(never.cuts(learned[0], *run, known)).tolist() == [9]


def test_every_step_knows_where_its_segment_ends() -> None:
    cuts = jnp.zeros((6, 2), bool).at[2, 0].set(True).at[5, 0].set(True)
    assert ends(cuts)[:, 0].tolist() == [1, 1, 4, 4, 4, 5]
    assert ends(cuts)[:, 1].tolist() == [5] * 6


def test_agreement_is_one_for_the_same_cuts_and_counts_both_kinds_of_miss() -> None:
    changes = jnp.zeros((30, 1), bool).at[jnp.array([5, 20])].set(True)
    assert float(agreement(changes, changes, 3)) == pytest.approx(1.0)
    assert float(agreement(jnp.roll(changes, 3, axis=0), changes, 3)) == pytest.approx(1.0)
    assert float(agreement(jnp.roll(changes, 4, axis=0), changes, 3)) == pytest.approx(0.0)
    # one of two found, and one of two right: precision and recall of a half
    half = jnp.zeros((30, 1), bool).at[jnp.array([5, 12])].set(True)
    assert float(agreement(half, changes, 3)) == pytest.approx(0.5)


def test_a_bad_distance_is_named() -> None:
    with pytest.raises(ValueError, match="apart"):
        Segments(apart=0).init(KEY, 1, 1)
