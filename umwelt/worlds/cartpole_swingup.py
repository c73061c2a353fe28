"""Simulate the pole that hangs from a cart and is to be swung up."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream
from umwelt.worlds.cartpole import CartpoleBody


@struct
class SwingupTask:
    """gravity: m/s2. length: half the pole, m. mass: of the pole, kg. force: N at action 1, negative
    where the motor is reversed. goal: where the cart is to stand, m. All float32 []."""

    gravity: Any
    length: Any
    mass: Any
    force: Any
    goal: Any


def _task(gravity: float = 9.81, length: float = 0.5, mass: float = 0.1, force: float = 10.0, goal: float = 0.0) -> SwingupTask:
    return stream.numbers(SwingupTask(gravity=gravity, length=length, mass=mass, force=force, goal=goal))


@part
class CartpoleSwingup:
    """Swing up a hanging pole by moving its cart, and balance it at the goal (continuous force).

    >>> upright = jnp.array([[0.0, 0.0, 1.0, 0.0, 0.0]])
    >>> round(float(CartpoleSwingup().reward(upright, jnp.zeros((1, 1)), upright)[0]), 2)
    1.0
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 200
    """Decisions after which an episode is truncated."""
    dt: float = 0.04
    """Seconds that one decision lasts."""
    substeps: int = 4
    """Steps of the simulation in one decision."""
    cart_mass: float = 1.0
    """The mass of the cart, in kilograms."""
    track: float = 2.4
    """Metres from 0 at which a springy wall begins to push the cart back."""
    stiffness: float = 400.0
    """Newtons per metre of the wall."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        high = (np.inf, np.inf, 1.0, 1.0, np.inf)
        return WorldSpec(
            name="cartpole_swingup",
            observation=Box(shape=(5,), low=tuple(-edge for edge in high), high=high),
            action=Box(shape=(1,), low=-1.0, high=1.0),
            task=SwingupTask(
                gravity=Box(low=5.0, high=15.0),
                length=Box(low=0.25, high=1.0),
                mass=Box(low=0.05, high=0.5),
                force=Box(low=-15.0, high=15.0),
                goal=Box(low=-1.5, high=1.5),
            ),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, SwingupTask]:
        """Named tasks."""
        return {
            "centre": _task(),
            "left": _task(goal=-1.5),
            "right": _task(goal=1.5),
            "long": _task(length=0.75),
            "heavy": _task(mass=0.5),
            "reversed": _task(force=-10.0),
        }

    def begin(self, key: jax.Array, task: SwingupTask) -> CartpoleBody:
        """Hanging, nearly at rest, near 0."""
        position, speed, angle, turn = jax.random.uniform(key, (4,), minval=-0.05, maxval=0.05)
        return CartpoleBody(position=position, speed=speed, angle=angle + np.float32(np.pi), turn=turn)

    def advance(
        self, key: jax.Array, body: CartpoleBody, action: jax.Array, task: SwingupTask
    ) -> tuple[CartpoleBody, jax.Array, jax.Array]:
        """`substeps` semi-implicit Euler steps. No episode terminates."""
        force = task.force * jnp.clip(action[0], -1.0, 1.0)
        for _ in range(self.substeps):
            body = self._move(body, force, task)
        return body, self._score(self.observe(body, task), action, task.goal), jnp.bool_(False)

    def _move(self, body: CartpoleBody, force: jax.Array, task: SwingupTask) -> CartpoleBody:
        """The classic cart-pole equations of 1983 without friction, and the wall's push."""
        dt, total, lever = self.dt / self.substeps, self.cart_mass + task.mass, task.mass * task.length
        sine, cosine = jnp.sin(body.angle), jnp.cos(body.angle)
        wall = self.stiffness * (jnp.clip(body.position, -self.track, self.track) - body.position)
        thrust = (force + wall + lever * body.turn**2 * sine) / total
        turning = (task.gravity * sine - cosine * thrust) / (task.length * (4.0 / 3.0 - task.mass * cosine**2 / total))
        speed = body.speed + dt * (thrust - lever * turning * cosine / total)
        turn = body.turn + dt * turning
        return CartpoleBody(position=body.position + dt * speed, speed=speed, angle=body.angle + dt * turn, turn=turn)

    def observe(self, body: CartpoleBody, task: SwingupTask) -> jax.Array:
        """float32 [5]: the cart's position and speed, cosine and sine of the angle from upright, its speed."""
        return jnp.stack([body.position, body.speed, jnp.cos(body.angle), jnp.sin(body.angle), body.turn])

    def _score(self, seen: jax.Array, action: jax.Array, goal: jax.Array) -> jax.Array:
        """The product that the DeepMind control suite uses, of smooth factors: upright, centred, calm, gentle."""
        upright = (1.0 + seen[..., 2]) / 2.0
        centred = (1.0 + jnp.exp(-((seen[..., 0] - goal) ** 2))) / 2.0
        calm = (1.0 + jnp.exp(-((seen[..., 4] / 5.0) ** 2))) / 2.0
        gentle = 1.0 - 0.1 * jnp.clip(action[..., 0], -1.0, 1.0) ** 2
        return upright * centred * calm * gentle

    def observation_names(self) -> tuple[str, ...]:
        """What each number is called."""
        return ("position", "speed", "cos angle", "sin angle", "turning speed")

    def body(self, observation: jax.Array, task: Any = None) -> CartpoleBody:
        """The body that one observation shows, whatever the task."""
        position, speed, cosine, sine, turn = observation
        return CartpoleBody(position=position, speed=speed, angle=jnp.arctan2(sine, cosine), turn=turn)

    def reward(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The reward float32 [N], in [0, 1], of a transition of rows [N]; `task` is the default where it is None."""
        return self._score(next_observation, action, stream.default(self, task, observation.shape[0]).goal)

    def continues(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode continues: 1."""
        return jnp.ones(observation.shape[0], jnp.float32)

    def achieved(self, observation: jax.Array) -> jax.Array:
        """Where the cart of each row is, float32 [N], as a task's `goal` is."""
        return observation[:, 0]

    def expert(self, key: jax.Array, observation: jax.Array, task: Any = None) -> jax.Array:
        """Actions [N]: pump energy until the pole is nearly upright, then balance it by linear feedback.

        Both choose the acceleration of the cart; the force follows from the equations of motion.
        """
        given = stream.default(self, task, observation.shape[0])
        position, speed, cosine, sine, turn = observation.T
        angle, apart, lever = jnp.arctan2(sine, cosine), position - given.goal, given.mass * given.length
        energy = 2.0 / 3.0 * given.length * turn**2 / given.gravity + cosine - 1.0
        swing = 8.0 * energy * jnp.sign(turn * cosine) - apart - speed
        swing = jnp.where((jnp.abs(turn) < 0.1) & (cosine < -0.9), 5.0, swing)
        balance = 40.0 * angle + 9.0 * jnp.sqrt(2.0 * given.length) * turn + 1.5 * apart + 3.0 * speed
        near = (cosine > 0.8) & (jnp.abs(angle + 0.2 * turn) < 0.6)
        push = jnp.where(near, balance, swing)
        turning = (given.gravity * sine - cosine * push) / (4.0 / 3.0 * given.length)
        force = (self.cart_mass + given.mass) * push - lever * (turn**2 * sine - turning * cosine)
        motor = jnp.where(jnp.abs(given.force) < 1e-3, 1e-3, given.force)
        return jnp.clip(force / motor, -1.0, 1.0)[:, None]

    def init(self, key: jax.Array, task: SwingupTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: SwingupTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)
