"""Rooms in a row: an episode worked out by hand, shortest ways, and what each part of a task changes."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.worlds import KeyRooms, stream
from umwelt.worlds.key_rooms import KeyRoomsBody, Stages, task

WORLD = KeyRooms(rooms=2, batch=64, time_limit=40)
UP, DOWN, LEFT, RIGHT = range(4)


def walked(body: KeyRoomsBody, asked: Any, *actions: int) -> tuple[KeyRoomsBody, list[tuple[int, list[int], float]]]:
    """The body, and after each action the stage, the place and the reward."""
    found = []
    for action in actions:
        body, reward, ended = WORLD.advance(jax.random.key(0), body, jnp.int32(action), asked)
        assert bool(ended) == (float(reward) > 0)
        seen = jnp.asarray(WORLD.observe(body, asked))[None]
        found.append((int(WORLD.achieved(seen)[0]), body.place.tolist(), float(reward)))
    return body, found


def placed(keys: Any, doors: Any, place: Any) -> KeyRoomsBody:
    return KeyRoomsBody(
        room=jnp.int32(0),
        place=jnp.array(place, jnp.int32),
        holds=jnp.zeros((), bool),
        keys=jnp.array(keys, jnp.int32),
        doors=jnp.array(doors, jnp.int32),
    )


@jax.jit
def steered(asked: Any, key: jax.Array) -> Any:
    """What the expert does from a fresh start: the first body, and kind, reward and stage of each step."""
    state, step = WORLD.init(key, asked)

    def tick(held: Any, key: jax.Array) -> Any:
        state, step = held
        action = WORLD.expert(key, step.observation, asked)
        state, next = WORLD.step(key, state, action, asked)
        return (state, next), (next.kind, next.reward, WORLD.achieved(next.observation))

    return state.body, jax.lax.scan(tick, (state, step), jax.random.split(key, WORLD.time_limit))[1]


def rows(**changes: int) -> Any:
    return stream.rows(task(**{"start": 0, "goal": 4, **changes}), WORLD.batch)


def test_it_keeps_the_contract() -> None:
    umwelt.check.world(replace(WORLD, batch=2, time_limit=8), steps=20).raise_if_broken()


def test_a_room_is_passed_by_its_door_and_with_its_key() -> None:
    body = placed(keys=[[1, 1], [3, 0], [0, 0]], doors=[0, 3, 0], place=[0, 3])
    asked = task(0, 4)
    body, found = walked(body, asked, RIGHT, UP, DOWN, LEFT, LEFT)
    assert found == [(0, [0, 3], 0.0), (0, [0, 3], 0.0), (0, [1, 3], 0.0), (0, [1, 2], 0.0), (1, [1, 1], 0.0)]
    body, found = walked(body, asked, UP, RIGHT, RIGHT, RIGHT)
    assert found[-1] == (2, [0, 0], 0.0), "the door leads to the next room, and the key stays behind"
    body, found = walked(body, asked, LEFT, DOWN, DOWN, DOWN, RIGHT, RIGHT, RIGHT, RIGHT)
    assert [stage for stage, _, _ in found] == [2, 2, 2, 3, 3, 3, 3, 4]
    assert found[-1] == (4, [3, 0], 1.0)


def test_what_is_seen_is_relative_and_coarse() -> None:
    body = placed(keys=[[3, 1], [0, 0], [0, 0]], doors=[1, 0, 0], place=[0, 2])
    seen = np.asarray(WORLD.observe(body, task(0, 4)))
    room, holds, key, door = np.split(seen, [3, 4, 14])
    assert room.tolist() == [1, 0, 0]
    assert holds.tolist() == [0]
    # ranges -2, -1, 0, 1, 2: three rows below is seen as two, one column to the left as one
    assert key.reshape(2, 5).tolist() == [[0, 0, 0, 0, 1], [0, 1, 0, 0, 0]]
    assert door.reshape(2, 5).tolist() == [[0, 0, 0, 1, 0], [0, 0, 0, 0, 1]]
    held = np.asarray(WORLD.observe(replace(body, holds=jnp.ones((), bool)), task(0, 4)))
    assert not held[4:14].any(), "a key in hand is not seen in the room"
    assert Stages(rooms=2)(jnp.stack([seen, held])).tolist() == [[False] * 4, [True, False, False, False]]


def test_the_expert_takes_the_shortest_way() -> None:
    body, (kind, reward, _) = steered(rows(), jax.random.key(1))
    body = jax.tree.map(np.asarray, body)
    first = np.abs(body.place - body.keys[:, 0]).sum(1)
    # the key lies where one stands: it is taken with the first move, which may lead away and back
    second = np.stack([body.doors[:, 0], np.zeros(64, int)], 1)
    ways = first + _to_door(body.keys[:, 0], body.doors[:, 0]) + np.abs(second - body.keys[:, 1]).sum(1)
    ways = ways + _to_door(body.keys[:, 1], body.doors[:, 1])
    lengths = np.argmax(np.asarray(kind) == 2, axis=0) + 1
    apart = first > 0
    assert apart.sum() > 40
    assert np.array_equal(lengths[apart], ways[apart])
    assert np.all(np.asarray(reward).sum(0) >= 1.0)


def _to_door(place: np.ndarray, door: np.ndarray) -> np.ndarray:
    return np.abs(place[:, 0] - door) + WORLD.size - place[:, 1]


@pytest.mark.parametrize("start", [1, 2, 4])
def test_an_episode_begins_and_ends_at_the_stages_of_its_task(start: int) -> None:
    body, (kind, reward, stages) = steered(rows(start=start, goal=max(3, start)), jax.random.key(2))
    assert set(np.asarray(2 * body.room + body.holds).tolist()) == {start}
    ends = np.asarray(kind) == 2
    assert set(np.asarray(stages)[ends].tolist()) == {max(3, start)}
    assert np.array_equal(np.asarray(reward), ends.astype(np.float32))
    assert not ends.all()
    assert ends[0].all() == (start == 4), "an episode that begins at the goal ends after one decision"


def test_an_impossible_task_lacks_the_last_key_on_the_way() -> None:
    _, (kind, reward, stages) = steered(rows(lacks=1), jax.random.key(3))
    assert not np.asarray(reward).any()
    assert int(np.max(stages)) == 2
    assert set(np.asarray(kind).ravel().tolist()) <= {0, 1, 3}
    assert np.asarray(steered(rows(lacks=1, goal=2), jax.random.key(3))[0].keys)[:, 0].max() == -1


def test_a_layout_that_is_named_is_the_same_in_every_row_and_episode() -> None:
    first, second = (steered(rows(layout=7), jax.random.key(seed))[0] for seed in (4, 5))
    assert len(np.unique(np.asarray(first.keys), axis=0)) == 1
    assert np.array_equal(first.keys, second.keys)
    assert np.array_equal(first.doors, second.doors)
    assert not np.array_equal(first.place, second.place)
    drawn = steered(rows(), jax.random.key(4))[0]
    assert len(np.unique(np.asarray(drawn.keys), axis=0)) > 30
    other = steered(rows(layout=8), jax.random.key(4))[0]
    assert not np.array_equal(first.keys, other.keys)
