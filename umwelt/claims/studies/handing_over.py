"""An agent is shown mediocre data, studies them, is examined, and goes on from there: the study of one objective for both."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import Uni
from umwelt.claims.arms import Measure
from umwelt.claims.studies.rounds import Rounds
from umwelt.core import SHOWN, keys, lived, part
from umwelt.memory.played import Played, acting

STUDIED = Measure(name="studied", unit="of the expert's return above chance", better="up")
"""The exam after the study."""
DIP = Measure(name="dip", unit="of the expert's return above chance", better="down")
"""How far the first exam of the life is below that."""


@part
class HandedOver:
    """A study of what is shown, an exam, and a life of rollouts; a function of a key."""

    life: Rounds
    """Its agent is `Uni`, whose batch of rows is also shown side by side. A life of no rounds ends with the first exam."""
    data: Played
    """How the data are played, in the world of the life."""
    turns: int = 2
    """Episodes that are shown in each row."""
    probes: int = 64
    """Episodes of the exam after the study."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Show, study, examine and live: {measure: float32 []}."""
        beginning, showing, studying, examining, living = keys.split(key, "begin", "show", "study", "examine", "live")
        agent: Any = self.life.agent
        mind = agent.init(beginning, self.life.world.spec)
        if isinstance(agent, Uni):
            mind = self._studied(studying, self._shown(showing, mind))
        studied = replace(self.life, episodes=self.probes).mark(examining, mind)
        if not self.life.rounds:
            return {"studied": studied}
        _, marks, edges = self.life.lived(living, mind)
        return {"studied": studied, "dip": studied - marks[0], **self.life.measured(marks, edges)}

    def _shown(self, key: jax.Array, mind: Any) -> Any:
        """The mind after the data were played before it."""
        world, rows = self.life.world, self.life.world.spec.batch
        act = acting(replace(self.data, world=world, episodes=rows, batch=rows), world)
        tasking, begin, roll = keys.split(key, "task", "begin", "roll")
        task = self.life.tasks(tasking, rows)

        def tick(held: Any, key: jax.Array) -> tuple[Any, None]:
            (state, step), mind = held
            choosing, stepping, keeping = keys.split(key, "act", "step", "remember")
            action = act(choosing, step.observation, task, jnp.arange(rows))
            state, next = world.step(stepping, state, action, task)
            made = lived(step, action, next, task=task, surprise=jnp.full(rows, jnp.nan, jnp.float32))
            made = replace(made, origin=jnp.full(rows, SHOWN, jnp.int8))
            return ((state, next), self.life.agent.remember(keeping, mind, made)[0]), None

        ticks = self.turns * (world.time_limit + 1)
        return jax.lax.scan(tick, (world.init(begin, task), mind), jax.random.split(roll, ticks))[0][1]

    def _studied(self, key: jax.Array, mind: Any) -> Any:
        """The mind after all lessons of study and improvement."""
        agent: Any = self.life.agent
        lessons = agent.offline.study + agent.offline.improving

        def learn(mind: Any, key: jax.Array) -> tuple[Any, None]:
            return agent.learn(key, mind)[0], None

        return jax.lax.scan(learn, mind, jax.random.split(key, lessons))[0]
