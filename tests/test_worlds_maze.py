"""The point maze: no action leads through a wall."""

import itertools
from collections import deque

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from umwelt.core import FIRST, MID, TERMINATED, TRUNCATED
from umwelt.worlds import PointMaze, stream
from umwelt.worlds.point_maze import FOUR_ROOMS, MazeTask

WORLD = PointMaze()
STEPS = 120
DOORS = st.lists(st.booleans(), min_size=4, max_size=4)


def within_reach(layout, doors):
    """The cells (row, column) to which a flood from the start flows, a step at a time through the four sides."""
    free = {
        (row, column)
        for row, line in enumerate(layout)
        for column, mark in enumerate(line)
        if mark in ".S" or (mark in "ABCD" and doors["ABCD".index(mark)])
    }
    start = next((row, line.index("S")) for row, line in enumerate(layout) if "S" in line)
    reached, front = {start}, deque([start])
    while front:
        row, column = front.popleft()
        for cell in ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)):
            if cell in free and cell not in reached:
                reached.add(cell)
                front.append(cell)
    return reached


@jax.jit
def places(key, actions, task):
    """float32 [T, 2]: where the point goes, with ends ignored."""

    def move(body, action):
        body, _, _ = WORLD.advance(key, body, action, task)
        return body, body.position

    return jax.lax.scan(move, WORLD.begin(key, task), actions)[1]


def task_of(doors, goal=(7.5, 7.5)):
    return MazeTask(doors=jnp.asarray(np.array(doors, np.float32)), goal=jnp.asarray(np.array(goal, np.float32)))


@settings(max_examples=60, deadline=None)
@given(doors=DOORS, seed=st.integers(0, 2**31 - 1), hold=st.integers(1, 40), strength=st.floats(0.1, 3.0))
def test_the_point_stays_where_water_would_flow(doors, seed, hold, strength):
    """Pushes that last for `hold` steps each, so that walls, corners and doors are run into at full speed."""
    random = np.random.default_rng(seed)
    pushes = random.uniform(-strength, strength, (STEPS // hold + 1, 2)).repeat(hold, 0)[:STEPS]
    path = np.asarray(places(jax.random.key(seed), jnp.asarray(pushes, jnp.float32), task_of(doors)))
    reach = within_reach(FOUR_ROOMS, doors)
    cells = [(int(y), int(x)) for x, y in np.floor(path)]
    assert set(cells) <= reach
    for (row, column), (next_row, next_column) in itertools.pairwise(cells):
        assert (row, next_column) in reach, "it went around a corner through the wall"
        assert abs(row - next_row) <= 1
        assert abs(column - next_column) <= 1


def follow(doors, waypoints, world=WORLD):
    """Steer from waypoint to waypoint; the kinds and rewards that were met."""
    state, step = world.init(jax.random.key(0), stream.rows(task_of(doors), 1))
    kinds, rewards, targets = [], [], list(waypoints)
    move = jax.jit(world.step)
    for _ in range(world.time_limit):
        place, speed = step.observation[:, :2], step.observation[:, 2:]
        if len(targets) > 1 and np.abs(np.asarray(place)[0] - targets[0]).max() < 0.2:
            targets.pop(0)
        action = jnp.clip(2.0 * (jnp.array(targets[0]) - place) - 0.3 * speed, -1.0, 1.0)
        state, step = move(jax.random.key(1), state, action, stream.rows(task_of(doors), 1))
        kinds.append(int(step.kind[0]))
        rewards.append(float(step.reward[0]))
        if kinds[-1] >= TERMINATED:
            break
    return kinds, rewards


EAST = [(2.5, 2.5), (6.5, 2.5), (6.5, 6.5), (7.5, 7.5)]


def test_an_open_door_lets_through_and_a_shut_one_does_not():
    kinds, rewards = follow([1, 0, 1, 0], EAST)
    assert kinds[-1] == TERMINATED
    assert sum(rewards) == rewards[-1] == 1.0
    kinds, rewards = follow([1, 1, 0, 1], EAST)
    assert TERMINATED not in kinds
    assert sum(rewards) == 0.0


def test_the_dense_reward_is_the_distance():
    world = PointMaze(dense=True)
    state, step = world.init(jax.random.key(0), stream.rows(task_of([1, 1, 1, 1], (4.0, 5.0)), 1))
    assert int(step.kind[0]) == FIRST
    _, step = world.step(jax.random.key(1), state, jnp.zeros((1, 2)), stream.rows(task_of([1, 1, 1, 1]), 1))
    x, y = (float(value) for value in step.observation[0, :2])
    assert float(step.reward[0]) == pytest.approx(-np.hypot(x - 4.0, y - 5.0), rel=1e-5)


def test_a_map_without_a_border_is_closed_all_the_same():
    world = PointMaze(layout=("S.", ".."))
    body = world.begin(jax.random.key(0), None)
    task = MazeTask(doors=jnp.zeros(0), goal=jnp.array([9.0, 9.0]))
    for action in ([1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]):
        for _ in range(20):
            body, _, _ = world.advance(jax.random.key(0), body, jnp.array(action), task)
        assert float(body.position.min()) >= 0.0
        assert float(body.position.max()) < 2.0


def test_every_named_goal_can_be_reached():
    for name, task in WORLD.tasks().items():
        column, row = np.floor(task.goal).astype(int)
        assert (row, column) in within_reach(FOUR_ROOMS, task.doors > 0.5), name


def test_a_goal_that_does_not_end_the_episode_is_held_until_it_is_cut_off():
    task = stream.rows(task_of([1, 1, 1, 1], (1.5, 1.5)), 1)

    def kinds(world):
        state, _ = world.init(jax.random.key(0), task)
        found = []
        for _ in range(4):
            state, step = world.step(jax.random.key(1), state, jnp.zeros((1, 2)), task)
            found.append(int(step.kind[0]))
        return found

    assert kinds(PointMaze(time_limit=4, dense=True))[0] == TERMINATED, "the point is born at its goal"
    assert kinds(PointMaze(time_limit=4, dense=True, ends=False)) == [MID, MID, MID, TRUNCATED]


def test_given_goals_are_the_tasks():
    tasks = PointMaze(goals=(("near", 2.5, 1.5), ("low", 1.5, 7.5))).tasks()
    assert list(tasks) == ["near", "low"]
    np.testing.assert_array_equal(tasks["low"].goal, [1.5, 7.5])
    assert all(np.all(task.doors == 1) for task in tasks.values())
