"""From a log to a life: an agent that studied what another one did goes on by itself; a function of a key."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import ModelFree, Rewarded
from umwelt.claims.arms import Measure
from umwelt.claims.studies.roaming import Roamed
from umwelt.core import keys, part

STUDIED_RETURN = Measure(name="studied_return", unit="return", better="up")
"""Return of an episode in the first tenth of the life after the log."""
LATE_RETURN = Measure(name="late_return", unit="return", better="up")
"""Return of an episode in the last tenth of it."""


@part
class Refined:
    """Let an agent make a log, another study it, and live on with it in its memory."""

    logged: Roamed
    """The life that makes the log; it is half trained when it ends."""
    learner: Rewarded
    """What studies the log without its bonus, and then lives with it. Its memory is that of the first agent."""
    study: int
    """Updates from the log."""
    ticks: int
    """Ticks of the life after it."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live twice: {measure: float32 []}."""
        logging, studying, living = keys.split(key, "log", "study", "live")
        first: Any = self.logged.agent
        tasks = self.logged._tasks(logging)
        life = self.logged.begun(logging, tasks)
        life, _ = jax.lax.scan(self.logged.period, life, jax.random.split(logging, self.logged.ticks // self.logged.every))
        agent = ModelFree(learner=self.learner, memory=first.memory, batch=first.batch)
        student = replace(agent, learner=replace(self.learner, weight=0.0))
        state = agent.init(studying, self.logged.world.spec)
        state = replace(state, memory=life[1].memory)

        def learn(state: Any, key: jax.Array) -> tuple[Any, None]:
            return student.learn(key, state)[0], None

        state, _ = jax.lax.scan(learn, state, jax.random.split(studying, self.study))
        online = replace(self.logged, agent=agent, ticks=self.ticks)
        body, step = online.world.init(keys.fold(living, "world"), tasks)
        state, _ = agent.see(living, state, step)
        begun = (body, state, step, *life[3:4], jnp.zeros_like(life[4]), jnp.zeros_like(life[5]))
        periods = self.ticks // online.every
        _, (ended, returned, _) = jax.lax.scan(online.period, begun, jax.random.split(living, periods))
        when = jnp.arange(periods)[:, None, None]

        def mean(rows: jax.Array) -> jax.Array:
            return jnp.sum(rows * returned) / jnp.maximum(jnp.sum(rows), 1)

        return {
            "studied_return": mean(ended & (when < 0.1 * periods)),
            "late_return": mean(ended & (when >= 0.9 * periods)),
        }
