"""Simulate the pole on a cart that is pushed left or right."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream


@struct
class CartpoleTask:
    """gravity: m/s2. length: half the pole, m. mass: of the pole, kg. force: of one push, N, negative
    where the two pushes are swapped. goal: m, the middle of the track that the cart may not leave,
    which begins near 0. All float32 []."""

    gravity: Any
    length: Any
    mass: Any
    force: Any
    goal: Any


@struct
class CartpoleBody:
    """position: m. speed: m/s. angle: radians from upright. turn: radians per second. float32 []."""

    position: jax.Array
    speed: jax.Array
    angle: jax.Array
    turn: jax.Array


def _task(gravity: float = 9.8, length: float = 0.5, mass: float = 0.1, force: float = 10.0, goal: float = 0.0) -> CartpoleTask:
    return stream.numbers(CartpoleTask(gravity=gravity, length=length, mass=mass, force=force, goal=goal))


@part
class Cartpole:
    """Keep a pole upright on a cart that is pushed left or right (Gymnasium's CartPole-v1).

    >>> beside = jnp.array([[2.5, 0.0, 0.0, 0.0]])  # the track ends at 2.4
    >>> float(Cartpole().continues(beside, jnp.zeros(1, int), beside)[0])
    0.0
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 500
    """Decisions after which an episode is truncated."""
    dt: float = 0.02
    """Seconds that one decision lasts."""
    cart_mass: float = 1.0
    """The mass of the cart, in kilograms."""
    track: float = 2.4
    """Metres from the goal at which the cart leaves the track and the episode terminates."""
    tilt: float = float(np.radians(12.0))
    """Radians from upright at which the pole has fallen and the episode terminates."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        high = (2.0 * self.track, np.inf, 2.0 * self.tilt, np.inf)
        return WorldSpec(
            name="cartpole",
            observation=Box(shape=(4,), low=tuple(-edge for edge in high), high=high),
            action=Discrete(n=2),
            task=CartpoleTask(
                gravity=Box(low=1.0, high=25.0),
                length=Box(low=0.25, high=1.5),
                mass=Box(low=0.05, high=0.5),
                force=Box(low=-15.0, high=15.0),
                goal=Box(low=-2.0, high=2.0),
            ),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, CartpoleTask]:
        """Named tasks."""
        return {
            "earth": _task(),
            "moon": _task(gravity=1.62),
            "long": _task(length=1.5),
            "heavy": _task(mass=0.5),
            "mirrored": _task(force=-10.0),
            "left": _task(goal=-2.0),
            "right": _task(goal=2.0),
        }

    def begin(self, key: jax.Array, task: CartpoleTask) -> CartpoleBody:
        """Nearly upright and nearly at rest, near 0."""
        position, speed, angle, turn = jax.random.uniform(key, (4,), minval=-0.05, maxval=0.05)
        return CartpoleBody(position=position, speed=speed, angle=angle, turn=turn)

    def advance(
        self, key: jax.Array, body: CartpoleBody, action: jax.Array, task: CartpoleTask
    ) -> tuple[CartpoleBody, jax.Array, jax.Array]:
        """One explicit Euler step, as in Gymnasium. The reward is always 1."""
        force = jnp.where(action == 1, task.force, -task.force)
        sine, cosine = jnp.sin(body.angle), jnp.cos(body.angle)
        total, lever = self.cart_mass + task.mass, task.mass * task.length
        thrust = (force + lever * body.turn**2 * sine) / total
        turning = (task.gravity * sine - cosine * thrust) / (task.length * (4.0 / 3.0 - task.mass * cosine**2 / total))
        moved = CartpoleBody(
            position=body.position + self.dt * body.speed,
            speed=body.speed + self.dt * (thrust - lever * turning * cosine / total),
            angle=body.angle + self.dt * body.turn,
            turn=body.turn + self.dt * turning,
        )
        return moved, jnp.ones_like(body.position), self._fallen(moved.position, moved.angle, task.goal)

    def observe(self, body: CartpoleBody, task: CartpoleTask) -> jax.Array:
        """float32 [4]: the cart's position and speed, the pole's angle and its speed."""
        return jnp.stack([body.position, body.speed, body.angle, body.turn])

    def observation_names(self) -> tuple[str, ...]:
        """What each number is called."""
        return ("position", "speed", "angle", "turning speed")

    def body(self, observation: jax.Array, task: Any = None) -> CartpoleBody:
        """The body that one observation shows, whatever the task."""
        position, speed, angle, turn = observation
        return CartpoleBody(position=position, speed=speed, angle=angle, turn=turn)

    def reward(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]: 1, whatever the task."""
        return jnp.ones(observation.shape[0], jnp.float32)

    def continues(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode continues: 0 where the pole has fallen or the cart left."""
        goal = stream.default(self, task, observation.shape[0]).goal
        return 1.0 - self._fallen(next_observation[:, 0], next_observation[:, 2], goal).astype(jnp.float32)

    def expert(self, key: jax.Array, observation: jax.Array, task: Any = None) -> jax.Array:
        """Actions [N] by linear feedback: lean the pole towards the goal, and hold that lean."""
        given = stream.default(self, task, observation.shape[0])
        position, speed, angle, turn = observation.T
        lean = jnp.clip(0.05 * (position - given.goal) + 0.1 * speed, -0.1, 0.1)
        right = (angle + lean) + 0.3 * jnp.sqrt(2.0 * given.length) * turn > 0.0
        return jnp.where(given.force < 0.0, ~right, right).astype(jnp.int32)

    def _fallen(self, position: jax.Array, angle: jax.Array, goal: jax.Array) -> jax.Array:
        return (jnp.abs(position - goal) > self.track) | (jnp.abs(angle) > self.tilt)

    def init(self, key: jax.Array, task: CartpoleTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: CartpoleTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)
