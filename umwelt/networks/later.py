"""Choose a later moment of the same episode: what hindsight and contrast take their goals from."""

import jax
import jax.numpy as jnp


def later_moment(key: jax.Array, valid: jax.Array, moment: jax.Array, discount: float = 1.0) -> jax.Array:
    """Draw the number of a transition of the same episode that is no earlier: valid bool [N, L], moment int32 [N] ->
    int32 [N]. Each step further away is `discount` times as likely; a moment that is not valid has none, and gives 0."""
    at = jnp.arange(valid.shape[1])
    after = at >= moment[:, None]
    # a seam, or a broken step, closes all that lies behind it
    same = after & (jnp.cumsum(after & ~valid, axis=1) == 0)
    weight = jnp.log(jnp.float32(discount)) * (at - moment[:, None])
    return jax.random.categorical(key, jnp.where(same, weight, -jnp.inf), axis=1)
