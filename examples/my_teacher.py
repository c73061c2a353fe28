"""A teacher of your own in one file: its goals are places that the agent has reached, and it prefers the remote ones.

After each step the world says what the agent's observation achieves (`achieved`), and the teacher receives that as
`feedback.reached`. Run this file to learn whether the teacher keeps the contract. With `live`, an agent that it teaches runs
in `lives/` first:

    python examples/my_teacher.py
    python examples/my_teacher.py live
"""

import dataclasses
import sys
from typing import Any

import jax
import jax.numpy as jnp

import umwelt
from umwelt import check
from umwelt.behaviours import SAC, ModelFree
from umwelt.core import Feedback, part, struct
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.worlds import Announced, PointMaze


@struct
class Reached:
    """task: the world's default task. goals: float32 [K, G], what was reached. count: int32, how many of them so far."""

    task: Any
    goals: jax.Array
    count: jax.Array


@part
class Outskirts:
    """Ask for goals that were reached before, far from the mean of all that were reached."""

    slots: int = 1024
    """Goals that are kept; the newest replace the oldest."""
    candidates: int = 8
    """Goals that are drawn for each question; the most remote one is asked for."""

    def init(self, key: jax.Array, task_space: Any, named: dict[str, Any]) -> Reached:
        """Keep no goal yet. The tasks of the world have a field `goal`."""
        task = jax.tree.map(jnp.asarray, next(iter(named.values())))
        return Reached(task=task, goals=jnp.zeros((self.slots, task.goal.shape[0])), count=jnp.int32(0))

    def ask(self, key: jax.Array, state: Reached, n: int) -> tuple[Reached, Any]:
        """Choose a goal for each of n rows; the default task's until one was reached."""
        kept = jnp.minimum(state.count, self.slots)
        drawn = state.goals[jax.random.randint(key, (n, self.candidates), 0, jnp.maximum(kept, 1))]
        middle = jnp.sum(state.goals, axis=0) / jnp.maximum(kept, 1)
        remote = jnp.argmax(jnp.linalg.norm(drawn - middle, axis=-1), axis=1)
        goal = jnp.where(kept > 0, drawn[jnp.arange(n), remote], state.task.goal)
        tasks = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (n, *leaf.shape)), state.task)
        return state, dataclasses.replace(tasks, goal=goal)

    def tell(self, key: jax.Array, state: Reached, tasks: Any, feedback: Feedback) -> Reached:
        """Keep what each row has reached."""
        if feedback.reached is None:
            raise ValueError("teacher: Outskirts needs a world with `achieved`, such as PointMaze or Arm")
        slots = (state.count + jnp.arange(feedback.reached.shape[0])) % self.slots
        goals = state.goals.at[slots].set(feedback.reached)
        return dataclasses.replace(state, goals=goals, count=state.count + slots.shape[0])

    def panel(self, named: dict[str, Any]) -> dict[str, Any]:
        """Examine the agent on the world's own goals, which it was never taught."""
        return {name: named[name] for name in ("east", "south")}


MAZE = PointMaze(batch=8, time_limit=40)
AGENT = ModelFree(learner=SAC(units=32), memory=Ring(bytes=2_000_000), batch=64)
LIFE = umwelt.Life(world=Announced(world=MAZE), agent=AGENT, teacher=Outskirts(), rhythm=Rhythm(random=50, learn_every=4))

if __name__ == "__main__":
    if "live" in sys.argv:
        umwelt.live(LIFE, steps=1600)
    report = check.teacher(LIFE.teacher, MAZE.spec.task, MAZE.tasks(), achieved=MAZE.spec.task.goal)
    print(report)
    raise SystemExit(0 if report else 1)
