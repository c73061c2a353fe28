"""Simulate a planar arm of a few links among discs, with joint limits, that passes through what it should not touch."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream
from umwelt.worlds.sketch import Strokes, drawing, strokes

DISCS = np.array([[0.55, 0.35], [-0.1, 0.6], [0.6, -0.45]], np.float32)
"""Middles of the discs, in lengths of the arm."""
RADIUS = 0.12
"""Of each disc."""
LIMIT = 2.4
"""The largest angle of a joint, in radians."""
MARGIN = 0.05
"""The distance below which a constraint is active."""
SKIN = 0.003
"""The distance that the guard keeps, so that a step's curvature crosses no edge."""
SAMPLES = 3
"""Points of each link that must stay outside of the discs."""


@struct
class LinksTask:
    """goal: float32 [2], where the end is wanted."""

    goal: Any


@struct
class LinksBody:
    """angles: float32 [J], of each joint."""

    angles: jax.Array


@part
class Links:
    """Bring the end of the arm to a place; every step pays minus its distance. Nothing stops the arm at a disc.

    `guard` keeps an action from leading into a disc or beyond a joint's limit, whatever is asked for.

    >>> links = Links()
    >>> float(links.clearance(jnp.zeros((1, 4)))[0]) > 0  # stretched out along x it touches nothing
    True
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 60
    """Decisions after which an episode is truncated."""
    joints: int = 4
    """Links of equal length, 1 in all."""
    stride: float = 0.06
    """Radians of a joint at action 1."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        turned = Box(shape=(self.joints,), low=-np.pi, high=np.pi)
        action = Box(shape=(self.joints,), low=-1.0, high=1.0)
        goal = LinksTask(goal=Box(shape=(2,), low=-1.0, high=1.0))
        return WorldSpec(name="links", observation=turned, action=action, task=goal, batch=self.batch)

    def tasks(self) -> dict[str, LinksTask]:
        """Named tasks: a place between two discs, one behind a disc, one in the open and one behind the base."""
        goals = {"between": [0.25, 0.7], "behind": [0.75, 0.5], "open": [0.2, -0.7], "back": [-0.6, 0.3]}
        return {name: stream.numbers(LinksTask(goal=np.array(goal))) for name, goal in goals.items()}

    def begin(self, key: jax.Array, task: LinksTask) -> LinksBody:
        """Nearly stretched out along x."""
        return LinksBody(angles=0.05 * jax.random.uniform(key, (self.joints,), minval=-1.0))

    def advance(
        self, key: jax.Array, body: LinksBody, action: jax.Array, task: LinksTask
    ) -> tuple[LinksBody, jax.Array, jax.Array]:
        """Turn every joint."""
        angles = jnp.clip(body.angles + self.stride * jnp.clip(action, -1.0, 1.0), -np.pi, np.pi)
        return LinksBody(angles=angles), -_apart(self.end(angles), jnp.asarray(task.goal)), jnp.bool_(False)

    def observe(self, body: LinksBody, task: LinksTask) -> jax.Array:
        """float32 [J]: the angles."""
        return body.angles

    def observation_names(self) -> tuple[str, ...]:
        """What each number is called."""
        return tuple(f"joint {joint + 1}" for joint in range(self.joints))

    def body(self, observation: jax.Array, task: Any = None) -> LinksBody:
        """The body that one observation shows, whatever the task."""
        return LinksBody(angles=observation)

    def end(self, angles: jax.Array) -> jax.Array:
        """Where the arm ends, float32 [..., 2]."""
        return self.points(angles)[..., -1, :]

    def position(self, observation: jax.Array) -> jax.Array:
        """Where the arm ends, float32 [N, 2]."""
        return self.end(observation)

    def achieved(self, observation: jax.Array) -> LinksTask:
        """Where the arm of each row ends, as a task [N]."""
        return LinksTask(goal=self.end(observation))

    def clearance(self, observation: jax.Array) -> jax.Array:
        """The smallest distance of each row [N] from a disc or a limit, negative inside: float32 [N]."""
        return jnp.min(jax.vmap(self._distances)(observation), axis=-1)

    def guard(self, observation: jax.Array, action: jax.Array) -> jax.Array:
        """Actions [N] that no step leads into a disc or beyond a limit.

        Near a constraint its demand stands above the wish: what of the wish approaches it is taken out, and the rest goes on
        along it. What remains is shortened where it would still come too near to any.
        """
        return jax.vmap(self._guarded)(observation, jnp.clip(action, -1.0, 1.0))

    def reward(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]; `task` is the default where it is None."""
        return -_apart(self.end(next_observation), stream.default(self, task, observation.shape[0]).goal)

    def continues(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode continues: 1."""
        return jnp.ones(observation.shape[0], jnp.float32)

    def init(self, key: jax.Array, task: LinksTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: LinksTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)

    def _guarded(self, angles: jax.Array, action: jax.Array) -> jax.Array:
        """The allowed action [J] of one row."""
        distance, slope = self._distances(angles), self.stride * jax.jacobian(self._distances)(angles)
        active = jnp.zeros(distance.shape, bool)
        wish = action
        for _ in range(self.joints):
            # a constraint that was met once stays active, so that taking out one demand does not break another
            active = active | ((distance < MARGIN) & (slope @ wish < -1e-6))
            met = jnp.where(active[:, None], slope, 0.0)
            free = jnp.eye(self.joints) - jnp.linalg.pinv(met, rtol=1e-4) @ met
            wish = jnp.where(jnp.any(active), free @ action, action)
        wish = wish / jnp.maximum(jnp.max(jnp.abs(wish)), 1.0)
        left, nearer = jnp.maximum(distance - SKIN, 0.0), -(slope @ wish)
        share = jnp.min(jnp.where(nearer > 1e-9, left / jnp.maximum(nearer, 1e-9), 1.0))
        return jnp.clip(jnp.minimum(share, 1.0) * wish, -1.0, 1.0)

    def points(self, angles: jax.Array) -> jax.Array:
        """Points along the links, float32 [..., J * SAMPLES, 2]; the last is the end."""
        turned = jnp.cumsum(angles, axis=-1)
        links = jnp.stack([jnp.cos(turned), jnp.sin(turned)], axis=-1) / self.joints
        ends = jnp.cumsum(links, axis=-2)
        shares = jnp.arange(1, SAMPLES + 1) / SAMPLES
        along = (ends - links)[..., :, None, :] + shares[:, None] * links[..., :, None, :]
        return along.reshape(*along.shape[:-3], -1, 2)

    def _distances(self, angles: jax.Array) -> jax.Array:
        """Of one row: every point from every disc, and every joint from its limits; float32 [K]."""
        from_discs = _apart(self.points(angles)[:, None], jnp.asarray(DISCS)) - RADIUS
        return jnp.concatenate([from_discs.reshape(-1), LIMIT - angles, LIMIT + angles])


def _apart(one: jax.Array, other: jax.Array) -> jax.Array:
    return jnp.sqrt(jnp.sum((one - other) ** 2, axis=-1) + 1e-12)


@drawing.register
def _(world: Links, body: LinksBody, task: LinksTask) -> Strokes:
    def at(place: Any) -> tuple[Any, Any]:
        return 0.5 + 0.45 * place[0], 0.5 - 0.45 * place[1]

    ends = world.points(body.angles)[SAMPLES - 1 :: SAMPLES]
    joints = [jnp.zeros(2), *(ends[link] for link in range(world.joints))]
    discs = [(*at(disc), *at(disc), 0.45 * RADIUS, 0.35) for disc in DISCS]
    goal = (*at(task.goal), *at(task.goal), 0.02, 0.6)
    return strokes(*discs, goal, *((*at(one), *at(other), 0.02, 1.0) for one, other in itertools.pairwise(joints)))
