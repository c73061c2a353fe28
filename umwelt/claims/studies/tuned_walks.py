"""Walks to anywhere are watched, and then one far goal pays: what a prior of behaviour is good for."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import Tuned
from umwelt.claims.arms import Measure
from umwelt.claims.studies.rounds import Rounds
from umwelt.claims.studies.videos import goals
from umwelt.core import SHOWN, WATCHED, keys, lived, part

BEFORE = Measure(name="before", unit="share", better="up")
"""Episodes in which the goal is reached before it has ever paid."""


@part
class TunedWalks:
    """An agent that watches walks, clones them, and then lives where one goal pays; a function of a key."""

    life: Rounds
    """In a `PointMaze` whose goal is not seen. An agent that is no `Tuned` begins from scratch."""
    labelled: int = 2
    """Rows whose actions are known."""
    turns: int = 12
    """Walks of each row."""
    noise: float = 0.3
    """Of the walks' actions, in units."""
    lessons: int = 3000

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Show, clone, live and be examined: {measure: float32 []}."""
        beginning, showing, studying, examining, living = keys.split(key, "begin", "show", "study", "examine", "live")
        agent: Any = self.life.agent
        mind = agent.init(beginning, self.life.world.spec)
        if isinstance(agent, Tuned):
            mind = self.shown(showing, mind)
            split = jax.random.split(studying, self.lessons)
            mind = jax.lax.scan(lambda mind, key: (agent.learn(key, mind)[0], None), mind, split)[0]
        before = self.life.mark(examining, mind)
        _, marks, edges = self.life.lived(living, mind)
        return {"before": before, **self.life.measured(marks, edges)}

    def shown(self, key: jax.Array, mind: Any) -> Any:
        """The mind after it watched walks to goals anywhere."""
        tasking, beginning, rolling = keys.split(key, "task", "begin", "roll")
        maze = replace(self.life.world, ends=False)
        rows = maze.batch
        known = jnp.arange(rows) < self.labelled

        def task(turn: jax.Array) -> Any:
            return goals(jax.random.fold_in(tasking, turn), maze, rows)

        def tick(held: Any, key: jax.Array) -> tuple[Any, None]:
            state, step, mind, turn = held
            acting, drifting, stepping, keeping = keys.split(key, "act", "drift", "step", "keep")
            asked = task(turn)
            done = maze.expert(acting, step.observation, asked)
            done = jnp.clip(done + self.noise * jax.random.normal(drifting, done.shape), -1.0, 1.0)
            # all rows begin together, so all episodes end together
            turn = turn + step.last[0]
            state, next = maze.step(stepping, state, done, task(turn))
            seen = lived(step, jnp.where(known[:, None], done, 0.0), next, task=asked)
            seen = replace(seen, origin=jnp.where(known, SHOWN, WATCHED).astype(jnp.int8))
            return (state, next, self.life.agent.remember(keeping, mind, seen)[0], turn), None

        begun = (*maze.init(beginning, task(jnp.int32(0))), mind, jnp.int32(0))
        ticks = self.turns * (maze.time_limit + 1)
        return jax.lax.scan(tick, begun, jax.random.split(rolling, ticks))[0][2]
