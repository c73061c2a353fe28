"""Relabel experience with goals that it reached: "Hindsight experience replay" (NeurIPS 2017), as a memory."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import MID, TERMINATED, Experience, capability, keys, part, select
from umwelt.core.contracts import Memory
from umwelt.networks.later import later_moment


@part
class Hindsight:
    """A memory that gives a share of the transitions that it draws another goal, one that their episode reached later.

    The reward and the kind of the next step follow the new goal: where it is reached in a world that ends there, the
    transition terminates, and one that ended at the old goal goes on. No agent knows of it.

    >>> from umwelt.core import FIRST, TimeStep, lived
    >>> from umwelt.memory import Trajectories
    >>> from umwelt.worlds import Announced, PointMaze

    >>> world = Announced(world=PointMaze(), only=("goal",))

    >>> task = jax.tree.map(lambda leaf: leaf[None], world.tasks()["far"])
    >>> state, step = world.init(jax.random.key(0), task)
    >>> _, next = world.step(jax.random.key(1), state, jnp.zeros((1, 2)), task)

    >>> memory = Hindsight(memory=Trajectories(bytes=4000, length=1), world=world, horizon=1, share=1.0)


    >>> moment = lived(step, jnp.zeros((1, 2)), next, task=task)
    >>> held = memory.add(jax.random.key(2), memory.init(moment), moment)

    >>> found = memory.sample(jax.random.key(3), held, (1,))
    >>> float(next.reward[0]), float(found.next.reward[0])  # the far goal was missed, and where it came to was reached
    (0.0, 1.0)
    """

    cites = ("hindsight_2017",)

    memory: Memory
    """A memory of sequences, such as `Trajectories(length=50, across=True)`."""
    world: Any
    """The world that the agent lives in, which announces its goal: `Announced`, around a world with `achieved`, `reward`."""
    share: float = 0.8
    """The share of transitions that are relabelled."""
    horizon: int = 50
    """Transitions of the sequences that goals are taken from."""

    @property
    def bytes(self) -> int:
        """The budget of the memory inside."""
        return self.memory.bytes

    def init(self, example: Experience) -> Any:
        """Make the memory inside empty."""
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"share={self.share}: the share of relabelled transitions lies between 0 and 1")
        for name in ("achieved", "reward"):
            capability(self.world, name, "world")
        if not hasattr(self.world, "posed"):
            raise ValueError("world: it does not show its goal; wrap it in umwelt.worlds.Announced(only=('goal',))")
        return self.memory.init(example)

    def add(self, key: jax.Array, state: Any, experience: Experience) -> Any:
        """Keep experience [B] unchanged."""
        return self.memory.add(key, state, experience)

    def sample(self, key: jax.Array, state: Any, shape: tuple[int, ...]) -> Experience:
        """Draw transitions [N], a share of them with a later goal of their own episode."""
        if len(shape) != 1:
            raise ValueError(f"shape={shape}: Hindsight relabels single transitions, so ask for (N,)")
        drawing, at, choosing, sharing = keys.split(key, "draw", "at", "choose", "share")
        found = self.memory.sample(drawing, state, (*shape, self.horizon))
        rows, moment = jnp.arange(shape[0]), jax.random.randint(at, shape, 0, self.horizon)
        later = later_moment(choosing, found.valid, moment)
        drawn = jax.tree.map(lambda leaf: leaf[rows, moment], found)
        reached: Any = capability(self.world, "achieved", "world")
        goal = reached(jax.tree.map(lambda leaf: leaf[rows, later], found.next.observation))
        relabels = (jax.random.uniform(sharing, shape) < self.share) & drawn.valid
        return select(relabels, self.relabelled(drawn, goal), drawn)

    def relabelled(self, drawn: Experience, goal: Any) -> Experience:
        """Transitions [N] under other goals [N]: observations, reward and kind follow."""
        before, after = (self.world.posed(step.observation, goal) for step in (drawn.step, drawn.next))
        paid: Any = capability(self.world, "reward", "world")
        goes_on = capability(self.world, "continues")
        ends = drawn.next.terminated if goes_on is None else goes_on(before, drawn.action, after, None) < 0.5
        was = jnp.where(drawn.next.terminated, jnp.int8(MID), drawn.next.kind)
        kind = jnp.where(ends, jnp.int8(TERMINATED), was).astype(jnp.int8)
        reward = paid(before, drawn.action, after, None).astype(jnp.float32)
        task = drawn.task if drawn.task is None else replace(drawn.task, goal=goal)
        unknown = None if drawn.to_come is None else jnp.full_like(drawn.to_come, jnp.nan)
        step, next = replace(drawn.step, observation=before), replace(drawn.next, kind=kind, observation=after, reward=reward)
        return replace(drawn, step=step, next=next, task=task, to_come=unknown)

    def held(self, state: Any) -> jax.Array:
        """Count the transitions that the memory inside holds, int32."""
        count = capability(self.memory, "held")
        return self.memory.count(state) if count is None else count(state)

    def count(self, state: Any) -> jax.Array:
        """Count what the memory inside can draw, int32."""
        return self.memory.count(state)
