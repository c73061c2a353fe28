"""An arm at a table, and chores of two parts that a grammar proposes: things, and what should hold of them.

"RoboGen: Towards Unleashing Infinite Data for Automated Robot Learning via Generative Simulation" (2024) has a language model
propose tasks, take them apart, write a reward for each part, and choose how to learn it. Here a grammar proposes, a predicate
gives the reward, and a rule chooses by the kind of contact.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, TimeStep, WorldSpec, keys, part, struct
from umwelt.worlds import stream
from umwelt.worlds.arm import BASE, BUTTON, DOOR, HINGE, LENGTHS, TOUCH, TRAVEL, WIDEST, Arm, ArmBody, ArmTask, handle
from umwelt.worlds.arm import PUCK as PUCK_LIES

KINDS = ("near", "pressed", "open", "peg_at", "puck_at")
"""What a part may ask for: the tip near a place, the button pressed, the door open so far, the peg or the puck at a place."""
NEAR, PRESSED, OPEN, PEG, PUCK = range(len(KINDS))
LEAD, PLAN, LEARN = range(3)
"""Ways to solve a part: motion without contact, trajectory optimisation, and reinforcement learning."""
CLOSE = 0.08
"""Metres that count as there."""
SEEN = 12
"""Numbers of an observation that show the arm and its things."""
REACH = (0.35, 1.0)
"""Metres from the base between which a place can be reached, and a thing pushed to it."""


@struct
class ChoresTask:
    """kind: int32 [2], of KINDS, in order. place: float32 [2, 2], where; of a door the first number is how far it opens, from 0
    to 1."""

    kind: Any
    place: Any


@struct
class ChoresBody:
    """arm: the arm and its things. done: int32 [], parts that have held, in order."""

    arm: ArmBody
    done: jax.Array


@part
class Chores:
    """Bring about one thing and then another with an arm, as a task says (continuous).

    A step pays half of the parts that are done, and up to another half for how near the present one is.

    >>> list(Chores().tasks())
    ['press_then_open', 'near_then_peg', 'open_then_puck']
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 80
    """Decisions after which an episode is truncated."""
    jitter: float = 0.08
    """The standard deviation, in metres, of where puck and peg lie at first."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        inner = self._arm.spec
        low, high = (tuple(edge.tolist()) for edge in inner.observation.bounds)
        more = 2 + len(KINDS) + 1
        return WorldSpec(
            name="chores",
            observation=Box(
                shape=(SEEN + more,), low=(*low, -1.2, -1.2, *(0.0,) * (more - 2)), high=(*high, 1.2, 1.2, *(1.0,) * (more - 2))
            ),
            action=inner.action,
            task=ChoresTask(
                kind=Box(shape=(2,), low=0, high=len(KINDS) - 1, dtype="int32"), place=Box(shape=(2, 2), low=-1.2, high=1.2)
            ),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, ChoresTask]:
        """Named tasks: three chores."""
        chores = {
            "press_then_open": ((PRESSED, (0.0, 0.0)), (OPEN, (0.9, 0.0))),
            "near_then_peg": ((NEAR, (0.5, 0.6)), (PEG, (-0.7, -0.1))),
            "open_then_puck": ((OPEN, (0.8, 0.0)), (PUCK, (0.7, -0.4))),
        }
        made = {name: list(zip(*parts, strict=True)) for name, parts in chores.items()}
        return {
            name: ChoresTask(kind=np.array(kind, np.int32), place=np.array(place, np.float32))
            for name, (kind, place) in made.items()
        }

    def begin(self, key: jax.Array, task: ChoresTask) -> ChoresBody:
        """The arm over the table, and nothing done."""
        return ChoresBody(arm=self._arm.begin(key, _WISHLESS), done=jnp.int32(0))

    def advance(
        self, key: jax.Array, body: ChoresBody, action: jax.Array, task: ChoresTask
    ) -> tuple[ChoresBody, jax.Array, jax.Array]:
        """Move the arm. Where the present part holds, it is done, whatever comes later."""
        arm, _, _ = self._arm.advance(key, body.arm, action, _WISHLESS)
        kind, place = self._present(body, task)
        holds = (worth(self._seen(arm), kind, place) >= 1.0) & (body.done < 2)
        after = ChoresBody(arm=arm, done=body.done + holds)
        return after, self._pays(self.observe(after, task)), jnp.bool_(False)

    def observe(self, body: ChoresBody, task: ChoresTask) -> jax.Array:
        """float32 [20]: the arm and its things, the place and the kind of the present part, and half of the parts done."""
        kind, place = self._present(body, task)
        asked = jnp.concatenate([place, jax.nn.one_hot(kind, len(KINDS)), 0.5 * body.done[None]])
        return jnp.concatenate([self._seen(body.arm), asked])

    def body(self, observation: jax.Array, task: ChoresTask) -> ChoresBody:
        """The body that one observation shows."""
        return ChoresBody(arm=self._arm.body(observation[:SEEN]), done=jnp.round(2.0 * observation[-1]).astype(jnp.int32))

    def task_of(self, observation: jax.Array) -> ChoresTask:
        """The tasks [N] that observations show: both parts are the present one, for the other is not shown."""
        kind = kind_of(observation)
        return ChoresTask(
            kind=jnp.stack([kind, kind], axis=1), place=jnp.repeat(observation[:, None, SEEN : SEEN + 2], 2, axis=1)
        )

    def observation_names(self) -> tuple[str, ...]:
        """What each number is called."""
        return (*self._arm.observation_names(), "place x", "place y", *KINDS, "done")

    def position(self, observation: jax.Array) -> jax.Array:
        """Where the tip is, float32 [N, 2]."""
        return observation[:, 4:6]

    def init(self, key: jax.Array, task: ChoresTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: ChoresTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)

    @property
    def _arm(self) -> Arm:
        return Arm(jitter=self.jitter)

    def _seen(self, arm: ArmBody) -> jax.Array:
        return self._arm.observe(arm, _WISHLESS)

    def _present(self, body: ChoresBody, task: ChoresTask) -> tuple[jax.Array, jax.Array]:
        """The kind and the place of the present part; the last one stays where all are done."""
        at = jnp.minimum(body.done, 1)
        return jnp.asarray(task.kind)[at], jnp.asarray(task.place)[at]

    def _pays(self, seen: jax.Array) -> jax.Array:
        kind, done = jnp.argmax(seen[SEEN + 2 : -1]), jnp.round(2.0 * seen[-1])
        return jnp.where(done >= 2, 1.0, 0.5 * done + 0.5 * worth(seen, kind, seen[SEEN : SEEN + 2])).astype(jnp.float32)


_WISHLESS = ArmTask(wish=jnp.zeros(6))


def worth(seen: jax.Array, kind: jax.Array, place: jax.Array) -> jax.Array:
    """The reward of one part, float32 []: 1 where its predicate holds, and else below 0.8, more the nearer the thing is to what
    is asked and the tip to the thing."""
    point, button, door, puck, peg = seen[4:6], seen[6], seen[7], seen[8:10], seen[10:12]
    # a door that opens wider than asked is open; it need not be shut again
    ajar = jnp.maximum(place[0] * WIDEST - door, 0.0)
    gap = jnp.stack([_distance(point, place), TRAVEL - button, ajar, _distance(peg, place), _distance(puck, place)])[kind]
    allowed = jnp.array([CLOSE, 0.2 * TRAVEL, 0.05 * WIDEST, CLOSE, CLOSE])[kind]
    things = (place, jnp.asarray(BUTTON), handle(door), peg, puck)
    way = jnp.stack([_distance(point, thing) for thing in things])[kind]
    return jnp.where(gap <= allowed, 1.0, 0.6 * jnp.exp(-2.0 * gap) + 0.2 * jnp.exp(-2.0 * way))


def kind_of(observation: jax.Array) -> jax.Array:
    """The kind of the present part, of observations [N, 20]: int32 [N]."""
    return jnp.argmax(observation[:, SEEN + 2 : -1], axis=1).astype(jnp.int32)


def possible(task: ChoresTask) -> jax.Array:
    """Which of tasks [N] an arm can do, bool [N]: all places are within reach, no puck has to pass the base closely, and no peg
    belongs where the handle of the door passes."""
    far = jnp.sqrt(jnp.sum((task.place - BASE) ** 2, axis=-1))
    placed = (far >= REACH[0]) & (far <= REACH[1])
    # a second push begins where the first one ended
    moved = (task.kind[:, 0] == PUCK)[:, None]
    begins = jnp.stack(
        [jnp.broadcast_to(PUCK_LIES, (*moved.shape[:1], 2)), jnp.where(moved, task.place[:, 0], PUCK_LIES)], axis=1
    )
    way = task.place - begins
    share = jnp.clip(jnp.sum((BASE - begins) * way, axis=-1) / (jnp.sum(way**2, axis=-1) + 1e-9), 0.0, 1.0)
    passes = jnp.sqrt(jnp.sum((begins + share[..., None] * way - BASE) ** 2, axis=-1))
    handles = jnp.abs(jnp.sqrt(jnp.sum((task.place - HINGE) ** 2, axis=-1)) - DOOR)
    clear = ((task.kind != PUCK) | (passes >= REACH[0])) & ((task.kind != PEG) | (handles >= TOUCH))
    return jnp.all(jnp.isin(task.kind, jnp.array([PRESSED, OPEN])) | (placed & clear), axis=1)


def joints_at(place: jax.Array, elbow: jax.Array) -> jax.Array:
    """The joints float32 [2] with which the tip is at a place [2], or as near as it comes; elbow: 1 or -1, its side."""
    apart = place - jnp.asarray(BASE)
    first, second = LENGTHS
    cosine = (jnp.sum(apart**2) - first**2 - second**2) / (2.0 * first * second)
    bend = elbow * jnp.arccos(jnp.clip(cosine, -1.0, 1.0))
    return jnp.stack(
        [jnp.arctan2(apart[1], apart[0]) - jnp.arctan2(second * jnp.sin(bend), first + second * jnp.cos(bend)), bend]
    )


def towards(observation: jax.Array, place: jax.Array, grip: jax.Array | float = -1.0) -> jax.Array:
    """The action float32 [3] that leads the tip of one observation to a place, by the shorter way of its joints."""
    arm = Arm()
    now = arm.body(observation[:SEEN]).joints

    def turn(elbow: float) -> jax.Array:
        return (joints_at(place, jnp.float32(elbow)) - now + jnp.pi) % (2.0 * jnp.pi) - jnp.pi

    one, other = turn(1.0), turn(-1.0)
    shorter = jnp.where(jnp.max(jnp.abs(one)) <= jnp.max(jnp.abs(other)), one, other)
    speed = shorter / (arm.dt * arm.fastest)
    return jnp.concatenate([speed / jnp.maximum(jnp.max(jnp.abs(speed)), 1.0), jnp.asarray(grip, jnp.float32)[None]])


def _distance(one: jax.Array, other: Any) -> jax.Array:
    return jnp.sqrt(jnp.sum((one - other) ** 2) + 1e-12)


@part
class Led:
    """Leads the tip straight to where the present part is about, with an open grip: motion without contact."""

    def __call__(self, key: jax.Array, observation: jax.Array) -> jax.Array:
        """Actions [N, 3] for observations [N, 20]."""

        def one(seen: jax.Array) -> jax.Array:
            things = jnp.stack(
                [seen[SEEN : SEEN + 2], BUTTON - np.array([0.0, TRAVEL]), handle(seen[7]), seen[10:12], seen[8:10]]
            )
            return towards(seen, things[jnp.argmax(seen[SEEN + 2 : -1])])

        return jax.vmap(one)(observation)


@part
class ByContact:
    """Chooses a method by the kind of contact: LEAD where nothing is touched, PLAN for one contact with a smooth reward, and
    LEARN for the many contacts of a push."""

    def __call__(self, observation: jax.Array) -> jax.Array:
        """int32 [N], for observations [N, 20]."""
        return jnp.array([LEAD, PLAN, PLAN, PLAN, LEARN])[kind_of(observation)]


@part
class Grammar:
    """Proposes chores: two parts, each of a kind that is drawn, at a place that is drawn. It stands in for a language model."""

    number: int = 12
    """Chores that are proposed."""
    feasible: bool = True
    """Propose only what is possible."""

    def __call__(self, key: jax.Array, success: Any = None, space: Any = None) -> ChoresTask:
        """Propose tasks [number], whatever the success was."""
        drawing, placing = keys.split(key, "kinds", "places")
        tries = 16 * self.number
        kinds = jax.random.randint(drawing, (tries, 2), 0, len(KINDS))
        places = jax.random.uniform(placing, (tries, 2, 2), minval=-1.2, maxval=1.2)
        # a door is asked to open by more than it is open at first
        places = jnp.where((kinds == OPEN)[..., None], 0.7 + 0.25 * jnp.abs(places) / 1.2, places)
        found = ChoresTask(kind=kinds, place=places)
        first = jnp.argsort(~possible(found) if self.feasible else jnp.zeros(tries, bool), stable=True)[: self.number]
        return jax.tree.map(lambda leaf: leaf[first], found)
