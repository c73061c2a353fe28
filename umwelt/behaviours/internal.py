"""Infer what cannot be sensed from how the body answered in the last moments.

"Hybrid internal model: a simple and efficient learner for agile legged locomotion" (2024). A short past becomes an explicit
guess of the hidden numbers, and a code that agrees with the code of the next moment. Agreement is swapped prototypes: each
of the two says which prototype the other has, and Sinkhorn's iteration keeps all prototypes in use ("Unsupervised learning
of visual features by contrasting cluster assignments", 2020). The policy reads the present moment, guess and code, and sends
no gradient back.

Where we differ: policy and values learn from a rollout first, with the codes by which it acted, and the internal model
after them.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours.asymmetric import Parts, ReadsParts, parts
from umwelt.behaviours.batch import mean
from umwelt.behaviours.on_policy import Rollout, turns
from umwelt.behaviours.proximal import PPO
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import layers, transport
from umwelt.networks.form import Form
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped

GUESS = Metric(
    name="guess_error", unit="deviations", meaning="root mean square error of the guess of hidden numbers", better="down"
)
SWAP = Metric(name="swap_loss", unit="nats", meaning="how unlike the prototypes of past and next moment are", better="down")


SHARP = 0.05
"""The difference of scores that counts e times where prototypes are shared out."""


@struct
class Weights:
    """encoder: past moments -> guess and code. target: the next moment -> code. prototypes: float32 [K, C]."""

    encoder: Stack
    target: Stack
    prototypes: jax.Array


@struct
class InternalState:
    """inner: of the policy. weights, optimiser: of the internal model."""

    inner: Any
    weights: Weights
    optimiser: Any
    parts: Parts = static()


@part
class Internal(ReadsParts):
    """A policy that reads what an internal model makes of a short past; a `RolloutLearner`.

    The observation is that of `umwelt.worlds.partly`.
    """

    learner: PPO = PPO()
    """The policy and its values."""
    past: int = 6
    """Moments that the world shows."""
    code: int = 16
    """Numbers of a code, of length 1."""
    prototypes: int = 32
    """Directions that codes are compared with."""
    units: tuple[int, ...] = (128, 64)
    """Widths of the hidden layers of encoder and target."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    clip: float = 10.0
    """The largest norm of a gradient."""
    temperature: float = 3.0
    """What scores are divided by before they are compared."""
    epochs: int = 4
    """Passes over a rollout."""
    pieces: int = 4
    """Batches of one pass."""

    cites = ("him_2024", "swav_2020")

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The policy's, and those of the internal model."""
        return (*self.learner.metrics, GUESS, SWAP)

    def init_for(self, key: jax.Array, observation: Form, action: Any) -> InternalState:
        """Begin untrained."""
        acting, encoding, aiming, drawing = keys.split(key, "policy", "encoder", "target", "prototypes")
        found = parts(observation, self.past, self)
        newest, hidden = len(found.newest), len(found.hidden)
        weights = Weights(
            encoder=layers.stack(encoding, (len(found.past), *self.units, hidden + self.code), normed=False),
            target=layers.stack(aiming, (newest, *self.units, self.code), normed=False),
            prototypes=jax.random.normal(drawing, (self.prototypes, self.code)),
        )
        inner = self.learner.init(acting, newest + hidden + self.code, action, facts=newest + hidden)
        return InternalState(inner=inner, weights=weights, optimiser=self._optimiser().init(weights), parts=found)

    def act(
        self, key: jax.Array, state: InternalState, features: jax.Array, mode: Mode, open: jax.Array | None = None
    ) -> tuple[Any, Any, jax.Array]:
        """Act on the present moment, guess and code."""
        return self.learner.act(key, state.inner, self.read(state, features), mode, open)

    def read(self, state: InternalState, features: jax.Array) -> jax.Array:
        """What the policy reads of features [..., F]: float32 [..., K]."""
        flat = features.reshape(-1, features.shape[-1])
        guess, code = self.inferred(state.weights, state.parts, flat)
        found = jnp.concatenate([flat[:, np.array(state.parts.newest)], guess, code], axis=-1)
        return found.reshape(*features.shape[:-1], -1)

    def inferred(self, weights: Weights, parts: Parts, features: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The guess [N, H] of hidden numbers, standard as features are, and the code [N, C] of features [N, F]."""
        found = layers.apply(weights.encoder, features[:, np.array(parts.past)], jax.nn.elu)
        hidden = len(parts.hidden)
        return found[:, :hidden], _unit(found[:, hidden:])

    def learn(self, key: jax.Array, state: InternalState, rollout: Rollout) -> tuple[InternalState, Info]:
        """Improve policy and values, then the internal model."""
        improving, shuffling = keys.split(key, "improve", "shuffle")
        told = state.parts.facts(rollout.now), state.parts.facts(rollout.after)
        read = replace(rollout, now=self.read(state, rollout.now), after=self.read(state, rollout.after), facts=told)
        inner, info = self.learner.learn(improving, state.inner, read)
        flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), (rollout.now, rollout.after, rollout.weight))

        def update(held: InternalState, chosen: jax.Array) -> tuple[InternalState, Info]:
            return self.taught(held, *(leaf[chosen] for leaf in flat))

        order = turns(shuffling, flat[2].shape[0], self.epochs, self.pieces)
        after, infos = jax.lax.scan(update, state, order)
        after = replace(after, inner=inner)
        some = jnp.any(rollout.weight > 0)
        after = jax.tree.map(lambda new, old: jnp.where(some, new, old), after, state)
        return after, {**info, **{name: value[-1] for name, value in infos.items()}}

    def taught(self, state: InternalState, now: jax.Array, after: jax.Array, weight: jax.Array) -> tuple[InternalState, Info]:
        """Update the internal model once from moments [N, F] and those that followed."""
        hidden = now[:, np.array(state.parts.hidden, int)]

        def miss(weights: Weights) -> tuple[jax.Array, Info]:
            guess, code = self.inferred(weights, state.parts, now)
            aim = _unit(layers.apply(weights.target, after[:, np.array(state.parts.newest)], jax.nn.elu))
            error = mean(jnp.mean((guess - hidden) ** 2, axis=-1), weight) if hidden.shape[1] else jnp.zeros(())
            swap = self.swapped(weights.prototypes, code, aim, weight)
            return error + swap, {"guess_error": jnp.sqrt(error), "swap_loss": swap}

        gradient, info = jax.grad(miss, has_aux=True)(state.weights)
        chain = self._optimiser()
        weights, optimised = stepped(chain, gradient, state.optimiser, state.weights)
        return replace(state, weights=weights, optimiser=optimised), info

    def swapped(self, prototypes: jax.Array, code: jax.Array, aim: jax.Array, weight: jax.Array) -> jax.Array:
        """How unlike the prototypes of two codes [N, C] of the same moment are, in nats."""
        directions = _unit(prototypes)
        one, other = code @ directions.T, aim @ directions.T

        def shares(scores: jax.Array) -> jax.Array:
            # rows without weight take no share of the prototypes
            closed = jnp.where(weight[:, None] > 0, scores, -1.0)
            return jax.lax.stop_gradient(transport.shares(closed / SHARP) * scores.shape[0])

        said, meant = (jax.nn.log_softmax(scores / self.temperature, axis=-1) for scores in (one, other))
        each = jnp.sum(shares(one) * meant + shares(other) * said, axis=-1)
        return -0.5 * mean(each, weight) / prototypes.shape[0]

    def _optimiser(self) -> Any:
        return optimiser(self.learning_rate, clip=self.clip)


def _unit(vectors: jax.Array) -> jax.Array:
    """Vectors [N, C] of length 1."""
    return vectors / jnp.sqrt(jnp.sum(vectors**2, axis=-1, keepdims=True) + 1e-8)
