"""Learning from what others did, and an exam in the world: the study of learners that never act while they learn."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import batch as batches
from umwelt.behaviours.batch import Batch, Learner
from umwelt.claims.arms import Measure
from umwelt.core import SHOWN, Experience, keys, lived, part
from umwelt.memory.played import Played, acting
from umwelt.networks.form import form
from umwelt.networks.inside import with_batch
from umwelt.worlds import stream

NORMALISED = Measure(name="normalised", unit="of the expert's return above chance", better="up")
"""(return - random) / (expert - random), all in the same episodes."""


@part
class Offline:
    """A learner that studies a data set and is examined; a function of a key."""

    data: Played
    """How the data are played. Each episode lasts until the world's time limit, and none is longer."""
    learner: Learner
    updates: int = 6000
    batch: int = 128
    probes: int = 30
    """Episodes of the exam."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Play, study and examine: {measure: float32 []}."""
        playing, beginning, studying, probing = keys.split(key, "play", "begin", "study", "probe")
        world, data = self.data.world, rows(self.data, playing)
        space = world.spec
        state = self.learner.init(beginning, form(space.observation).width, space.action)
        state = studied(self.learner, state, data, studying, self.updates, self.batch)
        return {"normalised": normalised(world, self.learner, state, probing, self.probes)}


def rows(data: Played, key: jax.Array) -> Batch:
    """All transitions [N] that are played, with the rewards to come."""
    space = data.world.spec
    flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), episodes(data, key))
    return batches.of(form(space.observation), form(space.action), flat)


def episodes(data: Played, key: jax.Array) -> Experience:
    """One episode in each row, [time limit, episodes], with the rewards to come."""
    world = with_batch(data.world, data.episodes)
    act, task = acting(replace(data, batch=data.episodes), world), stream.default(world, None, data.episodes)
    begin_key, roll_key = keys.split(key, "init", "roll")

    def tick(carry: Any, key: jax.Array) -> tuple[Any, Experience]:
        state, step = carry
        acting_key, stepping = keys.split(key, "act", "step")
        action = act(acting_key, step.observation, task, jnp.arange(data.episodes))
        state, next = world.step(stepping, state, action, task)
        return (state, next), replace(lived(step, action, next), origin=jnp.full_like(step.kind, SHOWN))

    _, found = jax.lax.scan(tick, world.init(begin_key, task), jax.random.split(roll_key, world.time_limit))
    return replace(found, to_come=to_come(found))


def to_come(found: Experience) -> jax.Array:
    """The rewards from each moment to the end of its episode: float32 [T, B]."""

    def back(later: jax.Array, one: Experience) -> tuple[jax.Array, jax.Array]:
        total = one.next.reward + jnp.where(one.next.last, 0.0, later)
        return total, total

    return jax.lax.scan(back, jnp.zeros(found.origin.shape[1]), found, reverse=True)[1]


def studied(learner: Learner, state: Any, data: Batch, key: jax.Array, updates: int, size: int) -> Any:
    """The learner's state after updates from draws of `size` rows."""

    def update(state: Any, key: jax.Array) -> tuple[Any, None]:
        drawing, learning = keys.split(key, "draw", "learn")
        chosen = jax.random.randint(drawing, (size,), 0, data.weight.shape[0])
        drawn = jax.tree.map(lambda leaf: leaf[chosen], data)
        return learner.learn(learning, state, drawn)[0], None

    return jax.lax.scan(update, state, jax.random.split(key, updates))[0]


def normalised(world: Any, learner: Learner, state: Any, key: jax.Array, number: int) -> jax.Array:
    """The learner's mean return between that of chance, 0, and of the expert, 1: float32 []."""
    room, seen = with_batch(world, number), form(world.spec.observation)
    mine = mean_return(room, key, lambda key, observation: learner.act(key, state, seen.flat(observation), "exploit"))
    return between(world, key, number, mine)


def between(world: Any, key: jax.Array, number: int, mine: jax.Array) -> jax.Array:
    """Where a mean return lies between that of chance, 0, and of the expert, 1, both in episodes of the same key: float32 []."""
    room = with_batch(world, number)

    def by(how: str) -> jax.Array:
        act = acting(Played(world=world, how=how, episodes=number, batch=number), room)
        task = stream.default(world, None, number)
        return mean_return(room, key, lambda key, observation: act(key, observation, task, jnp.arange(number)))

    chance = by("random")
    return (mine - chance) / (by("expert") - chance)


def mean_return(room: Any, key: jax.Array, act: Any) -> jax.Array:
    """The mean return of one episode of each row: float32 []."""
    task = stream.default(room, None, room.spec.batch)
    begin_key, roll_key = keys.split(key, "init", "roll")

    def tick(carry: Any, key: jax.Array) -> tuple[Any, None]:
        state, step, alive, total = carry
        acting_key, stepping = keys.split(key, "act", "step")
        state, next = room.step(stepping, state, act(acting_key, step.observation), task)
        total = total + jnp.where(alive, next.reward, 0.0)
        return (state, next, alive & ~next.last, total), None

    begun = (*room.init(begin_key, task), jnp.ones(room.spec.batch, bool), jnp.zeros(room.spec.batch))
    (_, _, _, total), _ = jax.lax.scan(tick, begun, jax.random.split(roll_key, room.time_limit))
    return jnp.mean(total)
