"""Beacons: on the shortest way each subgoal is paid once and in order, and some lie where they mean nothing."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.core import Moment
from umwelt.curiosity import Beacons
from umwelt.curiosity.beacons import halves
from umwelt.worlds import KeyRooms, stream
from umwelt.worlds.key_rooms import Stages

KEY = jax.random.key(3)
WORLD = KeyRooms(rooms=2, batch=8, time_limit=40)


def moment(now: Any, after: Any, weight: Any = None) -> Moment:
    now, after = jnp.asarray(now, jnp.float32), jnp.asarray(after, jnp.float32)
    weight = jnp.ones(after.shape[0]) if weight is None else jnp.asarray(weight, jnp.float32)
    return Moment(now=now, after=after, done=now[:, :1], weight=weight, surprise=weight)


@partial(jax.jit, static_argnums=0)
def guided(signal: Beacons, key: jax.Array) -> Any:
    """Along the expert's ways: the stage after each step, the bonus, and whether a step leads on."""
    task = stream.rows(WORLD.tasks()["whole"], WORLD.batch)

    def tick(held: Any, key: jax.Array) -> Any:
        state, step, paying = held
        state, next = WORLD.step(key, state, WORLD.expert(key, step.observation, task), task)
        here = moment(step.observation, next.observation, ~step.last)
        paying = signal.begin(paying, step.first)
        bonus = jnp.where(step.last, 0.0, signal.bonus(key, paying, here))
        return (state, next, signal.learn(key, paying, here)[0]), (WORLD.achieved(next.observation), bonus, next.first)

    state, step = WORLD.init(key, task)
    paying = signal.init(key, step.observation.shape[1], 4, WORLD.batch)
    return jax.lax.scan(tick, (state, step, paying), jax.random.split(key, 60))[1]


@pytest.mark.parametrize("signal", [Beacons(suggest=Stages(rooms=1)), Beacons(suggest=halves, wrong=0.5), Beacons()])
def test_it_keeps_the_contract_of_signals(signal: Beacons) -> None:
    check.curiosity(signal, depth="values" if signal.wrong else "shapes").raise_if_broken()


def test_each_subgoal_of_the_shortest_way_is_paid_once_and_in_order() -> None:
    stages, paid, begins = map(np.asarray, guided(Beacons(suggest=Stages(rooms=2), pays=0.2), KEY))
    for row in range(WORLD.batch):
        ends = np.flatnonzero(begins[:, row])
        assert len(ends) >= 2
        for start, stop in zip([0, *(ends[:-1] + 1)], ends, strict=True):
            bonus = paid[start:stop, row]
            rises = np.diff(stages[start:stop, row], prepend=0)
            assert np.allclose(bonus, 0.2 * rises), "a bonus comes where the stage rises, and nowhere else"
            assert bonus.sum() == pytest.approx(0.8), "four subgoals, and less than the reward of 1"


def test_what_holds_already_where_an_episode_begins_is_not_paid() -> None:
    signal = Beacons(suggest=halves, pays=1.0)
    state = signal.init(KEY, 3, 1, 1)
    assert signal.bonus(KEY, state, moment([[1, 0, 0]], [[1, 1, 0]])).tolist() == [1.0]
    state, _ = signal.learn(KEY, state, moment([[1, 0, 0]], [[1, 1, 0]], [0.0]))
    assert signal.bonus(KEY, state, moment([[1, 0, 0]], [[1, 1, 0]])).tolist() == [1.0], "a row without weight is not paid"
    state, _ = signal.learn(KEY, state, moment([[1, 0, 0]], [[1, 1, 0]]))
    assert signal.bonus(KEY, state, moment([[0, 0, 0]], [[0, 1, 0]])).tolist() == [0.0], "once in an episode"
    state = signal.begin(state, jnp.ones(1, bool))
    assert signal.bonus(KEY, state, moment([[0, 0, 0]], [[0, 1, 0]])).tolist() == [1.0], "and once in the next"


def test_the_share_of_misplaced_subgoals_is_that_which_was_asked_for() -> None:
    signal = Beacons(suggest=halves, wrong=0.3)
    places = np.asarray(signal.init(KEY, 10, 1, 400).places)
    share = float(np.mean(places > 0))
    assert abs(share - 0.3) < 4 * (0.3 * 0.7 / places.size) ** 0.5
    assert np.all(Beacons(suggest=halves).init(KEY, 10, 1, 400).places == 0)
    # a misplaced beacon stands at one observation in eight, whatever the subgoal says
    misled = Beacons(suggest=halves, pays=1.0, wrong=1.0)
    looks = (np.random.default_rng(0).random((4000, 12)) > 0.5).astype(np.float32)
    state = misled.init(KEY, 12, 1, 4000)
    found = np.asarray(misled.bonus(KEY, state, moment(np.zeros_like(looks), looks))) / 12
    assert float(found.mean()) == pytest.approx(0.125 * 0.875, abs=0.02)
    with pytest.raises(ValueError, match="wrong=2"):
        Beacons(wrong=2.0).init(KEY, 2, 1, 1)
