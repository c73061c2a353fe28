"""A hand that has to lift a thing before it can carry it; going to the end without it is easy."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream

EDGE = 6
"""The last column and row."""
LIFTS = 5
"""Grips in a row that lift the thing."""
SMALL = 0.3
"""How large the thing is beside the hand in what is seen."""
MOVES = np.array([[-1, 0], [1, 0], [0, -1], [0, 1], [0, 0]], np.int32)
"""Left, right, down, up, and the grip."""


@struct
class CarryTask:
    """goal: float32 [2], the cell where the thing is wanted."""

    goal: Any


@struct
class CarryBody:
    """hand, thing: int32 [2], cells. grips: int32 [], those in a row, at most LIFTS; then the thing is carried. age: int32 []."""

    hand: jax.Array
    thing: jax.Array
    grips: jax.Array
    age: jax.Array


@part
class Carry:
    """Fetch a thing from one corner and bring it to another; the last step pays 1 where it is there."""

    batch: int = 1
    time_limit: int = 30

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        return WorldSpec(
            name="carry",
            observation=Box(shape=(5,), low=0.0, high=1.0),
            action=Discrete(n=5),
            task=CarryTask(goal=Box(shape=(2,), low=0.0, high=float(EDGE))),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, CarryTask]:
        """Bring it to the corner above the start."""
        return {"above": stream.numbers(CarryTask(goal=np.array([0, EDGE])))}

    def begin(self, key: jax.Array, task: CarryTask) -> CarryBody:
        """The hand near the lower left corner, and the thing in the lower right one."""
        hand = jax.random.randint(key, (2,), 0, 3)
        return CarryBody(hand=hand, thing=jnp.array([EDGE, 0], jnp.int32), grips=jnp.int32(0), age=jnp.int32(0))

    def advance(
        self, key: jax.Array, body: CarryBody, action: jax.Array, task: CarryTask
    ) -> tuple[CarryBody, jax.Array, jax.Array]:
        """Move, or grip. A thing that is let go before it is lifted lies as before."""
        hand = jnp.clip(body.hand + jnp.asarray(MOVES)[action], 0, EDGE)
        there, carried = jnp.all(body.hand == body.thing), body.grips >= LIFTS
        grips = jnp.where(carried, LIFTS, jnp.where((action == 4) & there, body.grips + 1, 0))
        thing, age = jnp.where(carried, hand, body.thing), body.age + 1
        paid = (age >= self.time_limit) & jnp.all(thing == task.goal)
        return CarryBody(hand=hand, thing=thing, grips=grips, age=age), paid.astype(jnp.float32), jnp.bool_(False)

    def observe(self, body: CarryBody, task: CarryTask) -> jax.Array:
        """float32 [5]: where the hand and the thing are, and how far it is lifted; the last three are small."""
        return jnp.concatenate([body.hand / EDGE, SMALL * body.thing / EDGE, SMALL * body.grips[None] / LIFTS]).astype(
            jnp.float32
        )

    def expert(self, key: jax.Array, observation: jax.Array, task: Any = None) -> jax.Array:
        """To the thing, lift it, to the goal; of two ways at random."""
        goal = stream.default(self, task, observation.shape[0]).goal
        carried = observation[:, 4] > SMALL * (1.0 - 0.5 / LIFTS)
        apart = jnp.where(carried[:, None], goal, observation[:, 2:4] * EDGE / SMALL) - observation[:, :2] * EDGE
        apart = jnp.round(apart).astype(jnp.int32)
        along = jnp.where(apart[:, 0] < 0, 0, 1)
        up = jnp.where(apart[:, 1] < 0, 2, 3)
        either = jnp.where(jax.random.bernoulli(key, 0.5, along.shape), along, up)
        move = jnp.where(apart[:, 0] == 0, up, jnp.where(apart[:, 1] == 0, along, either))
        return jnp.where(jnp.all(apart == 0, axis=1), 4, move).astype(jnp.int32)

    def init(self, key: jax.Array, task: CarryTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: CarryTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)
