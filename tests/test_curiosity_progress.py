"""Progress: on a line it is the number of steps, and only what is watched first teaches it."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.core import Moment
from umwelt.curiosity import Progress

KEY = jax.random.key(6)
SIGNAL = Progress(lag=3, ticks=30, units=32, learning_rate=3e-3, batch=64)
ROWS, STEPS = 2, 10


def moment(now: Any, after: Any, weight: Any = 1.0) -> Moment:
    now, after = (jnp.broadcast_to(jnp.asarray(each, jnp.float32), (ROWS,))[:, None] for each in (now, after))
    weight = jnp.broadcast_to(jnp.asarray(weight, jnp.float32), (ROWS,))
    return Moment(now=now, after=after, done=now, weight=weight, surprise=weight)


@jax.jit
def walked(state: Any, key: jax.Array) -> Any:
    """Walk three times along a line of STEPS steps of a tenth, and learn: the state, and the bonus of each step."""

    def tick(state: Any, clock: jax.Array) -> Any:
        place = clock % STEPS
        state = SIGNAL.begin(state, jnp.full(ROWS, place == 0))
        here = moment(place / 10, (place + 1) / 10)
        bonus = SIGNAL.bonus(key, state, here)
        return SIGNAL.learn(jax.random.fold_in(key, clock), state, here)[0], bonus

    return jax.lax.scan(tick, state, jnp.arange(3 * STEPS))


def practised() -> Any:
    """The state after ninety walks."""
    state = SIGNAL.init(KEY, 1, 1, ROWS)
    for number in range(30):
        state, _ = walked(state, jax.random.fold_in(KEY, number))
    return state


learn = jax.jit(SIGNAL.learn)


def test_it_keeps_the_contract_of_signals() -> None:
    check.curiosity(replace(SIGNAL, batch=16, units=8)).raise_if_broken()


def test_on_a_line_it_is_the_time_that_has_passed() -> None:
    state = practised()
    earlier, later = jnp.meshgrid(jnp.linspace(0.1, 1.0, 10), jnp.linspace(0.1, 1.0, 10))
    gap = (later - earlier).ravel() * 10 / 3
    found = SIGNAL.passed(state.network, earlier.ravel()[:, None], later.ravel()[:, None])
    near = jnp.abs(gap) <= 2.0
    assert float(jnp.max(jnp.abs(found - gap)[near])) < 0.15
    bonus = np.asarray(walked(state, KEY)[1])[-STEPS:, 0]
    # from the second step on the start is not among what was watched; the first steps have no past of three
    assert np.allclose(bonus[3:], 1.0, atol=0.15)
    assert np.all(np.diff(bonus[:4]) > 0)


def test_going_back_is_paid_less_than_nothing() -> None:
    state = practised()
    state = SIGNAL.begin(state, jnp.ones(ROWS, bool))
    for place in (8, 7, 6):
        state, _ = learn(KEY, state, moment(place / 10, (place - 1) / 10))
    assert float(SIGNAL.bonus(KEY, state, moment(0.5, 0.4))[0]) == pytest.approx(-1.0, abs=0.2)


def test_pairs_are_of_one_run_and_know_their_time() -> None:
    state, _ = walked(SIGNAL.init(KEY, 1, 1, ROWS), KEY)
    assert int(state.filled) == 30
    assert len(np.unique(np.asarray(state.numbers)[:, 0])) == 3
    earlier, later, gap, weight = map(np.asarray, SIGNAL._pairs(KEY, state))
    kept = weight > 0
    assert 0.3 < kept.mean() < 0.9
    assert np.allclose((later - earlier)[kept, 0] * 10, (gap * SIGNAL.lag)[kept], atol=1e-4)


def test_what_comes_after_the_runs_teaches_it_nothing() -> None:
    state, _ = walked(SIGNAL.init(KEY, 1, 1, ROWS), KEY)
    one, other = (learn(KEY, state, moment(place, place + 1)) for place in (0.0, 50.0))
    assert np.array_equal(one[0].runs, state.runs)
    assert all(np.array_equal(a, b) for a, b in zip(*map(jax.tree.leaves, (one[0].network, other[0].network)), strict=True))
    assert not np.array_equal(one[0].network[0].weight, state.network[0].weight), "it goes on learning from the runs"
    with pytest.raises(ValueError, match="lag=0"):
        replace(SIGNAL, lag=0).init(KEY, 1, 1, 1)
