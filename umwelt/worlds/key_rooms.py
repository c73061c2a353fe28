"""Simulate rooms in a row, each with a key and a door: the number of rooms is a dial of difficulty.

Only the end of the way pays, unless each key and door is to. What is seen is relative: in which direction the key and the
door of the present room lie, and whether they are near. So a policy for one room serves in all, and a reward behind many
doors is still hard to find.

A *stage* counts what was achieved: stage 1 is the first key in hand, stage 2 the first door passed, stage 3 the next key.
Episodes begin at one stage and end at another, both named by the task.
"""

from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream

MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1))
"""What the actions add to row and column: up, down, left, right."""
RANGES = (-2, -1, 0, 1, 2)
"""What is seen of a distance along one axis; two cells and more look the same."""
LAYOUTS = 1000
"""The highest number of a layout that a task can name."""


@struct
class KeyRoomsTask:
    """start, goal: int32, stages. lacks: int32, 1 where the last key on the way is missing. layout: int32, which one; 0 draws
    other keys and doors in each episode."""

    start: Any
    goal: Any
    lacks: Any
    layout: Any


@struct
class KeyRoomsBody:
    """room: int32. place: int32 [2], row and column in the room. holds: bool, its key is held. keys: int32 [rooms + 1, 2], their
    places. doors: int32 [rooms + 1], the rows of the doors in the right walls."""

    room: jax.Array
    place: jax.Array
    holds: jax.Array
    keys: jax.Array
    doors: jax.Array


@part
class Stages:
    """What an observation of `KeyRooms` has achieved, entry by entry; for parts that read flat observations.

    >>> world = KeyRooms(rooms=2, batch=1)
    >>> seen = world.init(jax.random.key(0), stream.rows(world.tasks()["to_3"], 1))[1].observation
    >>> Stages(rooms=2)(seen).astype(int).tolist()  # no key, no door
    [[0, 0, 0, 0]]
    """

    rooms: int = 4
    """Rooms of the world."""

    def __call__(self, features: jax.Array) -> jax.Array:
        """Say of features [N, F] which of the stages 1, 2 ... are reached: bool [N, 2 rooms]."""
        return stage(features, self.rooms)[:, None] > jnp.arange(2 * self.rooms)


@part
class KeyRooms:
    """Pass rooms in a row, each through its door and with its key.

    >>> world = KeyRooms(rooms=3, batch=1)
    >>> list(world.tasks())[:3]
    ['whole', 'to_1', 'to_2']
    >>> state, step = world.init(jax.random.key(0), stream.rows(world.tasks()["whole"], 1))
    >>> int(world.achieved(step.observation)[0])
    0
    """

    rooms: int = 4
    """Rooms before the goal."""
    batch: int = 16
    """Episodes in parallel."""
    time_limit: int = 120
    """Decisions after which an episode is truncated."""
    size: int = 4
    """Cells of a side of each room."""
    pays: Literal["goal", "stages"] = "goal"
    """Pay 1 at the goal alone, or all stages alike, 1 for the whole way together."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        if self.rooms < 1 or self.size < 2:
            raise ValueError(f"rooms={self.rooms}, size={self.size}: give at least one room of two cells a side")
        if self.pays not in ("goal", "stages"):
            raise ValueError(f"pays={self.pays!r}: KeyRooms pays the 'goal' or all 'stages'")
        stages, choice = Discrete(n=2 * self.rooms + 1), Discrete(n=2)
        return WorldSpec(
            name="key_rooms",
            observation=Box(shape=(self.rooms + 2 + 4 * len(RANGES),), low=0, high=1, dtype="uint8"),
            action=Discrete(n=len(MOVES)),
            task=KeyRoomsTask(start=stages, goal=stages, lacks=choice, layout=Box(shape=(), low=0, high=LAYOUTS, dtype="int32")),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, KeyRoomsTask]:
        """Named tasks: the whole way, then the way to each stage before its end."""
        end = 2 * self.rooms
        return {"whole": task(0, end), **{f"to_{goal}": task(0, goal) for goal in range(1, end)}}

    def begin(self, key: jax.Array, task: KeyRoomsTask) -> KeyRoomsBody:
        """Draw keys and doors, and stand anywhere in the room of the first stage."""
        standing, laying = jax.random.split(key)
        laying = jnp.where(task.layout > 0, jax.random.key_data(jax.random.key(task.layout)), jax.random.key_data(laying))
        for_keys, for_doors = jax.random.split(jax.random.wrap_key_data(laying))
        rooms = jnp.arange(self.rooms + 1)
        missing = (task.lacks == 1) & (rooms == (task.goal - 1) // 2)
        keys = jax.random.randint(for_keys, (self.rooms + 1, 2), 0, self.size)
        return KeyRoomsBody(
            room=(task.start // 2).astype(jnp.int32),
            place=jax.random.randint(standing, (2,), 0, self.size),
            holds=task.start % 2 == 1,
            keys=jnp.where(missing[:, None], -1, keys),
            doors=jax.random.randint(for_doors, (self.rooms + 1,), 0, self.size),
        )

    def advance(
        self, key: jax.Array, body: KeyRoomsBody, action: jax.Array, task: KeyRoomsTask
    ) -> tuple[KeyRoomsBody, jax.Array, jax.Array]:
        """Move by one cell. A key is taken up by stepping on it, and a door passed by stepping into it with the key in hand.
        The goal ends the episode."""
        there = body.place + jnp.asarray(MOVES, jnp.int32)[action]
        at_door = (there[1] == self.size) & (there[0] == body.doors[body.room])
        passes = at_door & body.holds & (body.room < self.rooms)
        inside = jnp.clip(there, 0, self.size - 1)
        room = body.room + passes.astype(jnp.int32)
        place = jnp.where(passes, jnp.stack([there[0], jnp.int32(0)]), inside)
        holds = (body.holds & ~passes) | (jnp.all(place == body.keys[room]) & (room < self.rooms))
        after = KeyRoomsBody(room=room, place=place, holds=holds, keys=body.keys, doors=body.doors)
        before, now = 2 * body.room + body.holds, 2 * room + holds
        return after, self._paid(before, now, task.goal), now >= task.goal

    def observe(self, body: KeyRoomsBody, task: KeyRoomsTask) -> jax.Array:
        """uint8 [rooms + 22]: which room, whether its key is held, and along each axis how far key and door are. The bits of
        a key in hand, or of none, are zeros."""
        key, door = body.keys[body.room], jnp.stack([body.doors[body.room], jnp.int32(self.size)])
        lies = ~body.holds & (key[0] >= 0) & (body.room < self.rooms)
        parts = (
            jnp.arange(self.rooms + 1) == body.room,
            body.holds[None],
            _ranged(key - body.place) & lies,
            _ranged(door - body.place) & (body.room < self.rooms),
        )
        return jnp.concatenate(parts).astype(jnp.uint8)

    def achieved(self, observation: jax.Array) -> jax.Array:
        """The stage of each row, int32 [N], as a task's `goal` is."""
        return stage(observation, self.rooms)

    def reward(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]; `task` is the default where it is None."""
        goal = stream.default(self, task, observation.shape[0]).goal
        return self._paid(self.achieved(observation), self.achieved(next_observation), goal)

    def continues(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode continues: 0 at the goal."""
        goal = stream.default(self, task, observation.shape[0]).goal
        return (self.achieved(next_observation) < goal).astype(jnp.float32)

    def _paid(self, before: jax.Array, after: jax.Array, goal: jax.Array) -> jax.Array:
        """The reward, float32, of going from one stage to another."""
        if self.pays == "goal":
            return (after >= goal).astype(jnp.float32)
        return (after - before).astype(jnp.float32) / (2 * self.rooms)

    def expert(self, key: jax.Array, observation: jax.Array, task: Any = None) -> jax.Array:
        """Actions [N]: towards the key until it is held, then towards the door, rows first; at random where neither is seen."""
        del task
        width = 2 * len(RANGES)
        key_bits, door_bits = observation[:, -2 * width : -width], observation[:, -width:]
        holds = observation[:, self.rooms + 1] > 0
        bits = jnp.where(holds[:, None], door_bits, key_bits)
        down, right = (_read(each) for each in jnp.split(bits, 2, axis=1))
        chosen = jnp.where(down != 0, jnp.where(down > 0, 1, 0), jnp.where(right > 0, 3, 2))
        anything = jax.random.randint(key, chosen.shape, 0, len(MOVES))
        return jnp.where((down == 0) & (right == 0), anything, chosen).astype(jnp.int32)

    def init(self, key: jax.Array, task: KeyRoomsTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: KeyRoomsTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


def task(start: int, goal: int, lacks: int = 0, layout: int = 0) -> KeyRoomsTask:
    """Make a task of one row: the way from one stage to another."""
    return KeyRoomsTask(start=np.int32(start), goal=np.int32(goal), lacks=np.int32(lacks), layout=np.int32(layout))


def stage(observation: jax.Array, rooms: int) -> jax.Array:
    """Read the stage off observations [N, F]: int32 [N]."""
    room = jnp.argmax(observation[:, : rooms + 1], axis=1)
    return (2 * room + (observation[:, rooms + 1] > 0)).astype(jnp.int32)


def _ranged(difference: jax.Array) -> jax.Array:
    """A difference int32 [2] as bits, the row's and then the column's: bool [2 x ranges]."""
    near = jnp.clip(difference, RANGES[0], RANGES[-1])
    return (near[:, None] == jnp.asarray(RANGES)).ravel()


def _read(bits: jax.Array) -> jax.Array:
    """The differences [N] that bits [N, ranges] stand for; 0 where none is set."""
    return bits.astype(jnp.int32) @ jnp.asarray(RANGES, jnp.int32)
