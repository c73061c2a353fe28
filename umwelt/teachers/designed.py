"""A teacher that designs a few configurations of the world in each round, from what the student can do in the original.

"EnvGen: Generating and Adapting Environments via LLMs for Training Embodied Agents" (2024). There a language model
writes the configurations, about four times in all. Here any function proposes them.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Feedback, keys, part, select, spaces, static, struct
from umwelt.networks.form import Form, form
from umwelt.teachers.fields import rows_of, same_rows


@struct
class DesignedState:
    """original: the world's default task, one row. designs: tasks [N]. done: float32 [S], how many episodes of the original in
    this round achieved each skill. episodes: float32 [], how many there were. asked: int32 []."""

    original: Any
    designs: Any
    done: jax.Array
    episodes: jax.Array
    asked: jax.Array
    space: Form = static()


def paid(feedback: Feedback) -> jax.Array:
    """Take being paid at all as the only skill: bool [B, 1]."""
    return (feedback.returns > 0.0)[:, None]


def drawn(key: jax.Array, success: jax.Array, space: Any) -> Any:
    """Propose four tasks at random, whatever the student can do."""
    return spaces.sample(key, space, 4)


@part
class Designed:
    """Rounds of designed tasks beside the original one, which is also the last round's only task.

    >>> teacher = Designed(rounds=1, steps=1, mix=0.5)
    >>> space, key = {"gravity": spaces.Box(low=0.0, high=5.0)}, jax.random.key(0)
    >>> state = teacher.init(key, space, {"earth": {"gravity": jnp.float32(9.8)}})
    >>> state, tasks = teacher.ask(key, state, n=6)
    >>> int(jnp.sum(tasks["gravity"] > 5.0))  # half of them are the original
    3
    """

    suggest: Callable[..., Any] = drawn
    """What proposes: (key, success float32 [S] of each skill in the original, task space) -> tasks [N]."""
    skills: Callable[[Feedback], jax.Array] = paid
    """Which skills a finished episode achieved: feedback [B] -> bool [B, S]."""
    rounds: int = 4
    """Rounds of proposals; after them only the original is asked for."""
    steps: int = 1000
    """Decisions of a row in each round."""
    mix: float = 0.5
    """Share of designed tasks among those that are asked for in a round."""
    mastered: float = 0.95
    """Success of the weakest skill from which on nothing more is designed."""

    cites = ("envgen_2024",)

    def init(self, key: jax.Array, task_space: Any, named: dict[str, Any]) -> DesignedState:
        """Know nothing of the student: every skill counts as not achieved."""
        if not 0.0 <= self.mix <= 1.0:
            raise ValueError(f"mix={self.mix}: it is a share of the tasks; give a number from 0 to 1")
        if self.steps < 1:
            raise ValueError(f"steps={self.steps}: a round needs at least one decision")
        original = jax.tree.map(jnp.asarray, next(iter(named.values())))
        count = self._skills(original)
        none = jnp.zeros(count, jnp.float32)
        return DesignedState(
            original=original,
            designs=self.suggest(keys.fold(key, "design"), none, task_space),
            done=none,
            episodes=jnp.float32(0.0),
            asked=jnp.int32(0),
            space=form(task_space),
        )

    def ask(self, key: jax.Array, state: DesignedState, n: int) -> tuple[DesignedState, Any]:
        """Return tasks [n], of which the share `mix` is designed: exactly, in the long run."""
        for_order, for_design = keys.split(key, "order", "design")
        success = state.done / jnp.maximum(state.episodes, 1.0)
        turns = (state.asked > 0) & (state.asked % self.steps == 0)
        over = (state.asked >= self.rounds * self.steps) | (jnp.min(success) >= self.mastered)
        fresh = self.suggest(for_design, success, state.space.space)
        designs = select(turns, fresh, state.designs)
        # whole numbers of designed tasks up to each one asked for, so that shares are exact; the rows that get them are drawn
        number = jnp.asarray(state.asked, jnp.int32) * n + jnp.arange(n + 1)
        upto = jnp.floor(number * self.mix + 1e-4).astype(jnp.int32)
        order = jax.random.permutation(for_order, n)
        designed, which = (jnp.diff(upto) > 0)[order], upto[:-1][order] % jax.tree.leaves(designs)[0].shape[0]
        tasks = select(designed & ~over, jax.tree.map(lambda leaf: leaf[which], designs), rows_of(state.original, n))
        state = replace(state, designs=designs, asked=state.asked + 1)
        # the success of the last round counts alone
        kept = jnp.where(turns, 0.0, 1.0)
        return replace(state, done=kept * state.done, episodes=kept * state.episodes), tasks

    def tell(self, key: jax.Array, state: DesignedState, tasks: Any, feedback: Feedback) -> DesignedState:
        """Count the skills of the episodes of the original that end now."""
        counts = (feedback.finished & same_rows(tasks, state.original)).astype(jnp.float32)
        done = state.done + counts @ self.skills(feedback).astype(jnp.float32)
        return replace(state, done=done, episodes=state.episodes + jnp.sum(counts))

    def panel(self, named: dict[str, Any]) -> dict[str, Any]:
        """Examine the world's default task."""
        return {}

    def _skills(self, original: Any) -> int:
        """How many skills there are."""
        numbers = jnp.zeros(1, jnp.float32)
        reached = getattr(original, "goal", None)
        feedback = Feedback(
            finished=numbers > 0,
            returns=numbers,
            length=numbers.astype(jnp.int32),
            surprise=numbers,
            doubt=numbers,
            reached=None if reached is None else jnp.asarray(reached)[None],
        )
        return jax.eval_shape(self.skills, feedback).shape[1]
