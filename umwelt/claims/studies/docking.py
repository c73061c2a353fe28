"""A ship that is to dock slowly: what touches the dock fast bumps into it, and how often a learner does that."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.claims.arms import Measure
from umwelt.claims.studies.offline import episodes
from umwelt.core import Box, TimeStep, WorldSpec, keys, lived, part, struct
from umwelt.core.contracts import Agent
from umwelt.memory.played import Played
from umwelt.networks.inside import with_batch
from umwelt.worlds import stream

BUMPS = Measure(name="bumps", unit="in a thousand decisions", better="down")
"""Fast contacts with the dock, in the whole life."""
DOCKED = Measure(name="docked", unit="share", better="up")
"""The share of probes that end in the dock."""
RADIUS, SLOW = 0.12, 0.05
"""Of the dock, and the speed that is safe there."""
PUSH, DRAG = 0.02, 0.1


@struct
class DockTask:
    """dock: float32 [2]."""

    dock: Any


@struct
class ShipBody:
    """place, speed: float32 [2]. bumped: float32 [], 1 where it has just hit the dock."""

    place: jax.Array
    speed: jax.Array
    bumped: jax.Array


@part
class Dock:
    """Bring a sliding ship into a dock; each step there pays 1, and a fast one is thrown back."""

    batch: int = 1
    time_limit: int = 40

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        return WorldSpec(
            name="dock",
            observation=Box(shape=(4,), low=(-1.0, -1.0, -0.3, -0.3), high=(1.0, 1.0, 0.3, 0.3)),
            action=Box(shape=(2,), low=-1.0, high=1.0),
            task=DockTask(dock=Box(shape=(2,), low=-1.0, high=1.0)),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, DockTask]:
        """A dock on the right."""
        return {"right": DockTask(dock=np.array([0.6, 0.0], np.float32))}

    def begin(self, key: jax.Array, task: DockTask) -> ShipBody:
        """At rest, on the left."""
        place = jax.random.uniform(key, (2,), minval=jnp.array([-0.9, -0.5]), maxval=jnp.array([-0.6, 0.5]))
        return ShipBody(place=place, speed=jnp.zeros(2, jnp.float32), bumped=jnp.float32(0.0))

    def advance(self, key: jax.Array, body: ShipBody, action: jax.Array, task: DockTask) -> tuple[ShipBody, jax.Array, jax.Array]:
        """Push, and slide."""
        speed = (1.0 - DRAG) * body.speed + PUSH * jnp.clip(action, -1.0, 1.0)
        place = jnp.clip(body.place + speed, -1.0, 1.0)
        touches = jnp.sum((place - task.dock) ** 2) < RADIUS**2
        bumps = touches & (jnp.sum(speed**2) > SLOW**2)
        place, speed = jnp.where(bumps, body.place, place), jnp.where(bumps, -speed, speed)
        pays = (touches & ~bumps).astype(jnp.float32)
        return ShipBody(place=place, speed=speed, bumped=bumps.astype(jnp.float32)), pays, jnp.bool_(False)

    def observe(self, body: ShipBody, task: DockTask) -> jax.Array:
        """float32 [4]: place and speed."""
        return jnp.concatenate([body.place, jnp.clip(body.speed, -0.3, 0.3)])

    def expert(self, key: jax.Array, observation: jax.Array, task: Any = None) -> jax.Array:
        """To the dock, slower the nearer."""
        apart = stream.default(self, task, observation.shape[0]).dock - observation[:, :2]
        away = jnp.sqrt(jnp.sum(apart**2, axis=1, keepdims=True)) + 1e-6
        pace = jnp.minimum(jnp.clip(0.03 + 0.2 * (away - 0.2), 0.03, 0.1), 0.5 * away)
        wanted = apart / away * pace
        return jnp.clip((wanted - (1.0 - DRAG) * observation[:, 2:]) / PUSH, -1.0, 1.0)

    def init(self, key: jax.Array, task: DockTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: DockTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


@part
class Docking:
    """An agent that is shown demonstrations, studies, lives, and is examined; a function of a key."""

    agent: Agent
    shown: int = 12
    """Demonstrations, a multiple of `rows`."""
    lessons: int = 2000
    """Before the first decision."""
    ticks: int = 1000
    """Decisions of each row."""
    updates: int = 1
    """After each tick."""
    rows: int = 4
    probes: int = 40

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Show, study, live and examine: {measure: float32 []}."""
        playing, beginning, studying, living, probing = keys.split(key, "play", "begin", "study", "live", "probe")
        agent, room = self.agent, with_batch(Dock(), self.rows)
        state = agent.init(beginning, room.spec)
        learn = lambda state, key: (agent.learn(key, state)[0], None)  # noqa: E731
        if self.shown:
            log = episodes(Played(world=Dock(), episodes=self.shown), playing)
            for index in range(0, self.shown, self.rows):
                cut = jax.tree.map(lambda leaf: leaf[:, index : index + self.rows], log)  # noqa: B023
                state, _ = jax.lax.scan(lambda state, one: (agent.remember(key, state, one)[0], None), state, cut)
            state, _ = jax.lax.scan(learn, state, jax.random.split(studying, self.lessons))
        task = stream.default(room, None, self.rows)
        world, step = room.init(living, task)
        state, _ = agent.see(living, state, step)

        def tick(carry: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            state, world, step = carry
            acting, stepping, seeing, remembering, learning = keys.split(key, "act", "step", "see", "remember", "learn")
            state, action = agent.act(acting, state, "explore")
            world, next = room.step(stepping, world, action, task)
            moment = lived(step, action, next, task=task, surprise=jnp.zeros(self.rows))
            state, _ = agent.remember(remembering, state, moment)
            state, _ = agent.see(seeing, state, next)
            state, _ = jax.lax.scan(learn, state, jax.random.split(learning, self.updates))
            return (state, world, next), jnp.mean(world.body.bumped * ~next.first)

        (state, _, _), bumped = jax.lax.scan(tick, (state, world, step), jax.random.split(living, self.ticks))
        return {"bumps": 1000.0 * jnp.mean(bumped), "docked": self._docked(probing, state)}

    def _docked(self, key: jax.Array, state: Any) -> jax.Array:
        """The share of probes whose last step pays."""
        agent, room = self.agent, with_batch(Dock(), self.probes)
        task, body = stream.default(room, None, self.probes), agent.embody(key, state, room.spec)

        def tick(carry: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            body, world, step = carry
            body, _ = agent.see(keys.fold(key, "see"), body, step)
            body, action = agent.act(keys.fold(key, "act"), body, "exploit")
            world, next = room.step(keys.fold(key, "step"), world, action, task)
            return (body, world, next), next.reward

        _, paid = jax.lax.scan(tick, (body, *room.init(key, task)), jax.random.split(key, room.time_limit))
        return jnp.mean(paid[-1])


def without(study: Docking) -> Docking:
    """The same without demonstrations."""
    return replace(study, shown=0)
