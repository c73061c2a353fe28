"""Short skills from logs without rewards: a variational autoencoder of stretches of a few decisions.

"Leveraging skills from unlabeled prior data for efficient online exploration" (2024): an encoder reads a stretch.
A decoder computes actions from an observation and a skill, and a prior says which skills fit an observation.
"""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Box, Info, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import layers
from umwelt.networks.form import Form, form
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped, where_any

WIDE = 2.0
"""Skills called at -1 and 1 lie so many deviations of the prior from its middle."""


@struct
class LatentSkillsState:
    """encoder, decoder, prior: stacks, and the optimiser's state of all."""

    encoder: Stack
    decoder: Stack
    prior: Stack
    optimiser: Any
    action_form: Form = static()


@part
class LatentSkills:
    """Skills that are numbers, each of which acts for `horizon` decisions as stretches of the logs do.

    >>> skills = LatentSkills(horizon=2, size=3, units=4)
    >>> state = skills.init(jax.random.key(0), 2, Box(shape=(1,), low=-1.0, high=1.0))
    >>> skills.act(jax.random.key(1), state, jnp.zeros((5, 3)), jnp.zeros((5, 2)), "exploit").shape
    (5, 1)
    """

    horizon: int = 4
    """Decisions of a skill."""
    size: int = 8
    """Numbers of a skill."""
    units: int = 128
    """Width of the two hidden layers."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    divergence: float = 0.1
    """Weight of the divergence from the prior."""

    cites = ("supe_2024",)

    @property
    def space(self) -> Box:
        """What names a skill."""
        return Box(shape=(self.size,), low=-1.0, high=1.0)

    def init(self, key: jax.Array, width: int, action: Any) -> LatentSkillsState:
        """Begin untrained, for `width` features and an action space of one bounded Box."""
        if not isinstance(action, Box) or not action.bounded:
            raise ValueError(f"action space {action!r}: LatentSkills acts in one bounded Box; take a world of continuous actions")
        acts = form(action)
        encoding, decoding, expecting = keys.split(key, "encode", "decode", "expect")
        hidden = (self.units, self.units)
        stretch = self.horizon * (width + acts.width)
        networks = (
            layers.stack(encoding, (stretch, *hidden, 2 * self.size), scale=0.1, normed=False),
            layers.stack(decoding, (width + self.size, *hidden, acts.width), normed=False),
            layers.stack(expecting, (width, *hidden, 2 * self.size), scale=0.1, normed=False),
        )
        started = optimiser(self.learning_rate).init(networks)
        return LatentSkillsState(encoder=networks[0], decoder=networks[1], prior=networks[2], optimiser=started, action_form=acts)

    def act(self, key: jax.Array, state: LatentSkillsState, skill: Any, features: jax.Array, mode: Mode) -> Any:
        """The actions [B, ...] of skills [B, size] for features [B, F]."""
        mean, log_deviation = _normal(layers.apply(state.prior, features, jax.nn.relu))
        latent = mean + WIDE * jnp.exp(log_deviation) * skill
        return self._scaled(state, self._told(state.decoder, features, latent))

    def named(self, state: LatentSkillsState, seen: jax.Array, done: jax.Array) -> jax.Array:
        """The skills of stretches, by the encoder's mean: seen [N, horizon, F], done [N, horizon, A] in units -> [N, size]."""
        latent, _ = self._encoded(state.encoder, seen, done)
        mean, log_deviation = _normal(layers.apply(state.prior, seen[:, 0], jax.nn.relu))
        return jnp.clip((latent - mean) * jnp.exp(-log_deviation) / WIDE, -1.0, 1.0)

    def learn(
        self, key: jax.Array, state: LatentSkillsState, seen: jax.Array, done: jax.Array, weight: jax.Array
    ) -> tuple[LatentSkillsState, Info]:
        """Update once from stretches: seen [N, horizon, F], done [N, horizon, A] in units; rows of weight 0 change nothing."""
        share = weight / jnp.maximum(jnp.sum(weight), 1.0)
        noise = jax.random.normal(key, (seen.shape[0], self.size))

        def miss(networks: tuple[Stack, Stack, Stack]) -> tuple[jax.Array, Info]:
            mean, log_deviation = self._encoded(networks[0], seen, done)
            latent = mean + jnp.exp(log_deviation) * noise
            every = jnp.repeat(latent, self.horizon, axis=0)
            told = self._told(networks[1], seen.reshape(every.shape[0], -1), every).reshape(done.shape)
            middle, log_width = _normal(layers.apply(networks[2], seen[:, 0], jax.nn.relu))
            error = jnp.sum(share * 0.5 * jnp.sum((told - done) ** 2, axis=(1, 2)))
            nats = jnp.sum(share * divergence(mean, log_deviation, middle, log_width))
            return error + self.divergence * nats, {"skill_error": error, "skill_nats": nats}

        networks = (state.encoder, state.decoder, state.prior)
        gradient, info = jax.grad(miss, has_aux=True)(networks)
        (encoder, decoder, prior), optimised = stepped(optimiser(self.learning_rate), gradient, state.optimiser, networks)
        after = LatentSkillsState(
            encoder=encoder, decoder=decoder, prior=prior, optimiser=optimised, action_form=state.action_form
        )
        return where_any(weight, after, state), info

    def _encoded(self, encoder: Stack, seen: jax.Array, done: jax.Array) -> tuple[jax.Array, jax.Array]:
        stretch = jnp.concatenate([seen, done], axis=-1).reshape(seen.shape[0], -1)
        return _normal(layers.apply(encoder, stretch, jax.nn.relu))

    def _told(self, decoder: Stack, features: jax.Array, latent: jax.Array) -> jax.Array:
        return jnp.tanh(layers.apply(decoder, jnp.concatenate([features, latent], axis=-1), jax.nn.relu))

    def _scaled(self, state: LatentSkillsState, unit: jax.Array) -> Any:
        """Units [N, A] as actions of the world."""
        low, high = (jnp.asarray(edge, jnp.float32) for edge in state.action_form.bounds)
        return state.action_form.value((low + high) / 2 + (high - low) / 2 * unit)


def divergence(mean: jax.Array, log_deviation: jax.Array, middle: jax.Array, log_width: jax.Array) -> jax.Array:
    """The divergence of normals [N, K] from others [N, K]: float32 [N]."""
    square = (mean - middle) ** 2 * jnp.exp(-2 * log_width) + jnp.exp(2 * (log_deviation - log_width))
    return jnp.sum(log_width - log_deviation + 0.5 * (square - 1.0), axis=-1)


def _normal(outputs: jax.Array) -> tuple[jax.Array, jax.Array]:
    mean, raw = jnp.split(outputs, 2, axis=-1)
    return mean, jnp.clip(raw, -5.0, 2.0)
