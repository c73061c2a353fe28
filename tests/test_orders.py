"""Orders of lessons and the teachers that follow them."""

from collections import Counter
from itertools import pairwise

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from umwelt import check
from umwelt.teachers import Blocks, Drift
from umwelt.worlds import Pendulum, PointMaze
from umwelt.worlds.orders import cycle, drawn, revisits, shuffled

NAMES = tuple("abcdef")


def test_a_cycle_repeats_and_a_shuffle_holds_each_task_as_often() -> None:
    assert cycle("ab", 2) == ("a", "b", "a", "b")
    order = shuffled(NAMES, 50, seed=3)
    assert Counter(order) == dict.fromkeys(NAMES, 50)
    assert all(one != other for one, other in pairwise(order))
    assert order == shuffled(NAMES, 50, seed=3) != shuffled(NAMES, 50, seed=4)


def test_draws_are_even_and_never_twice_in_a_row() -> None:
    order = drawn(NAMES, 6000, seed=1)
    assert all(one != other for one, other in pairwise(order))
    assert max(abs(count / 1000 - 1) for count in Counter(order).values()) < 0.1
    assert drawn(("a",), 3) == ("a", "a", "a")


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 12), st.integers(0, 60), st.floats(0, 4), st.integers(0, 5))
def test_revisits_bring_every_task_at_an_even_pace(tasks: int, more: int, power: float, seed: int) -> None:
    names = tuple(f"t{index}" for index in range(tasks))
    order = revisits(names, tasks + more, power, seed)
    assert len(order) == tasks + more
    firsts = [order.index(name) for name in names]
    assert firsts == [round(index * (tasks + more) / tasks) for index in range(tasks)]


def test_old_tasks_come_back_ever_more_rarely() -> None:
    def ages(power: float) -> list[int]:
        found = []
        for seed in range(40):
            order = revisits(NAMES, 60, power, seed)
            last: dict[str, int] = {}
            for number, name in enumerate(order):
                if name in last:
                    found.append(number - last[name])
                last[name] = number
        return found

    near, even = Counter(ages(3.0)), Counter(ages(0.0))
    assert near[2] / sum(near.values()) > 0.6 > even[2] / sum(even.values()) > 0.1


def test_bad_orders_name_the_argument() -> None:
    with pytest.raises(ValueError, match="names"):
        cycle((), 2)
    with pytest.raises(ValueError, match="lessons=3"):
        revisits(NAMES, 3)


def test_drift_mixes_its_tasks() -> None:
    check.teacher(Drift(names=("earth", "moon"), steps=7)).raise_if_broken()
    teacher, named = Drift(names=("earth", "moon", "long"), steps=10), Pendulum().tasks()
    state, found = teacher.init(jax.random.key(0), None, named), []
    for _ in range(25):
        state, task = teacher.ask(jax.random.key(0), state, 3)
        assert task.gravity.shape == (3,)
        found.append((float(task.gravity[0]), float(task.length[2])))
    earth, moon = 10.0, 1.62
    assert found[0] == (earth, 1.0)
    np.testing.assert_allclose(found[4], (0.6 * earth + 0.4 * moon, 1.0), rtol=1e-6)
    np.testing.assert_allclose(found[15], (0.5 * moon + 0.5 * earth, 1.25), rtol=1e-6)
    assert found[24] == (earth, 1.5), "the last task stays"


def test_blocks_follow_an_order_by_name() -> None:
    teacher = Blocks(names=cycle(("far", "home"), 2), steps=2)
    state, found = teacher.init(jax.random.key(0), None, PointMaze().tasks()), []
    for _ in range(9):
        state, task = teacher.ask(jax.random.key(0), state, 1)
        found.append(float(task.goal[0, 0]))
    assert found == [7.5, 7.5, 1.5, 1.5, 7.5, 7.5, 1.5, 1.5, 1.5]
