"""Simulate the two-link robot that is driven only at its elbow."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream


@struct
class AcrobotTask:
    """gravity: m/s2. length: of the upper link, m. mass: of the lower link, kg. torque: N m of one
    push, negative where the pushes are swapped. goal: the height above the hinge that the tip is to
    pass, m. All float32 []."""

    gravity: Any
    length: Any
    mass: Any
    torque: Any
    goal: Any


@struct
class AcrobotBody:
    """angles: float32 [2], radians; the upper link from hanging, the lower from the upper. speeds: float32 [2]."""

    angles: jax.Array
    speeds: jax.Array


def _task(gravity: float = 9.8, length: float = 1.0, mass: float = 1.0, torque: float = 1.0, goal: float = 1.0) -> AcrobotTask:
    return stream.numbers(AcrobotTask(gravity=gravity, length=length, mass=mass, torque=torque, goal=goal))


@part
class Acrobot:
    """Swing the tip of a two-link robot above a line by driving its elbow (Gymnasium's Acrobot-v1).

    >>> hanging = jnp.array([[1.0, 0.0, 1.0, 0.0, 0.0, 0.0]])
    >>> float(Acrobot().reward(hanging, jnp.zeros(1, int), hanging)[0])
    -1.0
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 500
    """Decisions after which an episode is truncated."""
    dt: float = 0.2
    """Seconds that one decision lasts."""
    inertia: float = 1.0
    """The moment of inertia of each link."""
    max_speeds: tuple[float, float] = (4.0 * np.pi, 9.0 * np.pi)
    """Radians per second at which the two speeds are clipped."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        high = (1.0, 1.0, 1.0, 1.0, *self.max_speeds)
        return WorldSpec(
            name="acrobot",
            observation=Box(shape=(6,), low=tuple(-edge for edge in high), high=high),
            action=Discrete(n=3),
            task=AcrobotTask(
                gravity=Box(low=1.0, high=15.0),
                length=Box(low=0.5, high=1.5),
                mass=Box(low=0.5, high=2.0),
                torque=Box(low=-2.0, high=2.0),
                goal=Box(low=-1.0, high=1.5),
            ),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, AcrobotTask]:
        """Named tasks."""
        return {
            "earth": _task(),
            "mars": _task(gravity=3.71),
            "short": _task(length=0.75),
            "heavy": _task(mass=1.5),
            "mirrored": _task(torque=-1.0),
            "low": _task(goal=0.0),
        }

    def begin(self, key: jax.Array, task: AcrobotTask) -> AcrobotBody:
        """Hanging, nearly at rest."""
        drawn = jax.random.uniform(key, (4,), minval=-0.1, maxval=0.1)
        return AcrobotBody(angles=drawn[:2], speeds=drawn[2:])

    def advance(
        self, key: jax.Array, body: AcrobotBody, action: jax.Array, task: AcrobotTask
    ) -> tuple[AcrobotBody, jax.Array, jax.Array]:
        """One Runge-Kutta step of fourth order; the reward is -1 until the tip passes the goal."""
        torque = (action - 1).astype(task.torque.dtype) * task.torque
        angles, speeds = self._integrate(body.angles, body.speeds, torque, task)
        limits = jnp.asarray(self.max_speeds, speeds.dtype)
        angles = (angles + np.pi) % (2.0 * np.pi) - np.pi
        moved = AcrobotBody(angles=angles, speeds=jnp.clip(speeds, -limits, limits))
        reached = self._reached(self.observe(moved, task), task)
        return moved, jnp.where(reached, 0.0, -1.0), reached

    def _integrate(
        self, angles: jax.Array, speeds: jax.Array, torque: jax.Array, task: AcrobotTask
    ) -> tuple[jax.Array, jax.Array]:
        dt = self.dt
        pull1 = self._accelerate(angles, speeds, torque, task)
        speeds2 = speeds + dt / 2.0 * pull1
        pull2 = self._accelerate(angles + dt / 2.0 * speeds, speeds2, torque, task)
        speeds3 = speeds + dt / 2.0 * pull2
        pull3 = self._accelerate(angles + dt / 2.0 * speeds2, speeds3, torque, task)
        speeds4 = speeds + dt * pull3
        pull4 = self._accelerate(angles + dt * speeds3, speeds4, torque, task)
        angles = angles + dt / 6.0 * (speeds + 2.0 * speeds2 + 2.0 * speeds3 + speeds4)
        return angles, speeds + dt / 6.0 * (pull1 + 2.0 * pull2 + 2.0 * pull3 + pull4)

    def _accelerate(self, angles: jax.Array, speeds: jax.Array, torque: jax.Array, task: AcrobotTask) -> jax.Array:
        """The equations of the reinforcement learning textbook, which have a term that the 1996 paper lacks: [2]."""
        first, second = angles
        cosine, sine = jnp.cos(second), jnp.sin(second)
        own, other = task.length / 2.0, 0.5
        lever = task.mass * task.length * other
        d1 = own**2 + task.mass * (task.length**2 + other**2) + 2.0 * lever * cosine + 2.0 * self.inertia
        d2 = task.mass * other**2 + lever * cosine + self.inertia
        phi2 = task.mass * other * task.gravity * jnp.sin(first + second)
        phi1 = (
            -lever * speeds[1] ** 2 * sine
            - 2.0 * lever * speeds[1] * speeds[0] * sine
            + (own + task.mass * task.length) * task.gravity * jnp.sin(first)
            + phi2
        )
        elbow = (torque + d2 / d1 * phi1 - lever * speeds[0] ** 2 * sine - phi2) / (
            task.mass * other**2 + self.inertia - d2**2 / d1
        )
        return jnp.stack([-(d2 * elbow + phi1) / d1, elbow])

    def observe(self, body: AcrobotBody, task: AcrobotTask) -> jax.Array:
        """float32 [6]: cosine and sine of each angle, then the two speeds."""
        first, second = body.angles
        return jnp.stack([jnp.cos(first), jnp.sin(first), jnp.cos(second), jnp.sin(second), *body.speeds])

    def observation_names(self) -> tuple[str, ...]:
        """What each number is called."""
        return ("cos angle 1", "sin angle 1", "cos angle 2", "sin angle 2", "speed 1", "speed 2")

    def body(self, observation: jax.Array, task: Any = None) -> AcrobotBody:
        """The body that one observation shows, whatever the task."""
        angles = jnp.arctan2(observation[jnp.array([1, 3])], observation[jnp.array([0, 2])])
        return AcrobotBody(angles=angles, speeds=observation[4:])

    def reward(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]; `task` is the default where it is None."""
        given = stream.default(self, task, observation.shape[0])
        return jnp.where(self._reached(next_observation, given), 0.0, -1.0)

    def continues(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode continues: 0 where the tip has passed the goal."""
        given = stream.default(self, task, observation.shape[0])
        return 1.0 - self._reached(next_observation, given).astype(jnp.float32)

    def expert(self, key: jax.Array, observation: jax.Array, task: Any = None) -> jax.Array:
        """Actions [N]: push the elbow against the swing of the upper link, which pumps energy."""
        against = jnp.where(observation[:, 4] < 0.0, 2, 0).astype(jnp.int32)
        return jnp.where(stream.default(self, task, observation.shape[0]).torque < 0.0, 2 - against, against)

    def _reached(self, seen: jax.Array, task: AcrobotTask) -> jax.Array:
        c1, s1, c2, s2 = (seen[..., index] for index in range(4))
        return -task.length * c1 - (c1 * c2 - s1 * s2) > task.goal

    def init(self, key: jax.Array, task: AcrobotTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: AcrobotTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)
