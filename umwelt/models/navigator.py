"""What a goal looks like from here, behind a bottleneck: "Rapid exploration for open-world navigation with latent goal
models" (CoRL 2021).

An encoder sees the present moment and a goal, and says of it what fits through a bottleneck. From that and the present moment
alone, two heads tell the action to take and the decisions that the way takes. So the prior of the bottleneck holds goals
that are feasible from here, also in a place that was never seen.
"""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Info, keys, part, struct
from umwelt.networks import layers
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped, where_any


@struct
class NavigatorState:
    """encoder, actor, distance: stacks, and the optimiser's state of all."""

    encoder: Stack
    actor: Stack
    distance: Stack
    optimiser: Any


@part
class Navigator:
    """Latent goals, and the heads that tell action and distance of them. It learns from pairs of moments of one run.

    >>> navigator = Navigator(size=2, units=8)
    >>> state = navigator.init(jax.random.key(0), seen=3, wanted=2, actions=1)
    >>> latent = navigator.sampled(jax.random.key(1), 5)
    >>> navigator.act(state, latent, jnp.ones((5, 3))).shape
    (5, 1)
    """

    size: int = 4
    """Numbers of a latent goal."""
    units: int = 64
    """Width of the two hidden layers of each network."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    beta: float = 0.05
    """What a nat of the bottleneck costs, in units of squared errors."""
    farthest: float = 20.0
    """The unit of distances, in decisions."""

    cites = ("recon_2021",)

    def init(self, key: jax.Array, seen: int, wanted: int, actions: int) -> NavigatorState:
        """Begin untrained. seen, wanted, actions: numbers of a moment, of a goal as it is given, and of an action."""
        if self.size < 1:
            raise ValueError(f"size={self.size}: a latent goal has at least 1 number")
        encoding, acting, measuring = keys.split(key, "encode", "act", "measure")
        hidden = (self.units, self.units)
        encoder = layers.stack(encoding, (seen + wanted, *hidden, 2 * self.size), scale=0.1, normed=False)
        actor = layers.stack(acting, (self.size + seen, *hidden, actions), normed=False)
        distance = layers.stack(measuring, (self.size + seen, *hidden, 1), normed=False)
        started = optimiser(self.learning_rate).init((encoder, actor, distance))
        return NavigatorState(encoder=encoder, actor=actor, distance=distance, optimiser=started)

    def encode(self, state: NavigatorState, seen: jax.Array, wanted: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The mean and the log deviation of the latent of goals [N, G] from moments [N, F]: float32 [N, size] each."""
        return self._encoded(state.encoder, seen, wanted)

    def sampled(self, key: jax.Array, number: int) -> jax.Array:
        """Draw latent goals from the prior: float32 [number, size]."""
        return jax.random.normal(key, (number, self.size))

    def act(self, state: NavigatorState, latent: jax.Array, seen: jax.Array) -> jax.Array:
        """The action, in units, towards latent goals [N, size] from moments [N, F]: float32 [N, A]."""
        return jnp.clip(layers.apply(state.actor, jnp.concatenate([latent, seen], axis=-1), jax.nn.relu), -1.0, 1.0)

    def far(self, state: NavigatorState, latent: jax.Array, seen: jax.Array) -> jax.Array:
        """The decisions to latent goals [N, size] from moments [N, F]: float32 [N]."""
        told = layers.apply(state.distance, jnp.concatenate([latent, seen], axis=-1), jax.nn.relu)
        return jnp.maximum(told[:, 0], 0.0) * self.farthest

    def learn(
        self,
        key: jax.Array,
        state: NavigatorState,
        seen: jax.Array,
        wanted: jax.Array,
        action: jax.Array,
        steps: jax.Array,
        weight: jax.Array,
    ) -> tuple[NavigatorState, Info]:
        """Update once from pairs: moments [N, F], goals [N, G] that their runs came to `steps` [N] later, and the actions
        [N, A], in units, that were taken; rows of weight [N] 0 change nothing."""
        share = weight / jnp.maximum(jnp.sum(weight), 1.0)
        noise = jax.random.normal(key, (seen.shape[0], self.size))

        def miss(networks: tuple[Stack, Stack, Stack]) -> tuple[jax.Array, Info]:
            mean, log_deviation = self._encoded(networks[0], seen, wanted)
            latent = mean + jnp.exp(log_deviation) * noise
            inputs = jnp.concatenate([latent, seen], axis=-1)
            told = layers.apply(networks[1], inputs, jax.nn.relu)
            far = layers.apply(networks[2], inputs, jax.nn.relu)[:, 0]
            of_action = jnp.sum(share * jnp.mean((told - action) ** 2, axis=-1))
            of_distance = jnp.sum(share * (far - steps / self.farthest) ** 2)
            nats = jnp.sum(share * kept_nats(mean, log_deviation))
            info = {"action_loss": of_action, "distance_loss": of_distance, "bottleneck": nats}
            return of_action + of_distance + self.beta * nats, info

        networks = (state.encoder, state.actor, state.distance)
        gradient, info = jax.grad(miss, has_aux=True)(networks)
        (encoder, actor, distance), optimised = stepped(optimiser(self.learning_rate), gradient, state.optimiser, networks)
        after = NavigatorState(encoder=encoder, actor=actor, distance=distance, optimiser=optimised)
        return where_any(weight, after, state), info

    def _encoded(self, encoder: Stack, seen: jax.Array, wanted: jax.Array) -> tuple[jax.Array, jax.Array]:
        outputs = layers.apply(encoder, jnp.concatenate([seen, wanted], axis=-1), jax.nn.relu)
        mean, raw = jnp.split(outputs, 2, axis=-1)
        return mean, jnp.clip(raw, -5.0, 2.0)


def kept_nats(mean: jax.Array, log_deviation: jax.Array) -> jax.Array:
    """The divergence of normals [N, K] from the unit normal: float32 [N]."""
    return jnp.sum(0.5 * (mean**2 + jnp.exp(2 * log_deviation) - 1.0) - log_deviation, axis=-1)
