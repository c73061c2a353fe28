"""Skills cloned from an expert in a maze, and a new task from few demonstrations: the study of composition."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours.composed import Composed, ComposedState
from umwelt.claims.arms import Measure
from umwelt.claims.studies.stretches import rows_of
from umwelt.core import keys, part
from umwelt.networks.form import form
from umwelt.worlds.point_maze import MazeBody, MazeTask, PointMaze

REACHED = Measure(name="reached", unit="share", better="up")
"""The share of episodes of the new task in which its goal is reached."""
KEPT = Measure(name="kept", unit="share", better="up")
"""The old skill's share of goals reached after the new task was learned, over that before."""
SKILLS = ("east", "south", "far")


@part
class Cloned:
    """A shared policy, three skills, and a new task that needs them in turn; a function of a key."""

    world: PointMaze = PointMaze(time_limit=120)
    policy: Composed = Composed()
    how: str = "compose"
    """"compose" the skills, with a fresh one; "fresh" alone; or fine-tune all of the first skill's policy, "full"."""
    walkers: int = 48
    moments: int = 80
    """Decisions of each walker of the data, which begin anywhere."""
    lessons: int = 800
    """Updates of the base, and of each skill."""
    new_lessons: int = 400
    """Updates for the new task."""
    demonstrations: int = 1
    rows: int = 60

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Clone base and skills, learn the new task: {measure: float32 []}."""
        beginning, showing, learning, examining, posing = keys.split(key, "begin", "show", "learn", "examine", "pose")
        state = self.policy.init(beginning, 4, self.world.spec.action)
        named = self.world.tasks()
        goals = [jnp.asarray(named[name].goal) for name in SKILLS]
        anywhere = self._middles[jax.random.randint(posing, (self.walkers,), 0, len(self._middles))]
        broad = self.shown(showing, MazeTask(doors=jnp.ones((self.walkers, 4)), goal=anywhere), "anywhere")
        state = self.cloned(learning, state, "base", 0, broad, self.lessons)
        for slot, goal in enumerate(goals):
            task = MazeTask(doors=jnp.ones((self.walkers, 4)), goal=jnp.broadcast_to(goal, (self.walkers, 2)))
            data = self.shown(keys.fold(showing, SKILLS[slot]), task, "anywhere")
            state = self.cloned(keys.fold(learning, SKILLS[slot]), state, "skill", slot, data, self.lessons)
        before = self.share(examining, self._alone(state, 0), MazeTask(doors=jnp.ones(4), goal=goals[0]))
        # by way of the eastern room: the door to the south is shut
        new = MazeTask(doors=jnp.array([1.0, 0.0, 1.0, 1.0]), goal=goals[2])
        five = self.shown(keys.fold(showing, "new"), rows_of(new, self.demonstrations), "start")
        acts, after = self.learned(keys.fold(learning, "new"), state, five)
        kept = self.share(examining, after, MazeTask(doors=jnp.ones(4), goal=goals[0]))
        return {"reached": self.share(examining, acts, new), "kept": kept / jnp.maximum(before, 1e-6)}

    def learned(self, key: jax.Array, state: ComposedState, data: Any) -> tuple[Any, Any]:
        """What acts in the new task, and what is then left of the first skill."""
        fresh = len(SKILLS)
        if self.how == "compose":
            state = self.cloned(key, state, "mixture", fresh, data, self.new_lessons)
            return lambda seen: self._told(state, self.policy.mixture(state.weights, fresh, seen), seen), self._alone(state, 0)
        if self.how == "fresh":
            state = self.cloned(key, state, "skill", fresh, data, self.new_lessons)
            return self._alone(state, fresh), self._alone(state, 0)
        merged = self._merged(state, 0)
        tuned = self.cloned(key, merged, "base", 0, data, self.new_lessons)
        return self._alone(tuned, None), self._alone(tuned, None)

    def cloned(self, key: jax.Array, state: ComposedState, trains: Any, slot: int, data: Any, lessons: int) -> ComposedState:
        """The policy after so many updates on data: seen [N, 4] and done [N, 2]."""
        seen, done = data

        def update(at: Any, state: ComposedState) -> ComposedState:
            rows = jax.random.randint(jax.random.fold_in(key, at), (256,), 0, seen.shape[0])
            return self.policy.learn(state, trains, slot, seen[rows], done[rows])[0]

        return jax.lax.fori_loop(0, lessons, update, self.policy.started(state))

    def shown(self, key: jax.Array, task: MazeTask, where: str) -> tuple[jax.Array, jax.Array]:
        """What the expert sees and does on tasks [R]: float32 [N, 4] in units, [N, 2]."""
        number = task.goal.shape[0]
        middles = self._middles
        chosen = jax.random.randint(key, (number,), 0, len(middles)) if where == "anywhere" else jnp.zeros(number, jnp.int32)
        noise = jax.random.uniform(key, (number, 2), minval=-0.3, maxval=0.3)
        start = MazeBody(position=middles[chosen] + noise, speed=jnp.zeros((number, 2)))

        def tick(body: Any, key: jax.Array) -> tuple[Any, Any]:
            seen = jnp.concatenate([body.position, body.speed], axis=-1)
            done = self.world.expert(key, seen, task)
            pushed = jnp.clip(done + 0.3 * jax.random.normal(key, done.shape), -1.0, 1.0)
            body = jax.vmap(lambda body, push, task: self.world.advance(key, body, push, task)[0])(body, pushed, task)
            return body, (seen, done)

        _, (seen, done) = jax.lax.scan(tick, start, jax.random.split(key, self.moments))
        return self._units(seen.reshape(-1, 4)), done.reshape(-1, 2)

    def share(self, key: jax.Array, acts: Any, task: MazeTask) -> jax.Array:
        """The share of episodes from the start in which the goal of a task is reached: float32 []."""
        room = replace(self.world, batch=self.rows)
        asked = rows_of(task, self.rows)
        state, step = room.init(key, asked)

        def tick(held: Any, key: jax.Array) -> tuple[Any, None]:
            state, seen, hit = held
            state, next = room.step(key, state, acts(self._units(seen)), asked)
            return (state, next.observation, hit | (next.reward > 0.5)), None

        begun = (state, step.observation, jnp.zeros(self.rows, bool))
        (_, _, hit), _ = jax.lax.scan(tick, begun, jax.random.split(key, room.time_limit - 1))
        return jnp.mean(hit.astype(jnp.float32))

    def _alone(self, state: ComposedState, slot: int | None) -> Any:
        """What acts by one skill, or by the base alone."""
        own = jnp.zeros(self.policy.slots) if slot is None else jax.nn.one_hot(slot, self.policy.slots)
        return lambda seen: self._told(state, jnp.broadcast_to(own, (seen.shape[0], self.policy.slots)), seen)

    def _told(self, state: ComposedState, skill: jax.Array, seen: jax.Array) -> jax.Array:
        return self.policy.told(state.weights, skill, seen)

    def _merged(self, state: ComposedState, slot: int) -> ComposedState:
        """The base with one skill's change added."""
        weights = state.weights
        base = tuple(
            replace(each, weight=each.weight + self.policy.scale * change.into[slot] @ change.out[slot])
            for each, change in zip(weights.base, weights.changes, strict=True)
        )
        return replace(state, weights=replace(weights, base=base))

    def _units(self, seen: jax.Array) -> jax.Array:
        return form(self.world.spec.observation).units(seen)

    @property
    def _middles(self) -> jax.Array:
        """The middle of every cell, the start first: float32 [C, 2]."""
        free = np.argwhere(np.array([list(line) for line in self.world.layout]) != "#")
        return jnp.asarray(free[:, ::-1] + 0.5, jnp.float32)
