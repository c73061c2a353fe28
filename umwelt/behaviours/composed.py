"""Skills as low-rank changes of one policy, mixed in the space of weights: "Skill expansion and composition in parameter
space" (ICLR 2025)."""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.core import Box, Info, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import deltas, layers
from umwelt.networks.deltas import Delta
from umwelt.networks.form import Form, form
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped

Trains = Literal["base", "skill", "mixture"]
"""What a lesson changes: the shared policy; one skill; or the mixing network and one skill."""


@struct
class Weights:
    """base: the shared policy. changes: of K skills. context: a stack, from features to the weight of each skill."""

    base: Stack
    changes: tuple[Delta, ...]
    context: Stack


@struct
class ComposedState:
    """weights: all of them. optimiser: its state; `started` begins another lesson."""

    weights: Weights
    optimiser: Any
    action_form: Form = static()


@part
class Composed:
    """A policy and `slots` skills, each a change of it of low rank. What a lesson does not train stays bit for bit.

    >>> policy = Composed(units=4, rank=1, slots=2)
    >>> state = policy.init(jax.random.key(0), 3, Box(shape=(1,), low=-1.0, high=1.0))
    >>> deltas.numbers(state.weights.changes)  # of one skill: 3 + 4, 4 + 4 and 4 + 1
    20
    """

    units: int = 64
    """Width of the two hidden layers."""
    rank: int = 8
    """Rank of a skill's change of each layer."""
    slots: int = 4
    """Skills that it has room for."""
    scale: float = 2.0
    """What changes are multiplied by."""
    learning_rate: float = 3e-3
    """Step size of Adam."""

    cites = ("psec_2025", "lora_2022")

    @property
    def space(self) -> Box:
        """What names a skill: the weight of each change; a one-hot vector is one skill, zeros the shared policy."""
        return Box(shape=(self.slots,), low=0.0, high=1.0)

    def init(self, key: jax.Array, width: int, action: Any) -> ComposedState:
        """Begin untrained, for `width` features and an action space of one bounded Box."""
        if not isinstance(action, Box) or not action.bounded:
            raise ValueError(f"action space {action!r}: Composed acts in one bounded Box; take a world of continuous actions")
        if self.rank < 1 or self.slots < 1:
            raise ValueError(f"rank={self.rank}, slots={self.slots}: at least 1 of each is needed")
        acts = form(action)
        for_base, for_changes, for_context = keys.split(key, "base", "changes", "context")
        base = layers.stack(for_base, (width, self.units, self.units, acts.width), normed=False)
        weights = Weights(
            base=base,
            changes=deltas.deltas(for_changes, base, self.slots, self.rank),
            context=layers.stack(for_context, (width, self.units, self.slots), scale=0.01, normed=False),
        )
        return ComposedState(weights=weights, optimiser=optimiser(self.learning_rate).init(weights), action_form=acts)

    def act(self, key: jax.Array, state: ComposedState, skill: Any, features: jax.Array, mode: Mode) -> Any:
        """The actions [B, ...] of mixtures of skills [B, K] for features [B, F]."""
        low, high = (jnp.asarray(edge, jnp.float32) for edge in state.action_form.bounds)
        return state.action_form.value((low + high) / 2 + (high - low) / 2 * self.told(state.weights, skill, features))

    def told(self, weights: Weights, skill: jax.Array, features: jax.Array) -> jax.Array:
        """The actions in units, float32 [N, A]."""
        outputs = deltas.apply(weights.base, weights.changes, skill, features, jax.nn.relu, self.scale)
        return jnp.clip(outputs, -1.0, 1.0)

    def mixture(self, weights: Weights, slot: Any, features: jax.Array) -> jax.Array:
        """The weights of the other skills in their context, and 1 for the skill in `slot`: float32 [N, K]."""
        mixed = jax.nn.softmax(layers.apply(weights.context, features, jax.nn.relu), axis=-1)
        own = jax.nn.one_hot(slot, self.slots)
        return mixed * (1.0 - own) + own

    def started(self, state: ComposedState) -> ComposedState:
        """Begin another lesson: the optimiser forgets the last one, so that nothing else moves."""
        return replace(state, optimiser=optimiser(self.learning_rate).init(state.weights))

    def learn(
        self, state: ComposedState, trains: Trains, slot: Any, features: jax.Array, done: jax.Array
    ) -> tuple[ComposedState, Info]:
        """Clone actions, in units [N, A], once: change the base, the skill in a slot, or mixture and skill."""

        def miss(weights: Weights) -> jax.Array:
            rows = features.shape[0]
            none = jnp.zeros((rows, self.slots))
            alone = none + jax.nn.one_hot(slot, self.slots)
            skill = {"base": none, "skill": alone, "mixture": self.mixture(weights, slot, features)}[trains]
            outputs = deltas.apply(weights.base, weights.changes, skill, features, jax.nn.relu, self.scale)
            return jnp.mean((outputs - done) ** 2)

        loss, gradient = jax.value_and_grad(miss)(state.weights)
        own = self._own(gradient, trains, slot)
        weights, optimised = stepped(optimiser(self.learning_rate), own, state.optimiser, state.weights)
        return replace(state, weights=weights, optimiser=optimised), {"imitation_loss": loss}

    def _own(self, gradient: Weights, trains: Trains, slot: Any) -> Weights:
        """The gradient of what a lesson trains, and zeros for all else."""
        none = jax.tree.map(jnp.zeros_like, gradient)
        own = jax.nn.one_hot(slot, self.slots)
        changes = jax.tree.map(lambda leaf: leaf * own[:, None, None], gradient.changes)
        if trains == "base":
            return replace(none, base=gradient.base)
        return replace(none, changes=changes, context=gradient.context if trains == "mixture" else none.context)
