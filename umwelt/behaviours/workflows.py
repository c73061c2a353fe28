"""Exploration that demonstrations loosen: at each step one of the constraints that the shown action satisfies.

"Reinforcement learning on web interfaces using workflow-guided exploration" (2018). A demonstration of one instruction says
little about another, but "write into this field" or "write what the instruction says" may hold for both. Which constraint to
follow at which step is learned from success; within a constraint, actions are drawn evenly.
"""

import jax
import jax.numpy as jnp

from umwelt.core import keys, part, static, struct

CONSTRAINTS = ("anything", "any field", "this field", "as instructed", "this field as instructed", "submit")
"""The language, for pages of fields: which actions each allows."""


@struct
class WorkflowsState:
    """scores: float32 [T, C], of each constraint at each step. allowed: bool [T, C], those that the shown action satisfies.
    fields: int32 [T], the field that was written. success: float32 [], its running mean."""

    scores: jax.Array
    allowed: jax.Array
    fields: jax.Array
    success: jax.Array
    values: int = static(default=0)


@part
class Workflows:
    """A policy over pages: a constraint of each step by softmax, and an even choice among the actions that satisfy it.

    >>> workflows = Workflows()

    >>> state = workflows.init(jnp.array([4, 1, 6]), fields=2, values=3)  # field 1, field 0, submit

    >>> [name for name, found in zip(CONSTRAINTS, state.allowed[2].tolist()) if found]
    ['anything', 'submit']
    """

    learning_rate: float = 5.0
    """Step size of the scores, for the mean of a batch of episodes of which few succeed at first."""
    forgets: float = 0.05
    """Share of the running success that a batch of episodes replaces; it is the baseline."""

    cites = ("workflow_exploration_2018",)

    def init(self, demonstration: jax.Array, fields: int, values: int) -> WorkflowsState:
        """Read a demonstration: choices int32 [T] of a page, (field, value) in the order of fields, and at last to submit."""
        submits = demonstration == fields * values
        # what the instruction was is not read: a demonstration is held to follow it
        write, end = [True, True, True, True, True, False], [True, False, False, False, False, True]
        allowed = jnp.where(submits[:, None], jnp.array(end), jnp.array(write))
        return WorkflowsState(
            scores=jnp.zeros(allowed.shape, jnp.float32),
            allowed=allowed,
            fields=jnp.where(submits, fields, demonstration // values),
            success=jnp.float32(0.0),
            values=values,
        )

    def satisfying(self, state: WorkflowsState, step: jax.Array, instruction: jax.Array) -> jax.Array:
        """Which choices satisfy each constraint at a step: bool [B, C, fields * values + 1]. instruction: int32 [B, fields]."""
        fields, values = instruction.shape[1], state.values
        choice = jnp.arange(fields * values + 1)
        submits = choice == fields * values
        field, value = choice // values, choice % values
        here = field == state.fields[step]
        wanted = jnp.take(instruction, jnp.minimum(field, fields - 1), axis=1) == value
        every = jnp.ones_like(wanted)
        writes = [every, every & here, wanted, wanted & here]
        return jnp.stack([every, *[one & ~submits for one in writes], every & submits], axis=1)

    def act(self, key: jax.Array, state: WorkflowsState, step: jax.Array, instruction: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Draw constraints and choices for instructions [B, fields]: int32 [B] each."""
        choosing, drawing = keys.split(key, "constraint", "choice")
        logits = jnp.where(state.allowed[step], state.scores[step], -1e9)
        chosen = jax.random.categorical(choosing, logits, shape=instruction.shape[:1])
        open = jnp.take_along_axis(self.satisfying(state, step, instruction), chosen[:, None, None], axis=1)[:, 0]
        return chosen, jax.random.categorical(drawing, jnp.where(open, 0.0, -1e9)).astype(jnp.int32)

    def learn(self, state: WorkflowsState, chosen: jax.Array, succeeded: jax.Array) -> WorkflowsState:
        """Raise the scores of what was chosen [B, T] in episodes that succeeded [B] more often than usual (REINFORCE)."""
        better = succeeded.astype(jnp.float32) - state.success
        chance = jax.nn.softmax(jnp.where(state.allowed, state.scores, -1e9), axis=-1)
        slope = jax.nn.one_hot(chosen, len(CONSTRAINTS)) - chance
        scores = state.scores + self.learning_rate * jnp.mean(better[:, None, None] * slope, axis=0)
        success = (1.0 - self.forgets) * state.success + self.forgets * jnp.mean(succeeded)
        return WorkflowsState(scores=scores, allowed=state.allowed, fields=state.fields, success=success, values=state.values)
