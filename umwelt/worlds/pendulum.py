"""Simulate the torque-limited pendulum."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream

STIFF, DAMPED = 25.0, 10.0
"""Feedback of the expert, in radians per second squared for each radian, and for each radian per second."""


@struct
class PendulumTask:
    """gravity: m/s2. length: m. mass: kg. goal: the angle to hold, in radians from upright. friction: the share of its
    speed that is lost per second. motor: what a torque is multiplied by; -1 is wired the wrong way round. delay: the
    share of a decision by which its torque comes late. All float32 []."""

    gravity: Any
    length: Any
    mass: Any
    goal: Any
    friction: Any
    motor: Any
    delay: Any


@struct
class PendulumBody:
    """angle: radians from upright, not wrapped. speed: radians per second. torque: the last one. float32 []."""

    angle: jax.Array
    speed: jax.Array
    torque: jax.Array


def _task(**changed: float) -> PendulumTask:
    usual = {"gravity": 10.0, "length": 1.0, "mass": 1.0, "goal": 0.0, "friction": 0.0, "motor": 1.0, "delay": 0.0}
    return stream.numbers(PendulumTask(**(usual | changed)))


@part
class Pendulum:
    """Swing a pendulum up to the goal angle with a motor too weak to lift it (Gymnasium's Pendulum-v1).

    >>> hanging = jnp.array([[-1.0, 0.0, 0.0]])
    >>> round(float(Pendulum().reward(hanging, jnp.zeros((1, 1)), hanging)[0]), 2)  # minus the square of pi
    -9.87
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 200
    """Decisions after which an episode is truncated."""
    dt: float = 0.05
    """Seconds that one decision lasts."""
    max_speed: float = 8.0
    """Radians per second at which the speed is clipped."""
    max_torque: float = 2.0
    """The strongest torque of the motor, in newton metres."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        return WorldSpec(
            name="pendulum",
            observation=Box(shape=(3,), low=(-1.0, -1.0, -self.max_speed), high=(1.0, 1.0, self.max_speed)),
            action=Box(shape=(1,), low=-self.max_torque, high=self.max_torque),
            task=PendulumTask(
                gravity=Box(low=1.0, high=25.0),
                length=Box(low=0.5, high=2.5),
                mass=Box(low=0.25, high=2.0),
                goal=Box(low=-np.pi, high=np.pi),
                friction=Box(low=0.0, high=1.0),
                motor=Box(low=-1.0, high=1.0),
                delay=Box(low=0.0, high=1.0),
            ),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, PendulumTask]:
        """Named tasks. Each can be held by the motor, and reached below `max_speed`."""
        return {
            "earth": _task(),
            "moon": _task(gravity=1.62),
            "jupiter": _task(gravity=24.79, length=2.5, mass=0.4),
            "long": _task(length=1.5),
            "heavy": _task(mass=2.0),
            "lean": _task(gravity=1.62, goal=1.0),
            "hang": _task(goal=float(np.pi)),
            "mirrored": _task(motor=-1.0),
            "rough": _task(friction=0.3),
            "late": _task(delay=1.0),
        }

    def begin(self, key: jax.Array, task: PendulumTask) -> PendulumBody:
        """Anywhere on the circle, at up to 1 radian per second."""
        angle, speed = jax.random.uniform(key, (2,), minval=-1.0) * jnp.array([np.pi, 1.0], jnp.float32)
        return PendulumBody(angle=angle, speed=speed, torque=jnp.zeros_like(angle))

    def advance(
        self, key: jax.Array, body: PendulumBody, action: jax.Array, task: PendulumTask
    ) -> tuple[PendulumBody, jax.Array, jax.Array]:
        """One semi-implicit Euler step; the reward is of the angle before it, as in Gymnasium."""
        torque = jnp.clip(action[0], -self.max_torque, self.max_torque)
        cost = _wrap(body.angle - task.goal) ** 2 + 0.1 * body.speed**2 + 0.001 * torque**2
        pull = 3.0 * task.gravity / (2.0 * task.length) * jnp.sin(body.angle)
        felt = task.motor * (task.delay * body.torque + (1.0 - task.delay) * torque)
        push = 3.0 / (task.mass * task.length**2) * felt - task.friction * body.speed
        speed = jnp.clip(body.speed + (pull + push) * self.dt, -self.max_speed, self.max_speed)
        return PendulumBody(angle=body.angle + speed * self.dt, speed=speed, torque=torque), -cost, jnp.bool_(False)

    def observe(self, body: PendulumBody, task: PendulumTask) -> jax.Array:
        """float32 [3]: cosine and sine of the angle from upright, and the speed."""
        return jnp.stack([jnp.cos(body.angle), jnp.sin(body.angle), body.speed])

    def observation_names(self) -> tuple[str, ...]:
        """What each number is called."""
        return ("cos angle", "sin angle", "speed")

    def body(self, observation: jax.Array, task: PendulumTask) -> PendulumBody:
        """The body that one observation shows. It does not show the last torque: that is 0 where the motor has no delay,
        for it has no effect then, and NaN where it has one."""
        angle = jnp.arctan2(observation[1], observation[0])
        unseen = jnp.where(jnp.asarray(task.delay) > 0.0, jnp.nan, 0.0).astype(angle.dtype)
        return PendulumBody(angle=angle, speed=observation[2], torque=unseen)

    def reward(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]; `task` [N] or [] is the default task where it is None."""
        goal = stream.default(self, task, observation.shape[0]).goal
        angle = jnp.arctan2(observation[:, 1], observation[:, 0])
        torque = jnp.clip(action[:, 0], -self.max_torque, self.max_torque)
        return -(_wrap(angle - goal) ** 2 + 0.1 * observation[:, 2] ** 2 + 0.001 * torque**2)

    def continues(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode continues: 1."""
        return jnp.ones(observation.shape[0], jnp.float32)

    def achieved(self, observation: jax.Array) -> jax.Array:
        """The angle of each row, float32 [N], as a task's `goal` is."""
        return jnp.arctan2(observation[:, 1], observation[:, 0])

    def expert(self, key: jax.Array, observation: jax.Array, task: Any = None) -> jax.Array:
        """Actions [N]: pump energy until the goal is near, then hold it by linear feedback.

        Where the motor is strong enough to lift the pendulum everywhere, feedback alone is used.
        """
        given = stream.default(self, task, observation.shape[0])
        angle, speed = jnp.arctan2(observation[:, 1], observation[:, 0]), observation[:, 2]
        inertia, weight = given.mass * given.length**2 / 3.0, given.mass * given.gravity * given.length / 2.0
        apart = _wrap(angle - given.goal)
        held = inertia * (-STIFF * apart - DAMPED * speed) - weight * jnp.sin(angle)
        energy = inertia * speed**2 / 2.0 + weight * (jnp.cos(angle) - jnp.cos(given.goal))
        pumped = self.max_torque * jnp.where(energy < 0.0, 1.0, -1.0) * jnp.where(speed < 0.0, -1.0, 1.0)
        motor = jnp.where(jnp.abs(given.motor) < 1e-3, 1e-3, given.motor)
        strongest = self.max_torque * jnp.abs(motor)
        near = (jnp.abs(held) < strongest) | (weight < 0.9 * strongest)
        torque = jnp.where(near, held / motor, pumped * jnp.sign(motor))
        return jnp.clip(torque, -self.max_torque, self.max_torque)[:, None]

    def init(self, key: jax.Array, task: PendulumTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: PendulumTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


def _wrap(angle: jax.Array) -> jax.Array:
    return (angle + np.pi) % (2.0 * np.pi) - np.pi
