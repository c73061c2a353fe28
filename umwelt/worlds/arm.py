"""Simulate a planar arm over a table of things: a button, a door, a puck and a peg, in one scene with one dynamics.

What the arm is to do is a wish. Whatever it is, everything on the table moves by the same laws, so a model that is
learned under one wish is true under all.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream

WISHES = ("button", "open", "close", "puck", "peg", "fetch")
"""Press the button, open the door, close it, push the puck to its mark, bring the peg into its hole, and bring it home."""
BASE = np.array([0.0, 0.0], np.float32)
LENGTHS = (0.6, 0.5)
"""Metres of the two links."""
BUTTON = np.array([0.75, 0.45], np.float32)
"""Where the button is while it is up; it goes down along -y."""
TRAVEL = 0.12
"""How far down the button goes, in metres."""
HINGE = np.array([-0.85, 0.35], np.float32)
DOOR = 0.45
"""Metres from the hinge to the handle."""
WIDEST = 1.4
"""Radians to which the door opens."""
PUCK, MARK = np.array([0.35, -0.55], np.float32), np.array([0.75, -0.35], np.float32)
PEG, HOLE = np.array([-0.4, -0.55], np.float32), np.array([-0.85, -0.3], np.float32)
TOUCH = 0.12
"""Metres from which the tip moves a thing."""
MARGIN = 0.06
"""How near is near enough, in metres."""


@struct
class ArmTask:
    """wish: float32 [6], how much each of WISHES is worth."""

    wish: Any


@struct
class ArmBody:
    """joints: float32 [2], radians. button: float32 [], metres down. door: float32 [], radians open. puck, peg: float32 [2]."""

    joints: jax.Array
    button: jax.Array
    door: jax.Array
    puck: jax.Array
    peg: jax.Array


@part
class Arm:
    """Move a two-link arm over a table, and do with a button, a door, a puck and a peg what is wished (continuous).

    >>> list(Arm().tasks())
    ['button', 'open', 'close', 'puck', 'peg', 'fetch']
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 80
    """Decisions after which an episode is truncated."""
    dt: float = 0.1
    """Seconds that one decision lasts."""
    fastest: float = 1.5
    """Radians per second of a joint at action 1."""
    jitter: float = 0.02
    """The standard deviation, in metres, of where the puck and the peg lie at first."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        reach = sum(LENGTHS)
        high = (1.0,) * 4 + (reach,) * 2 + (TRAVEL, WIDEST) + (2.0,) * 4
        low = tuple(-edge for edge in high[:6]) + (0.0, 0.0) + (-2.0,) * 4
        return WorldSpec(
            name="arm",
            observation=Box(shape=(12,), low=low, high=high),
            action=Box(shape=(3,), low=-1.0, high=1.0),
            task=ArmTask(wish=Box(shape=(len(WISHES),), low=0.0, high=1.0)),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, ArmTask]:
        """One named task for each wish."""
        return {name: stream.numbers(ArmTask(wish=np.eye(len(WISHES))[index])) for index, name in enumerate(WISHES)}

    def begin(self, key: jax.Array, task: ArmTask) -> ArmBody:
        """The arm somewhere above the table, the button up, the door half open, puck and peg about their places."""
        first, second = jax.random.split(key)
        joints = jnp.array([np.pi / 2, 0.0], jnp.float32) + 0.3 * jax.random.uniform(first, (2,), minval=-1.0)
        lies = self.jitter * jax.random.normal(second, (2, 2))
        return ArmBody(
            joints=joints, button=jnp.float32(0.0), door=jnp.float32(WIDEST / 2), puck=lies[0] + PUCK, peg=lies[1] + PEG
        )

    def advance(self, key: jax.Array, body: ArmBody, action: jax.Array, task: ArmTask) -> tuple[ArmBody, jax.Array, jax.Array]:
        """Two joint speeds, and a grip that holds the handle or the peg where above 0."""
        before = tip(body.joints)
        action = jnp.clip(action, -1.0, 1.0)
        joints = _wrapped(body.joints + self.dt * self.fastest * action[:2])
        after, grips = tip(joints), action[2] > 0.0
        # the button is pushed down by a tip above it, and comes up again by itself
        over = jnp.abs(after[0] - BUTTON[0]) < TOUCH
        pushed = jnp.clip(BUTTON[1] - after[1], 0.0, TRAVEL)
        button = jnp.where(over & (pushed > 0) & (before[1] > BUTTON[1] - TRAVEL - TOUCH), pushed, 0.5 * body.button)
        # a handle that is held follows the tip around its hinge
        holds = grips & (_distance(before, handle(body.door)) < TOUCH)
        angle = jnp.arctan2(HINGE[1] - after[1], after[0] - HINGE[0])
        door = jnp.where(holds, jnp.clip(angle, 0.0, WIDEST), body.door)
        # a puck that the tip comes too near slides away from it
        apart = body.puck - after
        gap = jnp.sqrt(jnp.sum(apart**2)) + 1e-6
        puck = jnp.clip(jnp.where(gap < TOUCH, after + apart / gap * TOUCH, body.puck), -1.2, 1.2)
        carried = grips & (_distance(before, body.peg) < TOUCH) & ~holds
        peg = jnp.where(carried, body.peg + (after - before), body.peg)
        moved = ArmBody(joints=joints, button=button, door=door, puck=puck, peg=peg)
        return moved, self._worth(self.observe(moved, task), task.wish), jnp.bool_(False)

    def observe(self, body: ArmBody, task: ArmTask) -> jax.Array:
        """float32 [12]: cosines and sines of the joints, the tip, the button, the door, the puck, the peg."""
        single = jnp.stack([body.button, body.door])
        return jnp.concatenate([jnp.cos(body.joints), jnp.sin(body.joints), tip(body.joints), single, body.puck, body.peg])

    def observation_names(self) -> tuple[str, ...]:
        """What each number is called."""
        return (
            *("cos joint 1", "cos joint 2", "sin joint 1", "sin joint 2", "tip x", "tip y"),
            *("button", "door", "puck x", "puck y", "peg x", "peg y"),
        )

    def body(self, observation: jax.Array, task: Any = None) -> ArmBody:
        """The body that one observation shows, whatever the task."""
        joints = jnp.arctan2(observation[2:4], observation[:2])
        return ArmBody(joints=joints, button=observation[6], door=observation[7], puck=observation[8:10], peg=observation[10:])

    def position(self, observation: jax.Array) -> jax.Array:
        """Where the tip is, float32 [N, 2]."""
        return observation[:, 4:6]

    def achieved(self, observation: jax.Array) -> ArmTask:
        """How far each of WISHES is fulfilled, from 0 to 1, as a task [N]."""
        return ArmTask(wish=jax.vmap(self._done)(observation))

    def reward(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]; `task` is the first wish where it is None."""
        wish = stream.default(self, task, observation.shape[0]).wish
        return jax.vmap(self._worth)(next_observation, wish)

    def continues(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode continues: 1."""
        return jnp.ones(observation.shape[0], jnp.float32)

    def _done(self, seen: jax.Array) -> jax.Array:
        """float32 [6]: how far each wish is fulfilled."""
        button, door, puck, peg = seen[6], seen[7], seen[8:10], seen[10:12]
        return jnp.stack(
            [
                button / TRAVEL,
                door / WIDEST,
                1.0 - door / WIDEST,
                _near(_distance(puck, MARK)),
                _near(_distance(peg, HOLE)),
                _near(_distance(peg, BASE + np.array([0.3, 0.3], np.float32))),
            ]
        )

    def _worth(self, seen: jax.Array, wish: jax.Array) -> jax.Array:
        """float32 []: each wish is worth up to 1, a third of it for the way of the tip to what it takes."""
        point, door, puck, peg = seen[4:6], seen[7], seen[8:10], seen[10:12]
        near_handle = _near(_distance(point, handle(door)))
        near_peg = _near(_distance(point, peg))
        behind = puck + TOUCH * (puck - MARK) / (_distance(puck, MARK) + 1e-3)
        above = BUTTON + np.array([0.0, 0.02], np.float32)
        ways = jnp.stack(
            [_near(_distance(point, above)), near_handle, near_handle, _near(_distance(point, behind)), near_peg, near_peg]
        )
        return jnp.sum(wish * (2.0 * self._done(seen) + ways) / 3.0)

    def init(self, key: jax.Array, task: ArmTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: ArmTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


def tip(joints: jax.Array) -> jax.Array:
    """float32 [2]: where the arm ends."""
    both = joints[0] + joints[1]
    reach = jnp.stack([jnp.cos(joints[0]), jnp.sin(joints[0])]) * LENGTHS[0]
    return jnp.asarray(BASE) + reach + jnp.stack([jnp.cos(both), jnp.sin(both)]) * LENGTHS[1]


def handle(door: jax.Array) -> jax.Array:
    """float32 [2]: where the handle is; shut, the door lies along x."""
    return jnp.asarray(HINGE) + DOOR * jnp.stack([jnp.cos(door), -jnp.sin(door)])


def _distance(one: jax.Array, other: Any) -> jax.Array:
    return jnp.sqrt(jnp.sum((one - other) ** 2) + 1e-12)


def _near(distance: jax.Array) -> jax.Array:
    """1 where near enough, falling to 0 over about a metre."""
    return jnp.exp(-2.0 * jnp.maximum(distance - MARGIN, 0.0))


def _wrapped(angle: jax.Array) -> jax.Array:
    return (angle + np.pi) % (2.0 * np.pi) - np.pi
