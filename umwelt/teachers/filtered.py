"""A teacher around a teacher: a task is practised only after trials have found it neither too easy nor too hard.

"Open-Ended Learning Leads to Generally Capable Agents" (2021) generates training tasks so. There a control policy rules out
tasks that need no skill. Here the same trials do: a task that the student always solves is too easy, whatever solves it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Feedback, Info, capability, keys, part, select, struct
from umwelt.core.contracts import Teacher
from umwelt.teachers.fields import same_rows


@struct
class FilteredState:
    """inner: the state of the teacher that proposes. tried: tasks [rows], on trial. plays, wins: int32 [rows], their trial
    episodes. done: bool [rows], another proposal is due. kept: tasks [slots], those that passed; filled, head: int32 []."""

    inner: Any
    tried: Any
    plays: jax.Array
    wins: jax.Array
    done: jax.Array
    kept: Any
    filled: jax.Array
    head: jax.Array


@part
class Filtered:
    """Sets some rows aside for trials, and gives the others the tasks that passed.

    >>> from umwelt.teachers.sampled import Sampled
    >>> from umwelt.core import Discrete

    >>> teacher = Filtered(teacher=Sampled(), rows=2)
    >>> state = teacher.init(jax.random.key(0), Discrete(n=9), {})
    >>> int(state.filled)  # nothing has passed yet
    0
    """

    teacher: Teacher
    """What proposes tasks."""
    easy: float = 0.9
    """A task is too easy where this share of its trials pays, or more."""
    hard: float = 0.1
    """A task is too hard where this share of its trials pays, or less."""
    trials: int = 4
    """Trial episodes of each proposal."""
    rows: int = 4
    """Rows of the life that are set aside for trials: the first ones."""
    slots: int = 32
    """Tasks that are kept; the oldest leaves first."""
    pays: float = 0.0
    """A trial is won where its return is above this."""

    cites = ("open_ended_2021",)

    def init(self, key: jax.Array, task_space: Any, named: dict[str, Any]) -> FilteredState:
        """Put the first proposals on trial."""
        if not 0.0 <= self.hard < self.easy <= 1.0:
            raise ValueError(f"hard={self.hard}, easy={self.easy}: give shares with hard below easy")
        if min(self.trials, self.rows, self.slots) < 1:
            raise ValueError(f"trials={self.trials}, rows={self.rows}, slots={self.slots}: each is at least 1")
        beginning, asking = keys.split(key, "inner", "ask")
        inner, tried = self.teacher.ask(asking, self.teacher.init(beginning, task_space, named), self.rows)
        none = jnp.zeros(self.rows, jnp.int32)
        kept = jax.tree.map(lambda leaf: jnp.zeros((self.slots, *leaf.shape[1:]), leaf.dtype), tried)
        return FilteredState(
            inner=inner,
            tried=tried,
            plays=none,
            wins=none,
            done=none > 0,
            kept=kept,
            filled=jnp.int32(0),
            head=jnp.int32(0),
        )

    def ask(self, key: jax.Array, state: FilteredState, n: int) -> tuple[FilteredState, Any]:
        """Return tasks [n]: on trial in the first rows, else one of those that passed; any proposal until one has."""
        asking, choosing = keys.split(key, "inner", "choose")
        inner, proposed = self.teacher.ask(asking, state.inner, max(n, self.rows))
        fresh = jax.tree.map(lambda leaf: leaf[: self.rows], proposed)
        none = jnp.zeros_like(state.plays)
        tried, plays, wins = select(state.done, (fresh, none, none), (state.tried, state.plays, state.wins))
        chosen = jax.random.randint(choosing, (n,), 0, jnp.maximum(state.filled, 1))
        passed = jax.tree.map(lambda leaf: leaf[chosen], state.kept)
        given = select(jnp.broadcast_to(state.filled > 0, (n,)), passed, jax.tree.map(lambda leaf: leaf[:n], proposed))
        first = min(n, self.rows)
        tasks = jax.tree.map(lambda leaf, trial: leaf.at[:first].set(trial[:first]), given, tried)
        return replace(state, inner=inner, tried=tried, plays=plays, wins=wins, done=none > 0), tasks

    def tell(self, key: jax.Array, state: FilteredState, tasks: Any, feedback: Feedback) -> FilteredState:
        """Count the trials that end now, and keep the tasks whose last trial it was, where they pass."""
        state = replace(state, inner=self.teacher.tell(key, state.inner, tasks, feedback))
        first = min(self.rows, feedback.finished.shape[0])
        here, tried = (jax.tree.map(lambda leaf: leaf[:first], each) for each in (tasks, state.tried))
        # a row may still end an episode of the task before
        counts = feedback.finished[:first] & same_rows(here, tried) & ~state.done[:first]
        won = counts & (feedback.returns[:first] > self.pays)
        plays = state.plays.at[:first].add(counts.astype(jnp.int32))
        wins = state.wins.at[:first].add(won.astype(jnp.int32))
        done = (plays >= self.trials) & ~state.done
        state = replace(state, plays=plays, wins=wins, done=state.done | done)
        return self._kept(state, done & self.fits(wins, plays))

    def fits(self, wins: jax.Array, plays: jax.Array) -> jax.Array:
        """Say of tasks [N] with so many wins in so many trials whether they are worth practising: bool [N]."""
        share = wins / jnp.maximum(plays, 1)
        return (share > self.hard) & (share < self.easy)

    @property
    def reflect(self) -> Callable[[jax.Array, FilteredState], tuple[FilteredState, Info]]:
        """Reflect as the inner teacher does. Absent where it does not."""
        found = capability(self.teacher, "reflect")
        if found is None:
            raise AttributeError(f"{type(self.teacher).__name__} has no `reflect`")

        def reflected(key: jax.Array, state: FilteredState) -> tuple[FilteredState, Info]:
            inner, info = found(key, state.inner)
            return replace(state, inner=inner), info

        return reflected

    def panel(self, named: dict[str, Any]) -> dict[str, Any]:
        """Examine what the inner teacher examines."""
        return self.teacher.panel(named)

    def _kept(self, state: FilteredState, rows: jax.Array) -> FilteredState:
        """Keep the tasks of rows bool [rows]."""
        rank = jnp.cumsum(rows, dtype=jnp.int32) - 1
        total = rank[-1] + 1
        at = jnp.where(rows & (rank >= total - self.slots), (state.head + rank) % self.slots, self.slots)
        kept = jax.tree.map(lambda held, new: held.at[at].set(new, mode="drop"), state.kept, state.tried)
        filled = jnp.minimum(state.filled + total, self.slots)
        return replace(state, kept=kept, filled=filled, head=(state.head + total) % self.slots)
