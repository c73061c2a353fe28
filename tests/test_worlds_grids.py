"""The three small grids: an episode worked out by hand, and a way through every layout."""

from collections import deque
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.worlds import Grids
from umwelt.worlds.grids import KINDS, MOVES, GridBody, GridTask

WORLD = Grids(batch=2)
UP, DOWN, LEFT, RIGHT = range(4)


def layout(kind, agent, key, gap):
    """A line in column 2 whose cell in row `gap` can be passed."""
    column = np.arange(5)[None, :] == 2
    cell = column & (np.arange(5)[:, None] == gap)
    body = GridBody(
        agent=jnp.array(agent, jnp.int32),
        key=jnp.array(key, jnp.int32),
        line=jnp.asarray(column & ~cell),
        door=jnp.asarray(cell & (kind == "key")),
        holds=jnp.zeros((), bool),
        age=jnp.zeros((), jnp.int32),
    )
    return body, GridTask(kind=np.int32(KINDS.index(kind)))


def walked(body, task, actions):
    """Where the agent is after each action, what it was paid, and whether the episode ended."""
    found = []
    for action in actions:
        body, reward, ended = WORLD.advance(jax.random.key(0), body, jnp.int32(action), task)
        found.append((tuple(np.asarray(body.agent).tolist()), round(float(reward), 6), bool(ended)))
    return body, found


def ways(kind, body):
    """Whether a search by breadth finds a way to the corner, over cells and whether the key is held."""
    line, door, key = np.asarray(body.line), np.asarray(body.door), tuple(np.asarray(body.key).tolist())
    row, column = np.asarray(body.agent).tolist()
    start = (row, column, False)
    reached: set[Any] = {start}
    front: deque[Any] = deque(reached)
    while front:
        row, column, holds = front.popleft()
        for down, right in MOVES:
            cell = (row + down, column + right)
            inside = 0 <= cell[0] < 5 and 0 <= cell[1] < 5
            if not inside or line[cell] or (door[cell] and not holds):
                continue
            state = (*cell, bool(holds or cell == key))
            if state not in reached:
                reached.add(state)
                front.append(state)
    return any(state[:2] == (4, 4) for state in reached)


def test_it_keeps_the_contract() -> None:
    umwelt.check.world(WORLD, steps=120).raise_if_broken()


def test_a_door_opens_to_its_key_alone() -> None:
    body, task = layout("key", agent=(0, 0), key=(1, 0), gap=1)
    shut, found = walked(body, task, [RIGHT, DOWN, RIGHT, LEFT])
    assert [place for place, _, _ in found] == [(0, 1), (1, 1), (1, 1), (1, 0)], "the door stops it, and then it has the key"
    assert bool(shut.holds)
    assert shut.key.tolist() == [-1, -1]
    _, found = walked(shut, task, [LEFT, RIGHT, RIGHT, RIGHT, DOWN, DOWN, DOWN, RIGHT])
    assert [place for place, _, _ in found] == [(1, 0), (1, 1), (1, 2), (1, 3), (2, 3), (3, 3), (4, 3), (4, 4)]
    # the twelfth of thirty decisions
    assert [paid for _, paid, _ in found] == [0.0] * 7 + [0.8]
    assert [ended for _, _, ended in found] == [False] * 7 + [True]


def test_lava_ends_the_episode_and_a_wall_stops() -> None:
    for kind, place, ended in (("lava", (0, 2), True), ("wall", (0, 1), False)):
        body, task = layout(kind, agent=(0, 1), key=(-1, -1), gap=3)
        assert walked(body, task, [RIGHT])[1] == [(place, 0.0, ended)]
        assert walked(body, task, [UP])[1] == [((0, 1), 0.0, False)]


def test_each_thing_is_seen_on_a_plane_of_its_own() -> None:
    body, task = layout("key", agent=(0, 1), key=(3, 0), gap=1)
    seen = np.asarray(WORLD.observe(body, task))
    planes = seen[:-1].reshape(5, 5, 5)
    assert np.argwhere(planes[0]).tolist() == [[0, 1]]
    assert np.argwhere(planes[1]).tolist() == [[0, 2], [2, 2], [3, 2], [4, 2]]
    assert not planes[2].any()
    assert np.argwhere(planes[3]).tolist() == [[1, 2]]
    assert np.argwhere(planes[4]).tolist() == [[3, 0]]
    assert seen[-1] == 0
    body, task = layout("lava", agent=(0, 1), key=(-1, -1), gap=1)
    planes = np.asarray(WORLD.observe(body, task))[:-1].reshape(5, 5, 5)
    assert planes.sum(axis=(1, 2)).tolist() == [1, 0, 4, 0, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_layout_can_be_solved_and_lies_between_agent_and_goal(kind: str) -> None:
    task = WORLD.tasks()[kind]
    bodies = jax.jit(jax.vmap(WORLD.begin, (0, None)))(jax.random.split(jax.random.key(1), 300), task)
    looks = {np.asarray(WORLD.observe(body, task)).tobytes() for body in rows(bodies)}
    assert all(ways(kind, body) for body in rows(bodies))
    assert len(looks) > (250 if kind == "key" else 120), "layouts seldom repeat"
    filled = jax.vmap(lambda body: jnp.sum(body.line) + jnp.sum(body.door))(bodies)
    assert set(np.asarray(filled).tolist()) == {5 if kind == "key" else 4}
    if kind == "key":
        locked = [not ways(kind, without_key(body)) for body in rows(bodies)]
        assert all(locked), "the goal lies behind the door"


def rows(bodies):
    bodies = jax.tree.map(np.asarray, bodies)
    return [jax.tree.map(lambda leaf: leaf[row], bodies) for row in range(300)]  # noqa: B023 - used at once


def without_key(body):
    return replace(body, key=np.array([-1, -1]))


def test_the_expert_comes_through_every_layout_in_time() -> None:
    world = replace(WORLD, batch=64)
    for kind in KINDS:
        task = jax.tree.map(lambda leaf: jnp.broadcast_to(jnp.asarray(leaf), (64, *jnp.shape(leaf))), world.tasks()[kind])

        def tick(held: Any, key: jax.Array, task: Any = task) -> tuple[Any, Any]:
            state, step = held
            state, after = world.step(key, state, world.expert(key, step.observation), task)
            return (state, after), (after.kind, after.reward)

        _, (kinds, rewards) = jax.lax.scan(tick, world.init(jax.random.key(1), task), jax.random.split(jax.random.key(2), 20))
        # every row reaches the goal within twenty decisions, and no way along a key is longer than sixteen
        assert bool(jnp.all(jnp.any(kinds == 2, axis=0)))
        first = jnp.argmax(kinds == 2, axis=0)
        assert bool(jnp.all(jnp.take_along_axis(rewards, first[None], axis=0) > 0.0)), kind
        assert int(first.max()) < 16
