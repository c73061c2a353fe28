"""Imitation where little of what is seen matters: a point among numbers that move by themselves, all mixed."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import Batch, Learner
from umwelt.claims.arms import Measure
from umwelt.claims.studies.offline import studied
from umwelt.core import keys, part
from umwelt.networks.inside import with_batch
from umwelt.worlds.errand import Errand, ErrandTask

ARRIVED = Measure(name="arrived", unit="share", better="up")
"""The share of episodes that end within `near` of the goal."""


@part
class Cluttered:
    """A learner that sees a corpus, then demonstrations of a new errand, and is examined; a function of a key."""

    learner: Learner
    """It makes its code of the corpus in its first lessons, and learns from the demonstrations in all later ones."""
    corpus: str = "errands"
    """"errands": an expert goes to many places that are not said; "play": chance."""
    episodes: int = 200
    """Of the corpus; five for each place."""
    demonstrations: int = 5
    """Episodes of the new errand."""
    lessons: int = 3000
    updates: int = 1500
    batch: int = 128
    width: int = 64
    """Numbers that are seen."""
    moving: int = 8
    """Numbers that move by themselves."""
    drift: float = 0.1
    """How far each of them moves in a step, in its deviations."""
    noise: float = 0.3
    """Of the expert's actions in the corpus and in the demonstrations, in units: so that actions tell of the body."""
    near: float = 0.2
    probes: int = 50

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Learn and be examined: {measure: float32 []}."""
        placing, many, few, beginning, learning, probing = keys.split(key, "place", "many", "few", "begin", "learn", "probe")
        goals = jax.random.uniform(placing, (1 + self.episodes // 5, 2), minval=-0.9, maxval=0.9)
        corpus = self.shown(many, jnp.repeat(goals[1:], 5, axis=0), self.corpus)
        target = self.shown(few, jnp.broadcast_to(goals[0], (self.demonstrations, 2)), "errands")
        state = self.learner.init(beginning, self.width, Errand().spec.action)
        for name, data, updates in (("corpus", corpus, self.lessons), ("target", target, self.updates)):
            state = studied(self.learner, state, data, keys.fold(learning, name), updates, self.batch)
        goal = jnp.broadcast_to(goals[0], (self.probes, 2))
        act = lambda key, seen, place: self.learner.act(key, state, seen, "exploit")  # noqa: E731
        places, _, _ = self.walked(probing, goal, act)
        away = jnp.linalg.norm(places[-1] - goal, axis=-1)
        return {"arrived": jnp.mean((away < self.near).astype(jnp.float32))}

    def shown(self, key: jax.Array, goals: jax.Array, how: str) -> Batch:
        """Transitions [T * N] of walks to goals [N, 2], or of chance."""
        world = with_batch(Errand(), goals.shape[0])

        def act(key: jax.Array, seen: jax.Array, place: jax.Array) -> jax.Array:
            drawn = jax.random.normal(key, place.shape)
            if how == "play":
                return jnp.clip(drawn, -1.0, 1.0)
            return jnp.clip(world.expert(key, place, ErrandTask(goal=goals)) + self.noise * drawn, -1.0, 1.0)

        _, seen, done = self.walked(key, goals, act)
        now, after = seen[:-1].reshape(-1, self.width), seen[1:].reshape(-1, self.width)
        ones = jnp.ones(now.shape[0])
        return Batch(now=now, action=done.reshape(-1, 2), reward=0.0 * ones, continues=ones, after=after, weight=ones)

    def walked(self, key: jax.Array, goals: jax.Array, act: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Places [T + 1, N, 2], what is seen there [T + 1, N, width], and actions [T, N, 2]."""
        world, task, number = with_batch(Errand(), goals.shape[0]), ErrandTask(goal=goals), goals.shape[0]
        begin_key, mess_key, roll_key = keys.split(key, "init", "mess", "roll")
        state, step = world.init(begin_key, task)
        mess = jax.random.normal(mess_key, (number, self.moving))

        def tick(held: Any, key: jax.Array) -> tuple[Any, Any]:
            state, place, mess = held
            acting, stepping, drifting = keys.split(key, "act", "step", "drift")
            seen = self.seen(place, mess)
            action = act(acting, seen, place)
            state, next = world.step(stepping, state, action, task)
            moved = jnp.sqrt(1.0 - self.drift**2) * mess + self.drift * jax.random.normal(drifting, mess.shape)
            return (state, next.observation, moved), (place, seen, action)

        last, (places, seen, done) = jax.lax.scan(
            tick, (state, step.observation, mess), jax.random.split(roll_key, world.time_limit)
        )
        places = jnp.concatenate([places, last[1][None]])
        return places, jnp.concatenate([seen, self.seen(last[1], last[2])[None]]), done

    def seen(self, place: jax.Array, mess: jax.Array) -> jax.Array:
        """What is seen [N, width] of places [N, 2] and the numbers that move [N, M]: a fixed random layer of both."""
        mixing = jax.random.normal(jax.random.key(7), (2 + self.moving, self.width)) / jnp.sqrt(2.0 + self.moving)
        return jnp.tanh(jnp.concatenate([2.0 * place, mess], axis=-1) @ mixing)
