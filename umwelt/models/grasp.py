"""Targets for a latent model without a decoder: the action between two observations, and the value of what follows.

"MuDreamer: learning predictive world models without reconstruction" (2024): what matters in a picture is what
actions do to it and what it is worth. Two embeddings predict the action between them. A belief predicts the value of
what follows: the rewards of its own sequence and the value after them.

Where we differ: embeddings alone predict the action, since the recurrent state has read it. That task and the rows'
normalisation keep the embeddings from collapse, without a normalisation over batches.
"""

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Discrete, keys, spaces, struct
from umwelt.models.sequences import mean
from umwelt.networks import layers
from umwelt.networks.form import Form
from umwelt.networks.layers import Stack
from umwelt.networks.returns import lambda_returns
from umwelt.networks.twohot import Bins

LAMBDA = 0.95
"""The lambda of the returns."""


@struct
class Grasp:
    """value: beliefs -> logits of the value. action: two embeddings -> the action between them, in units."""

    value: Stack
    action: Stack


def init(key: jax.Array, belief: int, embedded: int, units: int, bins: Bins, action: Form) -> Grasp:
    """Make weights that expect no value."""
    for_value, for_action = keys.split(key, "value", "action")
    return Grasp(
        value=layers.stack(for_value, (belief, units, bins.count), scale=0.0),
        action=layers.stack(for_action, (2 * embedded, units, action.width)),
    )


def loss(
    weights: Grasp,
    bins: Bins,
    discount: float,
    action_form: Form,
    latent: jax.Array,
    embedded: jax.Array,
    action: jax.Array,
    reward: jax.Array,
    ended: jax.Array,
    valid: jax.Array,
) -> jax.Array:
    """Compute the cross entropy of the values and the error of the actions.

    latent: float32 [(L + 1) * N, width], beliefs; embedded: [L + 1, N, width]; action: in units, [L, N, A]; reward, ended:
    [L, N], of the step that follows. valid: bool [L, N], False where a seam follows, which is no target.
    """
    length, number = reward.shape
    logits = layers.apply(weights.value, latent, jax.nn.silu)
    values = jax.lax.stop_gradient(bins.mean(logits)).reshape(length + 1, number)
    # an episode that was cut off is worth what its last step is
    reward, onward = jnp.where(valid, reward, values[:-1]), jnp.where(valid, discount * (1.0 - ended), 0.0)
    returns = lambda_returns(reward, onward, values, LAMBDA)
    both = jnp.concatenate([embedded[:-1], embedded[1:]], axis=-1).reshape(length * number, -1)
    guess = layers.apply(weights.action, both, jax.nn.silu)
    target = action.reshape(length * number, -1)
    missed = bins.loss(logits[: length * number], returns.reshape(-1)) + _error(action_form, guess, target)
    return mean(missed, valid)


def _error(form: Form, guess: jax.Array, target: jax.Array) -> jax.Array:
    """Squared error of a box in units, cross entropy of a choice, summed over an action's leaves: float32 [N]."""
    edges = np.cumsum([spaces.width(leaf) for leaf in form.leaves])
    total = jnp.zeros(guess.shape[0], jnp.float32)
    for leaf, begin, end in zip(form.leaves, [0, *edges[:-1]], edges, strict=True):
        found, truth = guess[:, begin:end], target[:, begin:end]
        if isinstance(leaf, Discrete):
            total -= jnp.sum(truth * jax.nn.log_softmax(found, axis=-1), axis=-1)
        else:
            total += jnp.sum((found - truth) ** 2, axis=-1)
    return total
