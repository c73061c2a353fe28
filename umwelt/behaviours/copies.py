"""Rehearse what was said: old moments keep the answers of an earlier self, in place of learning from their rewards.

A value that is rehearsed by Q-learning is forgotten all the same, where few old moments are left. Its target is a value of
today, of a moment that can no longer be tried, and so it drifts. A copy of the learner's slow outputs, made every so often,
holds still ("Dark experience for general continual learning", NeurIPS 2020, keeps the answers of the day instead). Moments
of the newest part of memory learn as ever, however old the copy is, so that there is something new to learn from.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import Batch, Learner
from umwelt.core import Experience, Info, Metric, capability, keys, part, select, struct
from umwelt.core.contracts import Memory

KEPT = Metric(name="kept_share", unit="share", meaning="share of a batch's rows that keep the answers of a copy")


@struct
class CopiesState:
    """copy: the learner's state as it was when it was copied last. lived, made: int32 [], decisions of a row until now, and
    until the copy was made; 0 before the first."""

    copy: Any
    lived: jax.Array
    made: jax.Array


@part
class Kept:
    """Draws a share of each batch from the old part of memory, and has it answer as a copy of the learner did.

    The memory keeps its newest part apart from the rest, as `Lifelong(keep=Halves())` does. The learner has `outputs`, as
    `DQN` has. No boundary between tasks is known. A row that is younger than the copy learns from its reward.
    """

    cites = ("dark_experience_2020",)

    every: int = 3000
    """Decisions of a row between two copies; 0 makes none, so that old moments learn from their rewards."""
    share: float = 0.5
    """The share of a batch that is drawn from the old part; 0 is an agent without this part."""

    metrics = (KEPT,)

    def rows(self, batch: int) -> int:
        """Count the rows that are drawn from the old part."""
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"share={self.share}: the share of old moments lies between 0 and 1")
        return round(self.share * batch)

    def check(self, learner: Learner, memory: Memory, state: Any, shape: tuple[int, ...]) -> None:
        """Raise a ValueError that names the argument where the parts lack what this one needs. state: the memory's."""
        capability(learner, "outputs", "learner")
        capability(memory, "sample_part", "memory")
        jax.eval_shape(lambda key, state: self.sampled(key, memory, state, shape), jax.random.key(0), state)

    def init(self, learner: Any) -> CopiesState:
        """Begin without a copy that anything is older than."""
        return CopiesState(copy=jax.tree.map(jnp.copy, learner), lived=jnp.int32(0), made=jnp.int32(0))

    def grown(self, state: CopiesState, learner: Any) -> CopiesState:
        """Count one decision, and copy the learner where it is time."""
        lived = state.lived + 1
        if not self.every:
            return replace(state, lived=lived)
        due = lived % self.every == 0
        copy, made = select(due, (learner, lived), (state.copy, state.made))
        return CopiesState(copy=copy, lived=lived, made=made)

    def sampled(self, key: jax.Array, memory: Any, state: Any, shape: tuple[int, ...]) -> tuple[Experience, jax.Array]:
        """Draw a batch whose first rows are old ones, and say which: bool [N]. Where nothing is old yet, none are."""
        drawing, filling = keys.split(key, "old", "new")
        number = self.rows(shape[0])
        old = memory.sample_part(drawing, state, "old", (number, *shape[1:]))
        new = memory.sample_part(filling, state, "new", shape)
        some = old.valid.reshape(number, -1)[:, 0]
        first = select(some, old, jax.tree.map(lambda leaf: leaf[:number], new))
        experience = jax.tree.map(lambda head, leaf: jnp.concatenate([head, leaf[number:]]), first, new)
        return experience, jnp.concatenate([some, jnp.zeros(shape[0] - number, bool)])

    def marked(
        self, state: CopiesState, learner: Any, batch: Batch, experience: Experience, old: jax.Array
    ) -> tuple[Batch, Info]:
        """Give the batch of experience [N] or [N, L] what the copy says of it; rows `old` [N] that are older keep that."""
        if not self.every:
            return batch, {"kept_share": jnp.float32(0.0)}
        outputs: Any = capability(learner, "outputs", "learner")
        older = experience.born < state.made
        kept = (older & old.reshape(-1, *(1,) * (older.ndim - 1))).reshape(-1)
        said = jax.lax.stop_gradient(outputs(state.copy, batch.now))
        return replace(batch, said=said, kept=kept), {"kept_share": jnp.mean(kept.astype(jnp.float32))}
