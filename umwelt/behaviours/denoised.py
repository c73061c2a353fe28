"""Cloning by denoising: actions are drawn as noise that a network cleans, given what is seen.

"Imitating human behaviour with diffusion models" (2023). Entries of an action, and actions of a chunk, keep their
structure, where a mean or bins for each entry do not. The published extensions are fields of `Diffusion`: further steps at
the end, the densest of many draws, and guidance. "Consistency models as a rich and efficient policy class" (2024) draws in
two steps. The network here is small, and reads its window as one vector.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import mean
from umwelt.behaviours.histories import Context, Sequences, chunks
from umwelt.core import Info, Metric, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import denoisers, policies
from umwelt.networks.denoisers import Denoiser, Diffusion, Way
from umwelt.networks.optimise import optimiser, stepped, where_any

DENOISING = Metric(
    name="denoising_loss", unit="squared units", meaning="error of what is denoised, before the update", better="down"
)


@struct
class DenoisedState:
    """policy: a denoiser of chunks. optimiser: Optax's. lessons: int32 []."""

    policy: Denoiser
    optimiser: Any
    lessons: jax.Array
    acts: policies.Policy = static()


@part
class Denoised:
    """Draws the next actions by denoising, and clones by it; a `SequenceLearner`."""

    by: Way = Diffusion()
    """How it is learned and drawn: `Diffusion()` in many steps, `Consistency()` in a few."""
    window: int = 2
    """Steps of history that it reads."""
    chunk: int = 1
    """Actions that are drawn at once."""
    units: int = 64
    """Width of the hidden layers."""
    layers: int = 3
    """Hidden layers."""
    learning_rate: float = 1e-3
    """Step size of Adam."""

    metrics = (DENOISING,)
    cites = ("diffusion_bc_2023",)

    @property
    def context(self) -> int:
        """Steps of history that it reads."""
        return self.window

    @property
    def length(self) -> int:
        """Transitions of a stretch to learn from."""
        return self.window + self.chunk - 1

    def init(self, key: jax.Array, width: int, action: Any) -> DenoisedState:
        """Begin untrained."""
        acts = policies.over(action)
        size = self.chunk * acts.inputs
        policy = denoisers.denoiser(key, self.window * (width + 1), size, self.by.outputs(size), self.units, self.layers)
        return DenoisedState(
            policy=policy,
            optimiser=self._optimiser().init(policy),
            lessons=jnp.int32(0),
            acts=acts,
        )

    def act(
        self, key: jax.Array, state: DenoisedState, features: Context, mode: Mode, open: jax.Array | None = None
    ) -> jax.Array:
        """Draw a chunk after histories [N, K], in every mode: float32 [N, chunk, A]."""
        seen = windows(features.features, features.known, self.window)[:, -1]
        drawn = self.by.draw(key, state.policy, seen, self.chunk * state.acts.inputs)
        return drawn.reshape(drawn.shape[0], self.chunk, -1)

    def learn(self, key: jax.Array, state: DenoisedState, batch: Sequences) -> tuple[DenoisedState, Info]:
        """Update once from the chunks that follow every step of the stretches."""
        clean, known = chunks(batch, self.chunk)
        weight = known.reshape(-1).astype(jnp.float32)
        clean = jnp.where(known[:, :, None], clean, 0.0).reshape(weight.shape[0], -1)
        places = known.shape[1]
        seen = windows(batch.context.features[:, :places], batch.context.known[:, :places], self.window)
        seen = seen.reshape(weight.shape[0], -1)

        def miss(policy: Denoiser) -> jax.Array:
            return mean(self.by.loss(key, policy, clean, seen, state.lessons), weight)

        loss, gradient = jax.value_and_grad(miss)(state.policy)
        policy, optimised = stepped(self._optimiser(), gradient, state.optimiser, state.policy)
        after = replace(state, policy=policy, optimiser=optimised, lessons=state.lessons + 1)
        return where_any(weight, after, state), {"denoising_loss": loss}

    def _optimiser(self) -> Any:
        return optimiser(self.learning_rate, clip=1.0)


def windows(features: jax.Array, known: jax.Array, size: int) -> jax.Array:
    """The last `size` steps up to each step as one vector, with marks of those that are known: features [N, L, F] and known
    [N, L] -> float32 [N, L, size (F + 1)]. What lies before the first step is not known."""
    marked = jnp.concatenate([features, jnp.ones_like(features[..., :1])], axis=-1) * known[..., None]
    padded = jnp.pad(marked, ((0, 0), (size - 1, 0), (0, 0)))
    at = jnp.arange(features.shape[1])[:, None] + jnp.arange(size)
    return padded[:, at].reshape(*known.shape, -1)
