"""What a curious life hands on to later ones: snapshots of its policy, its last one, or nothing."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import SAC, ModelFree, Rewarded
from umwelt.behaviours.snapshots import Snapshots
from umwelt.claims.arms import Measure
from umwelt.claims.studies.stretches import begun, examined, lived_on, rows_of
from umwelt.core import keys, part
from umwelt.evaluation.coverage import shift, visits
from umwelt.networks.cells import cells_of
from umwelt.worlds.point_maze import PointMaze

STEPS = Measure(name="steps", unit="decisions", better="down")
"""Decisions until a later goal is reached in 80 % of exam episodes, mean of goals; all of them where it never is."""
DRIFT = Measure(name="drift", unit="times", better="up")
"""How much further the visits of neighbouring snapshots lie apart than those of two runs of one snapshot."""


@part
class HandedOn:
    """A curious life, then a life for each goal that begins with what was kept of it; a function of a key."""

    world: PointMaze
    curious: Snapshots
    """Its agent's learner is `Rewarded` around `SAC`."""
    later: SAC
    """The learner of the later lives; that of the curious one without its bonus."""
    kept: str = "all"
    """What the later lives get: "all" snapshots, the "last" policy, or "none"."""
    goals: tuple[str, ...] = ("far", "east", "south")
    ticks: int = 1248
    """Decisions of a row in the curious life."""
    later_ticks: int = 375
    """Decisions of a row in each later life."""
    every: int = 25
    """Decisions between two exams."""
    updates: int = 1
    """Lessons after each decision of all rows."""
    rows: int = 20
    """Episodes of an exam, and of each run of a snapshot."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live curiously, hand on, and live for each goal: {measure: float32 []}."""
        beginning, living, handing, running = keys.split(key, "begin", "live", "hand", "run")
        calm = replace(self.world, ends=False)
        home = self.world.tasks()["home"]
        mind = self.curious.init(beginning, calm.spec)
        life = begun(calm, self.curious, beginning, mind, home)
        (_, mind, _), _ = lived_on(calm, self.curious, living, life, home, self.ticks, self.updates)
        weights = mind.library.weights.inner
        library = replace(mind.library, weights=weights)
        if self.kept == "last":
            first = jax.tree.map(lambda held, last: held.at[0].set(last), weights, mind.inner.learner.inner)
            library = replace(library, weights=first, filled=jnp.int32(1))
        if self.kept == "none":
            library = self.curious.library.emptied(library)
        tasks = [self.world.tasks()[name] for name in self.goals]
        stacked = jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *tasks)
        steps = jax.vmap(lambda key, task: self.lifted(key, library, task))(jax.random.split(handing, len(tasks)), stacked)
        return {"steps": jnp.mean(steps), "drift": self.drifted(running, weights)}

    def lifted(self, key: jax.Array, library: Any, task: Any) -> jax.Array:
        """The decisions until the exam on a task is passed: float32 []."""
        beginning, living = keys.split(key, "begin", "live")
        agent = replace(self.curious, agent=replace(self.curious.agent, learner=self.later), every=0, own=0.5)
        mind = replace(agent.init(beginning, self.world.spec), library=library)
        life = begun(self.world, agent, beginning, mind, task)

        def stretch(life: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            living, asking = keys.split(key, "live", "exam")
            life, _ = lived_on(self.world, agent, living, life, task, self.every, self.updates)
            return life, examined(self.world, agent, asking, life[1], task, self.rows, self.world.time_limit)

        number = self.later_ticks // self.every
        _, marks = jax.lax.scan(stretch, life, jax.random.split(living, number))
        passed = marks >= 0.8
        first = jnp.where(jnp.any(passed), jnp.argmax(passed) + 1, number)
        return first.astype(jnp.float32) * self.every * self.world.batch

    def drifted(self, key: jax.Array, weights: Any) -> jax.Array:
        """How many times further apart neighbouring snapshots' visits are than two runs' of one: float32 []."""
        room = replace(self.world, batch=self.rows, ends=False)
        asked = rows_of(self.world.tasks()["home"], self.rows)
        width, height = len(room.layout[0]), len(room.layout)

        def run(key: jax.Array, policy: Any) -> jax.Array:
            state, step = room.init(key, asked)

            def tick(held: Any, key: jax.Array) -> tuple[Any, jax.Array]:
                state, seen = held
                state, next = room.step(key, state, self.later.act(key, policy, seen, "explore"), asked)
                return (state, next.observation), next.observation[:, :2]

            _, places = jax.lax.scan(tick, (state, step.observation), jax.random.split(key, room.time_limit))
            cells = cells_of(places, (0.0, 0.0), (float(width), float(height)), (width, height))
            return visits(cells, width * height)

        slots = self.curious.library.slots
        one, other = (jax.vmap(run)(jax.random.split(keys.fold(key, name), slots), weights) for name in ("one", "other"))
        apart = jnp.mean(jax.vmap(shift)(one[1:], one[:-1]))
        return apart / jnp.maximum(jnp.mean(jax.vmap(shift)(one, other)), 1e-6)


def curious_snapshots(agent: ModelFree, curiosity: Any, every: int, library: Any) -> Snapshots:
    """The agent of the curious life: the bonus alone pays it, and it acts by its own policy."""
    learner = Rewarded(learner=agent.learner, curiosity=curiosity, instead=True)
    return Snapshots(agent=replace(agent, learner=learner), library=library, every=every, own=1.0)
