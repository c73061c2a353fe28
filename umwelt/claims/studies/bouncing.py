"""A body that bounces, in flight and on the ground: whether its modes are found, and what they are good for."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours.automata import Automata
from umwelt.claims.arms import Measure
from umwelt.claims.studies.rounds import Rounds
from umwelt.core import Box, TimeStep, WorldSpec, innermost, keys, part, struct
from umwelt.networks import codes, scale
from umwelt.worlds import stream

MATCHED = Measure(name="matched", unit="share", better="up")
"""Moments whose mode is that of contact, after the best matching of names; the mean of both kinds of moments."""
CLUSTERS = Measure(name="clusters", unit="share", better="down")
"""The same of two clusters of what is seen."""
NEAR = Measure(name="near_error", unit="deviations", better="down")
"""Root mean square error of the next moment's place and speed, within two moments of a change of contact."""


@struct
class BouncerTask:
    """ground: metres above 0. All float32 []."""

    ground: Any


@struct
class BouncerBody:
    """place: of the mass, metres above 0. speed: metres per second. float32 []."""

    place: jax.Array
    speed: jax.Array


@part
class Bouncer:
    """A mass on a springy leg, which can be made longer or shorter while it stands on the ground.

    It observes place, speed, the ground, and whether there is contact; the study hides the last two. The reward is near 1 where
    the mass would rise as high as is wanted, less a price of effort.
    """

    batch: int = 1
    time_limit: int = 127
    dt: float = 0.04
    substeps: int = 8
    gravity: float = 9.81
    leg: float = 0.5
    stiffness: float = 150.0
    damping: float = 1.0
    stroke: float = 0.1
    """Metres by which an action of 1 makes the leg longer."""
    apex: float = 0.4
    """How high the mass should rise above the length of the leg."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        far = (math.inf, math.inf, math.inf, 1.0)
        return WorldSpec(
            name="bouncer",
            observation=Box(shape=(4,), low=(-math.inf, -math.inf, -math.inf, 0.0), high=far),
            action=Box(shape=(1,), low=-1.0, high=1.0),
            task=BouncerTask(ground=Box(low=-0.5, high=0.5)),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, BouncerTask]:
        """Nine heights of the ground, the middle one first."""
        heights = (0.0, -0.4, -0.3, -0.2, -0.1, 0.1, 0.2, 0.3, 0.4)
        return {f"ground {height:+.1f}": stream.numbers(BouncerTask(ground=height)) for height in heights}

    def begin(self, key: jax.Array, task: BouncerTask) -> BouncerBody:
        """At rest in the air, up to 0.3 metres above the length of the leg."""
        high = self.leg + jax.random.uniform(key, minval=0.05, maxval=0.3)
        return BouncerBody(place=task.ground + high, speed=jnp.zeros_like(high))

    def advance(
        self, key: jax.Array, body: BouncerBody, action: jax.Array, task: BouncerTask
    ) -> tuple[BouncerBody, jax.Array, jax.Array]:
        """Semi-implicit Euler steps; the leg pushes and never pulls."""
        thrust, dt = self.stroke * jnp.clip(action[0], -1.0, 1.0), self.dt / self.substeps
        for _ in range(self.substeps):
            short = task.ground + self.leg - body.place
            force = jnp.maximum(self.stiffness * (short + thrust) - self.damping * body.speed, 0.0)
            speed = body.speed + dt * (jnp.where(short > 0, force, 0.0) - self.gravity)
            body = BouncerBody(place=body.place + dt * speed, speed=speed)
        high, effort = worth(self.observe(body, task)[None], action[None], self)
        return body, (high + effort)[0], jnp.bool_(False)

    def observe(self, body: BouncerBody, task: BouncerTask) -> jax.Array:
        """float32 [4]: place, speed, ground, and 1 in contact."""
        touches = (body.place < task.ground + self.leg).astype(jnp.float32)
        return jnp.stack([body.place, body.speed, jnp.asarray(task.ground, jnp.float32), touches])

    def init(self, key: jax.Array, task: BouncerTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(self, key: jax.Array, state: Any, action: jax.Array, next_task: BouncerTask) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


def worth(seen: jax.Array, action: jax.Array, world: Bouncer) -> tuple[jax.Array, jax.Array]:
    """What height [N] and effort [N] are worth, of observations [N, 4] after actions [N, 1]. The height is that to which the
    energy of place, speed and spring would lift the mass."""
    high = seen[:, 0] - seen[:, 2] - world.leg
    spring = world.stiffness * jnp.minimum(high, 0.0) ** 2
    rises = high + (seen[:, 1] ** 2 + spring) / (2.0 * world.gravity)
    return jnp.exp(-(((rises - world.apex) / 0.3) ** 2)), -0.02 * jnp.clip(action[:, 0], -1.0, 1.0) ** 2


def separate(observation: Any, action: jax.Array, after: Any) -> jax.Array:
    """Rewards [N, 2] of height and effort in `partly(Bouncer(), hidden=(2, 3))`."""
    seen = jnp.concatenate([after["seen"][:, -3:-1], after["hidden"]], axis=-1)
    return jnp.stack(worth(seen, action, Bouncer()), axis=-1)


@part
class Bounced:
    """A life of bounces, and what its automaton knows in the end; a function of a key."""

    life: Rounds
    """In `partly(Bouncer(), hidden=(2, 3))`; its agent is on policy."""
    episodes: int = 32
    """Episodes in which the modes are judged."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live, be examined, and judge the modes: {measure: float32 []}."""
        living, playing, clustering = keys.split(key, "live", "play", "cluster")
        mind, marks, edges = self.life.lived(living)
        found = self.life.measured(marks, edges)
        agent: Any = self.life.agent
        learner = agent.learner
        if not isinstance(learner, Automata):
            return found
        made = self.life.played(playing, mind, self.episodes, "explore")
        flat = mind.observation_form.flat
        now, after = (jax.vmap(flat)(step.observation) for step in (made.step, made.next))
        touches = now[..., mind.learner.parts.hidden[1]] > 0.5
        changed = jnp.concatenate([jnp.zeros_like(touches[:1]), touches[1:] != touches[:-1]])
        length = innermost(self.life.world).time_limit
        near = jnp.stack([changed[jnp.clip(jnp.arange(length) + ahead, 0, length - 1)] for ahead in range(-1, 3)]).any(axis=0)
        standard = scale.standard(mind.seen, now.reshape(-1, now.shape[-1]), 10.0)
        then = scale.standard(mind.seen, after.reshape(-1, now.shape[-1]), 10.0)
        unit = mind.learner.inner.acts.unit(made.action.reshape(-1, 1))
        newest = np.array(mind.learner.parts.newest)
        guess = learner.expected(mind.learner, standard, unit)
        # the action that stands beside a moment is known, and no flow is praised for it
        error = jnp.mean((guess - then[:, newest])[:, :2] ** 2, axis=-1).reshape(touches.shape)
        weight = (near & made.valid).astype(jnp.float32)
        logits, _, _ = learner.encoded(mind.learner.weights, mind.learner.parts, standard)
        seen = standard[:, newest[:2]]
        centres = jax.lax.fori_loop(0, 30, lambda _, at: codes.iterated(at, seen)[0], codes.seeds(clustering, seen, 2))
        return {
            **found,
            "near_error": jnp.sqrt(jnp.sum(error * weight) / jnp.maximum(jnp.sum(weight), 1.0)),
            "matched": matching(jnp.argmax(logits, axis=-1), touches.reshape(-1)),
            "clusters": matching(codes.nearest(centres, seen), touches.reshape(-1)),
        }


def matching(mode: jax.Array, touches: jax.Array) -> jax.Array:
    """The share of moments whose mode, 0 or 1, is that of contact, under the better of two namings; the mean of both kinds of
    moments."""
    right = (mode == touches.astype(jnp.int32)).astype(jnp.float32)
    number = jnp.stack([jnp.sum(touches), jnp.sum(~touches)])
    both = jnp.stack([jnp.sum(right * touches), jnp.sum(right * ~touches)]) / jnp.maximum(number, 1)
    return jnp.maximum(jnp.mean(both), 1.0 - jnp.mean(both))
