"""A gated recurrent unit: a summary of what came before, step by step.

The candidate reads the gated summary after its product, as fast implementations do. Where a sequence begins, the summary
is zeros.
"""

import jax
import jax.numpy as jnp

from umwelt.core import keys, struct
from umwelt.networks import layers
from umwelt.networks.layers import Layer


@struct
class Gru:
    """inputs: a layer [F, 3 U]. hidden: a layer [U, 3 U]. In each: reset, update and candidate side by side."""

    inputs: Layer
    hidden: Layer


def gru(key: jax.Array, into: int, units: int) -> Gru:
    """Draw a unit that reads `into` numbers and keeps `units`."""
    one, other = keys.split(key, "inputs", "hidden")
    return Gru(inputs=layers.layer(one, into, 3 * units), hidden=layers.layer(other, units, 3 * units))


def zeros(unit: Gru, rows: int) -> jax.Array:
    """Make the summary of nothing: float32 [rows, U]."""
    return jnp.zeros((rows, unit.hidden.weight.shape[0]), jnp.float32)


def step(unit: Gru, summary: jax.Array, inputs: jax.Array) -> jax.Array:
    """Take inputs [N, F] into a summary [N, U]."""
    reset, update, seen = jnp.split(layers.finished(unit.inputs, inputs @ unit.inputs.weight), 3, axis=-1)
    to_reset, to_update, kept = jnp.split(layers.finished(unit.hidden, summary @ unit.hidden.weight), 3, axis=-1)
    candidate = jnp.tanh(seen + jax.nn.sigmoid(reset + to_reset) * kept)
    keeps = jax.nn.sigmoid(update + to_update)
    return keeps * summary + (1.0 - keeps) * candidate


def run(unit: Gru, summary: jax.Array, inputs: jax.Array, begins: jax.Array | None = None) -> tuple[jax.Array, jax.Array]:
    """Take sequences [L, N, F] in: the last summary [N, U], and the one after each step [L, N, U].

    begins: bool [L, N], where the summary is forgotten before a step.
    """
    forgets = jnp.zeros(inputs.shape[:2], bool) if begins is None else begins

    def onward(summary: jax.Array, given: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        inputs, forgets = given
        after = step(unit, jnp.where(forgets[:, None], 0.0, summary), inputs)
        return after, after

    return jax.lax.scan(onward, summary, (inputs, forgets))
