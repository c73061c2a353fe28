"""An agent that acts on policy in a pure world, and is examined as it goes: the study of learners of rollouts."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.core import Experience, innermost, keys, lived, part, select
from umwelt.core.contracts import Agent, Mode
from umwelt.networks.inside import with_batch

AREA = Measure(name="area", unit="of the expert's return above chance", better="up")
"""The mean of all exams but the first: the area under the curve. 0 is `chance`, and 1 `expert`."""
FINAL = Measure(name="final", unit="of the expert's return above chance", better="up")
"""The mean of the exams in the last fifth."""
SOON = Measure(name="soon", unit="decisions", better="down")
"""Decisions of the first exam that passes; twice the length of the life where none does."""
CUT = Measure(name="cut", unit="share", better="down")
"""Share of actions at the very bounds of their Box, in the last stretch."""


@part
class Rounds:
    """One life of rollouts; a function of a key."""

    world: Any
    """Pure, with rows and a time limit."""
    agent: Agent
    """Learns after each stretch of `ticks`."""
    ticks: int = 128
    """Decisions of each row in a stretch."""
    rounds: int = 50
    """Stretches."""
    every: int = 2
    """Stretches from one exam to the next."""
    episodes: int = 32
    """Episodes of an exam."""
    chance: float = 0.0
    """The return that counts as 0."""
    expert: float = 1.0
    """The return that counts as 1."""
    passed: float = 0.8
    """What an exam must reach to pass."""
    drawn: bool = False
    """Draw the task of each episode from all that the world names, in place of its first."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live and be examined: {measure: float32 []}."""
        _, marks, edges = self.lived(key)
        return self.measured(marks, edges)

    def measured(self, marks: jax.Array, edges: jax.Array) -> dict[str, jax.Array]:
        """The measures of a life with these marks [exams] and shares of actions at their bounds [exams]."""
        count = marks.shape[0]
        decisions = self.ticks * self.every * self.world.spec.batch
        first = jnp.argmax(marks >= self.passed) + 1
        return {
            "area": jnp.mean(marks),
            "final": jnp.mean(marks[-max(count // 5, 1) :]),
            "soon": decisions * jnp.where(jnp.any(marks >= self.passed), first, 2 * count).astype(jnp.float32),
            "cut": edges[-1],
        }

    def lived(self, key: jax.Array, mind: Any = None) -> tuple[Any, jax.Array, jax.Array]:
        """The agent's state at the end, its marks [exams], and the share of actions at their bounds [exams]. mind: the state that
        it begins with; None for a new one."""
        beginning, living = keys.split(key, "begin", "live")
        mind = self.agent.init(beginning, self.world.spec) if mind is None else mind
        task = self.tasks(keys.fold(beginning, "task"), self.world.spec.batch)
        state, step = self.world.init(keys.fold(beginning, "world"), task)
        mind, _ = self.agent.see(beginning, mind, step)

        def stretch(life: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            rolling, learning = keys.split(key, "roll", "learn")
            life, edges = jax.lax.scan(self._tick, life, jax.random.split(rolling, self.ticks))
            state, mind, step = life
            return (state, self.agent.learn(learning, mind)[0], step), jnp.mean(edges)

        def stretches(life: Any, key: jax.Array) -> tuple[Any, tuple[jax.Array, jax.Array]]:
            living, examining = keys.split(key, "live", "examine")
            life, edges = jax.lax.scan(stretch, life, jax.random.split(living, self.every))
            return life, (self.mark(examining, life[1]), edges[-1])

        life, (marks, edges) = jax.lax.scan(stretches, (state, mind, step), jax.random.split(living, self.rounds // self.every))
        return life[1], marks, edges

    def played(self, key: jax.Array, mind: Any, episodes: int, mode: Mode = "exploit") -> Experience:
        """One episode in each of so many rows, by a mind that learns nothing on the way: leaves [T, episodes, ...]."""
        room = with_batch(self.world, episodes)
        tasking, begin, embodying, rolling = keys.split(key, "task", "begin", "embody", "roll")
        task = self.tasks(tasking, episodes)
        state, step = room.init(begin, task)
        body = self.agent.embody(embodying, mind, room.spec)

        def tick(held: Any, key: jax.Array) -> tuple[Any, Experience]:
            state, step, body = held
            seeing, acting, stepping = keys.split(key, "see", "act", "step")
            body, _ = self.agent.see(seeing, body, step)
            body, action = self.agent.act(acting, body, mode)
            after, next = room.step(stepping, state, action, task)
            # a row that has ended stays where it is
            after, next = select(step.last, (state, step), (after, next))
            return (after, next, body), lived(step, action, next, task=task)

        length = innermost(self.world).time_limit
        return jax.lax.scan(tick, (state, step, body), jax.random.split(rolling, length))[1]

    def mark(self, key: jax.Array, mind: Any) -> jax.Array:
        """The mean return of an exam, where that of chance is 0 and that of the expert 1."""
        made = self.played(key, mind, self.episodes)
        total = jnp.sum(jnp.where(made.valid, made.next.reward, 0.0), axis=0)
        return (jnp.mean(total) - self.chance) / (self.expert - self.chance)

    def _tick(self, life: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        """Take one decision in each row."""
        state, mind, step = life
        acting, tasking, stepping, seeing, keeping = keys.split(key, "act", "task", "step", "see", "remember")
        mind, action = self.agent.act(acting, mind, "explore")
        state, next = self.world.step(stepping, state, action, self.tasks(tasking, self.world.spec.batch))
        mind, _ = self.agent.remember(keeping, mind, lived(step, action, next))
        mind, _ = self.agent.see(seeing, mind, next)
        return (state, mind, next), self._edge(action)

    def tasks(self, key: jax.Array, rows: int) -> Any:
        """Named tasks of the world, one for each row."""
        named = list(self.world.tasks().values())
        every = jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *named)
        chosen = jax.random.randint(key, (rows,), 0, len(named) if self.drawn else 1)
        return jax.tree.map(lambda leaf: leaf[chosen], every)

    def _edge(self, action: Any) -> jax.Array:
        """The share of numbers of an action at their bounds."""
        low, high = self.world.spec.action.bounds
        return jnp.mean(((action <= low) | (action >= high)).astype(jnp.float32))
