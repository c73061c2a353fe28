"""Filtered tasks against a table of trial results that is made by hand."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.core import Discrete, Feedback
from umwelt.teachers import Filtered, Sampled
from umwelt.worlds.key_room_advice import Universe

KEY = jax.random.key(9)
SPACE = Discrete(n=20)
TEACHER = Filtered(teacher=Sampled(), rows=2, trials=4, slots=8, easy=0.9, hard=0.1)
ROWS = 5
tell = jax.jit(TEACHER.tell)


@partial(jax.jit, static_argnums=2)
def ask(key: jax.Array, state: Any, n: int) -> Any:
    return TEACHER.ask(key, state, n)


def heard(state: Any, tasks: Any, won: list[bool], finished: list[bool] | None = None) -> Any:
    ones = jnp.ones(ROWS)
    ends = ones > 0 if finished is None else jnp.asarray(finished)
    returns = jnp.asarray(won, jnp.float32)
    feedback = Feedback(finished=ends, returns=returns, length=ones.astype(jnp.int32), surprise=ones, doubt=ones)
    return tell(KEY, state, tasks, feedback)


def test_it_keeps_the_contract_of_teachers() -> None:
    check.teacher(TEACHER).raise_if_broken()
    check.teacher(Sampled(), SPACE, {}, depth="shapes").raise_if_broken()


def test_a_task_passes_by_the_table_of_its_trials() -> None:
    wins = np.arange(5)
    passes = TEACHER.fits(jnp.asarray(wins), jnp.full(5, 4))
    assert np.asarray(passes).tolist() == [False, True, True, True, False], "neither never nor always"
    strict = Filtered(teacher=Sampled(), easy=0.7, hard=0.3)
    assert np.asarray(strict.fits(jnp.asarray(wins), jnp.full(5, 4))).tolist() == [False, False, True, False, False]


def test_only_tasks_that_passed_reach_the_other_rows() -> None:
    state = TEACHER.init(KEY, SPACE, {})
    first, second = np.asarray(state.tried).tolist()
    state, tasks = ask(KEY, state, ROWS)
    assert tasks[:2].tolist() == [first, second]
    # the first is won in two trials of four, the second in all
    for trial in range(4):
        assert int(state.filled) == 0
        state = heard(state, tasks, [trial < 2, True, True, True, True])
    assert int(state.filled) == 1
    assert int(state.kept[0]) == first
    state, tasks = ask(jax.random.fold_in(KEY, 1), state, ROWS)
    assert tasks[2:].tolist() == [first] * 3
    assert state.plays.tolist() == [0, 0], "other proposals are on trial"


def test_what_is_no_trial_does_not_count() -> None:
    state, tasks = ask(KEY, TEACHER.init(KEY, SPACE, {}), ROWS)
    state = heard(state, tasks, [True] * 5, finished=[False, True, True, True, True])
    assert state.plays.tolist() == [0, 1]
    state = heard(state, (tasks + 1) % 20, [True] * 5)
    assert state.plays.tolist() == [0, 1], "the row still ends an episode of another task"


def test_the_oldest_task_leaves_where_no_room_is_left() -> None:
    state, passed = TEACHER.init(KEY, SPACE, {}), []
    for number in range(6):
        state, tasks = ask(jax.random.fold_in(KEY, number), state, ROWS)
        passed += tasks[:2].tolist()
        for trial in range(4):
            state = heard(state, tasks, [trial == 0] * 5)
    assert int(state.filled) == 8
    assert sorted(state.kept.tolist()) == sorted(passed[-8:])


def test_the_universe_of_rooms_is_a_third_trivial_and_a_third_impossible() -> None:
    tasks = Universe(rooms=4)(KEY, 6000, None)
    trivial, lacks = np.asarray(tasks.start >= tasks.goal), np.asarray(tasks.lacks) == 1
    assert abs(trivial.mean() - 1 / 3) < 0.03
    assert abs(lacks.mean() - 1 / 3) < 0.03
    assert not (trivial & lacks).any()
    assert set(np.asarray(tasks.goal).tolist()) == {2, 4, 6, 8}


def test_bad_settings_are_named() -> None:
    with pytest.raises(ValueError, match="hard below easy"):
        Filtered(teacher=Sampled(), easy=0.1, hard=0.5).init(KEY, SPACE, {})
    with pytest.raises(ValueError, match="trials=0"):
        Filtered(teacher=Sampled(), trials=0).init(KEY, SPACE, {})
