"""Reaching among discs: what learning breaks, and what it comes to."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import SAC, Guarded, ModelFree
from umwelt.claims.arms import Measure
from umwelt.claims.studies.stretches import begun, lived_on, rows_of
from umwelt.core import keys, part
from umwelt.memory import Ring
from umwelt.worlds.links import Links, LinksBody, LinksTask

BROKEN = Measure(name="broken", unit="decisions", better="down")
"""Decisions of the life after which the arm was more than a millimetre inside of a disc or beyond a limit."""
REACHED = Measure(name="reached", unit="share", better="up")
"""The share of episodes after the life that end within `near` of the goal."""


@part
class Paid(Links):
    """The same arm, which pays for every decision that breaks something."""

    fine: float = 0.0

    def advance(
        self, key: jax.Array, body: LinksBody, action: jax.Array, task: LinksTask
    ) -> tuple[LinksBody, jax.Array, jax.Array]:
        """Turn every joint, and pay."""
        after, reward, over = super().advance(key, body, action, task)
        broken = self.clearance(after.angles[None])[0] < -1e-3
        return after, reward - self.fine * broken, over


@part
class Safety:
    """A life of reaching; a function of a key."""

    guarded: bool = True
    fine: float = 0.0
    """What a broken decision costs."""
    learner: SAC = SAC(units=64, learning_rate=1e-3, discount=0.95)
    rows: int = 4
    ticks: int = 5000
    """Decisions of a row."""
    random: int = 100
    near: float = 0.1
    probes: int = 20

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live and be examined: {measure: float32 []}."""
        beginning, trying, living, probing = keys.split(key, "begin", "try", "live", "probe")
        world = Paid(batch=self.rows, fine=self.fine)
        task = world.tasks()["between"]
        agent: Any = ModelFree(learner=self.learner, memory=Ring(bytes=4_000_000), batch=128)
        agent = Guarded(agent=agent, world=world) if self.guarded else agent
        life = begun(world, agent, beginning, agent.init(beginning, world.spec), task)
        life, first = lived_on(world, agent, trying, life, task, self.random, 0, random=True, look=world.clearance)
        life, then = lived_on(world, agent, living, life, task, self.ticks - self.random, 1, look=world.clearance)
        broken = jnp.sum(first < -1e-3) + jnp.sum(then < -1e-3)
        room = replace(world, batch=self.probes)
        away = self.examined(room, agent, probing, life[1], task)
        return {"broken": broken.astype(jnp.float32), "reached": jnp.mean((away < self.near).astype(jnp.float32))}

    def examined(self, room: Links, agent: Any, key: jax.Array, mind: Any, task: LinksTask) -> jax.Array:
        """How far the arm of each row [N] ends from the goal."""
        state, step = room.init(key, rows_of(task, self.probes))
        body, _ = agent.see(key, agent.embody(key, mind, room.spec), step)

        def tick(held: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            state, body = held
            body, action = agent.act(key, body, "exploit")
            state, next = room.step(key, state, action, rows_of(task, self.probes))
            body, _ = agent.see(key, body, next)
            return (state, body), next.observation

        _, seen = jax.lax.scan(tick, (state, body), jax.random.split(key, room.time_limit))
        return jnp.linalg.norm(room.end(seen[-1]) - jnp.asarray(task.goal), axis=-1)
