"""How far seeing a transition changes a latent belief about it.

"Curiosity-driven exploration via latent Bayesian surprise" (AAAI 2022). A one-step model has a latent z: a prior of now
and action, a posterior that sees the change too, and a decoder that predicts the change from the action and z. The
bonus is the divergence of posterior from prior. Noise that the latent need not carry pays next to nothing, where the
error of a prediction would stay.

The decoder has unit variance on standardised changes: what varies less than that is not worth a latent.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Info, Metric, Moment, keys, part, struct
from umwelt.networks import bonuses, layers, scale
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped, where_any
from umwelt.networks.scale import Scale

NATS = Metric(name="latent_surprise", unit="nats", meaning="mean divergence of posterior from prior, before the update")
MISS = Metric(
    name="latent_error",
    unit="variances of the changes",
    meaning="mean squared error of the decoder, before the update",
    better="down",
)


@struct
class Weights:
    """prior, posterior, decoder: stacks."""

    prior: Stack
    posterior: Stack
    decoder: Stack


@struct
class LatentState:
    """weights: of all networks. optimiser: Optax's. inputs, changes: scales of what is read, and of what is predicted."""

    weights: Weights
    optimiser: Any
    inputs: Scale
    changes: Scale


@part
class LatentSurprise:
    """The divergence, in nats, between what a latent is believed to be before a transition is seen, and after.

    >>> signal, key = LatentSurprise(latent=2, units=8), jax.random.key(0)
    >>> state = signal.init(key, width=2, actions=1, batch=1)

    >>> place = jnp.ones((1, 2))
    >>> moment = Moment(now=place, after=2 * place, done=place[:, :1], weight=jnp.ones(1), surprise=jnp.zeros(1))
    >>> float(jax.jit(signal.bonus)(key, state, moment)[0]) >= 0.0
    True
    """

    latent: int = 8
    """Numbers of the latent."""
    units: int = 64
    """Width of the two hidden layers of each network."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    clip: float = 10.0
    """Inputs and changes are clipped at so many standard deviations."""
    horizon: float = 1e5
    """Transitions over which scales are averaged."""
    standard: bool = True
    """Bring the changes into standard units. False leaves them as they are; then noise below 1 pays nothing."""

    metrics = (NATS, MISS)
    novelty = True
    cites = ("latent_bayesian_surprise_2022",)

    def init(self, key: jax.Array, width: int, actions: int, batch: int) -> LatentState:
        """Draw the networks."""
        if self.latent < 1:
            raise ValueError(f"latent={self.latent}: a belief needs at least 1 number")
        into = width + actions
        named = keys.split(key, "prior", "posterior", "decoder")
        hidden, out = (self.units, self.units), 2 * self.latent
        widths = ((into, *hidden, out), (into + width, *hidden, out), (into + self.latent, *hidden, width))
        weights: Any = _weights(named, widths)
        return LatentState(
            weights=weights,
            optimiser=optimiser(self.learning_rate).init(weights),
            inputs=scale.unit(into),
            changes=scale.unit(width),
        )

    def bonus(self, key: jax.Array, state: LatentState, moment: Moment) -> jax.Array:
        """The divergence of each row: float32 [N]."""
        return _divergence(*self._beliefs(state.weights, *self._read(state, moment)))

    def learn(self, key: jax.Array, state: LatentState, moment: Moment) -> tuple[LatentState, Info]:
        """Update the scales, then the networks once."""
        wiped, number, share = bonuses.weighed(moment)
        rows, change = jnp.concatenate([wiped.now, wiped.done], axis=-1), wiped.after - wiped.now
        scaled = replace(
            state,
            inputs=scale.update(state.inputs, rows, number, self.horizon),
            changes=scale.update(state.changes, change, number, self.horizon),
        )
        known, found = self._read(scaled, wiped)

        def loss(weights: Weights) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
            prior, posterior = self._beliefs(weights, known, found)
            noise = jax.random.normal(key, posterior[0].shape)
            drawn = posterior[0] + jnp.exp(posterior[1]) * noise
            told = layers.apply(weights.decoder, jnp.concatenate([known, drawn], axis=-1), jax.nn.silu)
            missed = jnp.sum(share * jnp.sum((told - found) ** 2, axis=-1))
            nats = jnp.sum(share * _divergence(prior, posterior))
            return 0.5 * missed + nats, (nats, missed / found.shape[-1])

        gradient, (nats, missed) = jax.grad(loss, has_aux=True)(state.weights)
        weights, optimised = stepped(optimiser(self.learning_rate), gradient, state.optimiser, state.weights)
        learned = replace(scaled, weights=weights, optimiser=optimised)
        return where_any(moment.weight, learned, state), {"latent_surprise": nats, "latent_error": missed}

    def _read(self, state: LatentState, moment: Moment) -> tuple[jax.Array, jax.Array]:
        """What is known before, [N, F + A], and the change that is found, [N, F], in standard units."""
        rows = jnp.concatenate([moment.now, moment.done], axis=-1)
        change = moment.after - moment.now
        if self.standard:
            change = (change - state.changes.mean) / state.changes.deviation
        return scale.standard(state.inputs, rows, self.clip), jnp.clip(change, -self.clip, self.clip)

    def _beliefs(self, weights: Weights, known: jax.Array, found: jax.Array) -> tuple[Any, Any]:
        """Mean and log deviation [N, latent] of prior and posterior."""
        both = jnp.concatenate([known, found], axis=-1)
        outputs = (layers.apply(stack, rows, jax.nn.silu) for stack, rows in ((weights.prior, known), (weights.posterior, both)))
        prior, posterior = (jnp.split(each, 2, axis=-1) for each in outputs)
        return (prior[0], _bounded(prior[1])), (posterior[0], _bounded(posterior[1]))


def _weights(named: Any, widths: tuple[tuple[int, ...], ...]) -> Weights:
    prior, posterior, decoder = (layers.stack(key, wide, normed=False) for key, wide in zip(named, widths, strict=True))
    return Weights(prior=prior, posterior=posterior, decoder=decoder)


def _bounded(raw: jax.Array) -> jax.Array:
    """A log deviation between -5 and 2."""
    return -1.5 + 3.5 * jnp.tanh((raw + 1.5) / 3.5)


def _divergence(prior: tuple[jax.Array, jax.Array], posterior: tuple[jax.Array, jax.Array]) -> jax.Array:
    """Nats of posterior over prior, normals with mean and log deviation [N, latent]: float32 [N]."""
    (mean, wide), (found, narrow) = prior, posterior
    ratio = jnp.exp(2.0 * (narrow - wide))
    return jnp.sum(wide - narrow + 0.5 * (ratio + ((found - mean) * jnp.exp(-wide)) ** 2 - 1.0), axis=-1)
