"""What a latent model can be made to grasp where it need not draw what it sees.

"MuDreamer: learning predictive world models without reconstruction" (2024): what matters in a picture is what
actions do to it and what it is worth. Two embeddings have to tell the action between them; a belief has to tell
the value of what is to come, as the rewards of its own sequence and the value after them say.

Where we differ: the action is told from embeddings alone, since the recurrent state has been told it; and the
embeddings are kept from collapse by that task and the rows' normalisation, without normalising over batches.
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

TRUST = 0.95
"""The lambda of the returns."""


@struct
class Grasp:
    """value: beliefs -> logits of the value. action: two embeddings -> the action between them, in units."""

    value: Stack
    action: Stack


def init(key: jax.Array, belief: int, embedded: int, units: int, bins: Bins, done: Form) -> Grasp:
    """Expects no value."""
    for_value, for_action = keys.split(key, "value", "action")
    return Grasp(
        value=layers.stack(for_value, (belief, units, bins.count), scale=0.0),
        action=layers.stack(for_action, (2 * embedded, units, done.bounds[0].size)),
    )


def loss(
    weights: Grasp,
    bins: Bins,
    discount: float,
    done: Form,
    inner: jax.Array,
    embedded: jax.Array,
    action: jax.Array,
    reward: jax.Array,
    ended: jax.Array,
    valid: jax.Array,
) -> jax.Array:
    """Cross entropy of the values and error of the actions.

    inner: float32 [(L + 1) * N, width], beliefs; embedded: [L + 1, N, width]; action: in units, [L, N, A]; reward, ended:
    [L, N], of the step that follows. valid: bool [L, N], False where a seam follows, from which nothing is to be told.
    """
    length, number = reward.shape
    logits = layers.apply(weights.value, inner, jax.nn.silu)
    values = jax.lax.stop_gradient(bins.mean(logits)).reshape(length + 1, number)
    # an episode that was cut off is worth what its last moment is
    reward, onward = jnp.where(valid, reward, values[:-1]), jnp.where(valid, discount * (1.0 - ended), 0.0)
    returns = lambda_returns(reward, onward, values, TRUST)
    both = jnp.concatenate([embedded[:-1], embedded[1:]], axis=-1).reshape(length * number, -1)
    told = layers.apply(weights.action, both, jax.nn.silu)
    wanted = action.reshape(length * number, -1)
    missed = bins.loss(logits[: length * number], returns.reshape(-1)) + _miss(done, told, wanted)
    return mean(missed, valid)


def _miss(done: Form, told: jax.Array, wanted: jax.Array) -> jax.Array:
    """[N]: squared error of a box in units, cross entropy of a choice, summed over an action's leaves."""
    edges = np.cumsum([spaces.width(leaf) for leaf in done.leaves])
    total = jnp.zeros(told.shape[0], jnp.float32)
    for leaf, begin, end in zip(done.leaves, [0, *edges[:-1]], edges, strict=True):
        guess, truth = told[:, begin:end], wanted[:, begin:end]
        if isinstance(leaf, Discrete):
            total -= jnp.sum(truth * jax.nn.log_softmax(guess, axis=-1), axis=-1)
        else:
            total += jnp.sum((guess - truth) ** 2, axis=-1)
    return total
