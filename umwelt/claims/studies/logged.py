"""A far goal without a reward on the way, and a log of motion without rewards: the study of skills from logs."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours import SAC, ModelFree, Rewarded
from umwelt.behaviours.calling import Calling
from umwelt.behaviours.latent_skills import LatentSkills
from umwelt.claims.arms import Measure
from umwelt.claims.studies.stretches import begun, rows_of
from umwelt.core import FIRST, MID, SHOWN, Experience, TimeStep, keys, lived, part
from umwelt.core.contracts import Memory
from umwelt.curiosity import Distilled
from umwelt.memory import Both, Ring
from umwelt.worlds.point_maze import MazeBody, PointMaze

FIRST_SUCCESS = Measure(name="first_success", unit="decisions", better="down")
"""Decisions until the goal is first reached; all of them where it never is."""
WINDING = (
    "###############",
    "#S....#.......#",
    "#.###.#.#####.#",
    "#.#...#.#...#.#",
    "#.#.###.#.#.#.#",
    "#.#.....#.#...#",
    "#.#######.###.#",
    "#.......#...#.#",
    "#######.###.#.#",
    "#.....#.....#.#",
    "#.###.#######.#",
    "#.#.#.........#",
    "#.#.#########.#",
    "#.#...........#",
    "###############",
)
"""A maze of 15 x 15; its far corner is reached by one long way."""


@part
class Logged:
    """Learn skills from a log, and seek the goal with them; a function of a key."""

    world: PointMaze
    goal: str
    use: str = "both"
    """What the log is for: "both" skills and data, "skills" alone, or "data" alone, without skills."""
    skills: LatentSkills = LatentSkills(units=64)
    learner: SAC = SAC(units=64, learning_rate=1e-3)
    curiosity: Distilled = Distilled()
    weight: float = 1.0
    """Of the bonus."""
    walkers: int = 64
    """Rows of the log, which begin anywhere."""
    moments: int = 400
    """Decisions of each."""
    held: int = 8
    """Decisions for which the log's walkers push one way."""
    lessons: int = 2000
    """Updates of the skills."""
    ticks: int = 1250
    """Decisions of a row in the life."""
    updates: int = 1
    """Updates after each decision of all rows."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Learn from the log and live: {measure: float32 []}."""
        logging, teaching, beginning, living = keys.split(key, "log", "teach", "begin", "live")
        seen, done = self.log(logging)
        agent, spec = self.agent(), self.world.spec
        mind = agent.init(beginning, spec)
        if self.use == "data":
            mind = replace(mind, memory=self.shown(agent.memory, mind.memory, seen, done, done, 1))
        else:
            skills = self.taught(teaching, seen, done)
            mind = replace(mind, skills=skills)
            if self.use == "both":
                rows, called = self.calls(skills, seen, done)
                held = self.shown(agent.agent.memory, mind.inner.memory, rows, called, done, self.skills.horizon)
                mind = replace(mind, inner=replace(mind.inner, memory=held))
        return {"first_success": self.sought(living, agent, mind)}

    def agent(self) -> Any:
        """What seeks the goal."""
        memory: Memory = Ring(bytes=4_000_000) if self.use == "skills" else Both(least=0)
        if isinstance(memory, Both):
            memory = replace(memory, shown=Ring(bytes=3_000_000), lived=Ring(bytes=4_000_000))
        span = 1 if self.use == "data" else self.skills.horizon
        learner = Rewarded(
            learner=replace(self.learner, discount=self.learner.discount**span), curiosity=self.curiosity, weight=self.weight
        )
        agent = ModelFree(learner=learner, memory=memory, batch=128)
        return agent if span == 1 else Calling(agent=agent, skills=self.skills, length=span, discount=self.learner.discount)

    def log(self, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Pushes that are held for some decisions, from anywhere: observations [R, T, 4], and actions [R, T, 2]."""
        placing, pushing = keys.split(key, "place", "push")
        task = self.world.tasks()[self.goal]
        free = jnp.array(np.argwhere(np.array([list(line) for line in self.world.layout]) != "#"))
        middle = free[jax.random.randint(placing, (self.walkers,), 0, len(free))][:, ::-1].astype(jnp.float32) + 0.5
        angle = jax.random.uniform(pushing, (-(-self.moments // self.held), self.walkers), maxval=2 * jnp.pi)
        pushes = jnp.repeat(jnp.stack([jnp.cos(angle), jnp.sin(angle)], axis=-1), self.held, axis=0)[: self.moments]

        def tick(body: Any, push: jax.Array) -> tuple[Any, jax.Array]:
            moved = jax.vmap(lambda body, push: self.world.advance(key, body, push, task)[0])(body, push)
            return moved, jnp.concatenate([body.position, body.speed], axis=-1)

        start = MazeBody(position=middle, speed=jnp.zeros_like(middle))
        _, seen = jax.lax.scan(tick, start, pushes)
        return seen.swapaxes(0, 1), pushes.swapaxes(0, 1)

    def taught(self, key: jax.Array, seen: jax.Array, done: jax.Array) -> Any:
        """The skills after all their updates."""
        span = jnp.arange(self.skills.horizon)

        def update(at: Any, state: Any) -> Any:
            drawing, learning = jax.random.split(jax.random.fold_in(key, at))
            row, time = jax.random.randint(
                drawing, (2, 256), 0, jnp.array([[self.walkers], [self.moments - self.skills.horizon]])
            )
            rows = row[:, None], time[:, None] + span
            return self.skills.learn(learning, state, seen[rows], done[rows], jnp.ones(256))[0]

        return jax.lax.fori_loop(0, self.lessons, update, self.skills.init(key, 4, self.world.spec.action))

    def calls(self, skills: Any, seen: jax.Array, done: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The log in stretches of a skill: observations [R, T / H, 4] where they begin, and their skills [R, T / H, size]."""
        span = self.skills.horizon
        number = self.moments // span
        pieces = [leaf[:, : number * span].reshape(-1, span, leaf.shape[-1]) for leaf in (seen, done)]
        named = self.skills.named(skills, *pieces)
        return seen[:, : number * span : span], named.reshape(self.walkers, number, -1)

    def shown(self, memory: Any, state: Any, seen: jax.Array, action: jax.Array, done: jax.Array, span: int) -> Any:
        """The memory with the log, whose rewards are the least there are: 0."""
        tasks = rows_of(self.world.tasks()[self.goal], self.walkers)

        def put(state: Any, given: Any) -> tuple[Any, None]:
            before, after, act = given
            steps = [
                TimeStep(kind=jnp.full(self.walkers, kind, jnp.int8), observation=each, reward=jnp.zeros(self.walkers))
                for kind, each in ((FIRST, before), (MID, after))
            ]
            origin = jnp.full(self.walkers, SHOWN, jnp.int8)
            moment = Experience(
                step=steps[0], action=act, next=steps[1], origin=origin, task=tasks, surprise=jnp.zeros(self.walkers)
            )
            return memory.add(jax.random.key(0), state, moment), None

        given = [leaf.swapaxes(0, 1) for leaf in (seen[:, :-1], seen[:, 1:], action[:, :-1])]
        return jax.lax.scan(put, state, tuple(given))[0]

    def sought(self, key: jax.Array, agent: Any, mind: Any) -> jax.Array:
        """The decisions until the goal is first reached: float32 []."""
        task = rows_of(self.world.tasks()[self.goal], self.world.batch)
        life = begun(self.world, agent, key, mind, self.world.tasks()[self.goal])

        def tick(life: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            acting, stepping, seeing, keeping, learning = keys.split(key, "act", "step", "see", "remember", "learn")
            state, mind, step = life
            mind, action = agent.act(acting, mind)
            state, next = self.world.step(stepping, state, action, task)
            mind, told = agent.see(seeing, mind, next)
            moment = lived(step, action, next, task=task, surprise=told["surprise"])
            mind, _ = agent.remember(keeping, mind, moment)
            mind = jax.lax.fori_loop(
                0, self.updates, lambda at, mind: agent.learn(jax.random.fold_in(learning, at), mind)[0], mind
            )
            return (state, mind, next), jnp.any(next.reward > 0.5)

        _, hits = jax.lax.scan(tick, life, jax.random.split(key, self.ticks))
        first = jnp.where(jnp.any(hits), jnp.argmax(hits) + 1, self.ticks)
        return first.astype(jnp.float32) * self.world.batch
