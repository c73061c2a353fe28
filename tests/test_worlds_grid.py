"""The grid of text against walks worked out by hand and a search by breadth, and the deep sea against every sequence."""

import itertools
from collections import deque
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.worlds import DeepSea, Grid
from umwelt.worlds.grid import MOVES, NOWHERE, GridTask

KEY = jax.random.key(0)
UP, DOWN, LEFT, RIGHT = range(4)
HOUSE = ("S.K#", ".#D.", "K#D#", "g#GX")
LOCKED = Grid(batch=2, time_limit=12, layout=HOUSE, television=2, shows="numbers")


def walked(world: Any, task: Any, actions: list[int]) -> tuple[Any, list[Any]]:
    """Where each action leads, (row, column), what it is paid, and whether the episode ends."""
    body, found = world.begin(KEY, task), []
    for action in actions:
        body, reward, ended = world.advance(KEY, body, action, task)
        found.append((tuple(world.cells[int(body.cell)].tolist()), round(float(reward), 3), bool(ended)))
    return body, found


def test_the_grid_keeps_the_contract() -> None:
    umwelt.check.world(LOCKED, steps=20).raise_if_broken()


def test_a_key_opens_one_door_and_letters_pay() -> None:
    task = LOCKED.tasks()["layout"]
    body, found = walked(LOCKED, task, [RIGHT, RIGHT, DOWN, DOWN])
    assert [place for place, _, _ in found] == [(0, 1), (0, 2), (1, 2), (1, 2)], "one key, so the second door stays shut"
    assert body.taken.tolist() == [True, False]
    assert body.opened.tolist() == [True, False]
    body, found = walked(LOCKED, task, [DOWN, DOWN, DOWN, UP, UP, UP, RIGHT, RIGHT, DOWN, DOWN, DOWN])
    assert found[2] == ((3, 0), 0.1, True), "the lure pays, and would have ended the episode"
    assert found[-2:] == [((2, 2), 0.0, False), ((3, 2), 1.0, True)]
    assert body.opened.all()


def test_lava_ends_and_a_goal_of_the_task_pays_beside_the_letters() -> None:
    grid = Grid(layout=("S.X",))
    assert walked(grid, grid.tasks()["layout"], [LEFT, UP, RIGHT, RIGHT])[1] == [
        ((0, 0), 0.0, False),
        ((0, 0), 0.0, False),
        ((0, 1), 0.0, False),
        ((0, 2), 0.0, True),
    ]
    task = GridTask(goal=np.array([1.0, 0.0], np.float32))
    assert walked(grid, task, [RIGHT])[1] == [((0, 1), 1.0, True)]
    assert walked(Grid(layout=("S.X",), ends=False), task, [RIGHT, UP])[1] == [((0, 1), 1.0, False)] * 2


def test_the_four_rooms_have_forty_cells_that_a_search_by_breadth_reaches() -> None:
    grid = Grid()
    assert len(grid.cells) == 40
    steps, around = {0: 0}, grid.neighbours()
    front = deque(steps)
    while front:
        cell = front.popleft()
        for next in around[cell].tolist():
            if next not in steps:
                steps[next] = steps[cell] + 1
                front.append(next)
    assert len(steps) == 40
    # no wall stands in the way of a way of least steps between these corners
    assert steps[39] == 12
    for cell, row in enumerate(around):
        for move, there in zip(MOVES, row, strict=True):
            wanted = tuple((grid.cells[cell] + move).tolist())
            free = grid.layout[wanted[0]][wanted[1]] != "#"
            assert tuple(grid.cells[there].tolist()) == (wanted if free else tuple(grid.cells[cell].tolist()))


@pytest.mark.parametrize("shows", ["cell", "numbers"])
def test_what_is_seen_is_the_cell_that_it_achieves(shows: Any) -> None:
    grid = Grid(layout=HOUSE, shows=shows)
    task = grid.tasks()["layout"]
    bodies = [walked(grid, task, actions)[0] for actions in ([], [RIGHT, RIGHT], [DOWN, DOWN])]
    seen = jnp.stack([grid.observe(body, task) for body in bodies])
    np.testing.assert_array_equal(grid.achieved(seen), [[0, 0], [2, 0], [0, 2]])
    np.testing.assert_allclose(grid.position(seen), [[0.5, 3.5], [2.5, 3.5], [0.5, 1.5]])
    assert seen[:, -4:].tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0]], "two keys, two doors"


def test_the_television_shows_noise_and_nothing_else_changes() -> None:
    task = LOCKED.tasks()["layout"]
    first, second = (LOCKED.advance(jax.random.key(seed), LOCKED.begin(KEY, task), UP, task)[0] for seed in (1, 2))
    one, two = (np.asarray(LOCKED.observe(body, task)) for body in (first, second))
    np.testing.assert_array_equal(one[:-2], two[:-2])
    assert (one[-2:] != two[-2:]).all()


def test_episodes_begin_evenly_at_all_starts() -> None:
    grid = Grid(layout=("S.S", "..."))
    cells = jax.vmap(lambda key: grid.begin(key, None).cell)(jax.random.split(KEY, 400))  # type: ignore[arg-type]
    assert set(np.asarray(cells).tolist()) == {0, 2}
    assert 150 < int(jnp.sum(cells == 0)) < 250


def test_a_layout_that_cannot_be_walked_is_named() -> None:
    with pytest.raises(ValueError, match="no cell is marked S"):
        Grid(layout=("..",)).begin(KEY, Grid().tasks()["far"])
    with pytest.raises(ValueError, match="rows differ in length"):
        Grid(layout=("S.", ".")).spec  # noqa: B018


def test_without_letters_the_default_task_has_a_goal_in_the_far_corner() -> None:
    assert next(iter(Grid().tasks().values())).goal.tolist() == [7, 7]
    assert next(iter(LOCKED.tasks().values())).goal.tolist() == list(NOWHERE)


def test_one_sequence_of_the_deep_sea_is_paid_and_its_values_are_those_of_all_sequences() -> None:
    sea = DeepSea(size=4)
    task = sea.drawn(KEY)
    sequences = jnp.array(list(itertools.product((0, 1), repeat=4)))

    def returned(actions: jax.Array) -> jax.Array:
        body, total = sea.begin(KEY, task), jnp.float32(0.0)
        for action in actions:
            body, reward, _ = sea.advance(KEY, body, action, task)
            total += reward
        return total

    found = np.asarray(jax.jit(jax.vmap(returned))(sequences))
    assert (found > 0.5).sum() == 1
    assert found.max() == pytest.approx(0.99)
    assert found.min() == pytest.approx(-0.0075), "three moves to the right, and none at the end"
    values = np.asarray(sea.values(task))
    for first in (0, 1):
        assert values[0, 0, first] == pytest.approx(found[np.asarray(sequences)[:, 0] == first].max(), abs=1e-6)


def test_the_meaning_of_an_action_depends_on_the_cell() -> None:
    sea = DeepSea(size=6)
    task = sea.tasks()["drawn_1"]
    assert 5 < int(task.swaps.sum()) < 31
    body = sea.begin(KEY, task)
    for _ in range(6):
        right = int(task.swaps[int(body.row), int(body.column)] < 0.5)
        body, reward, ended = sea.advance(KEY, body, right, task)
    assert float(reward) == pytest.approx(1 - 0.01 / 6)
    assert bool(ended)
    assert not sea.observe(body, task).any()
