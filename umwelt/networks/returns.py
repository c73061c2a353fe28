"""Returns along trajectories. Time is the first axis; values have one entry more than rewards."""

import jax
import jax.numpy as jnp


def lambda_returns(reward: jax.Array, discount: jax.Array, value: jax.Array, lambda_: float) -> jax.Array:
    """Compute TD(lambda): reward, discount [H, ...], value [H + 1, ...] -> returns [H, ...].

    reward[t] and discount[t] belong to the step from t to t + 1; discount is 0 where nothing follows.
    lambda_ 1 sums all rewards and the last value; lambda_ 0 looks one step ahead.
    """

    def back(later: jax.Array, moment: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        reward, discount, value = moment
        found = reward + discount * ((1.0 - lambda_) * value + lambda_ * later)
        return found, found

    return jax.lax.scan(back, value[-1], (reward, discount, value[1:]), reverse=True)[1]


def n_step_returns(reward: jax.Array, discount: jax.Array, value: jax.Array, n: int) -> jax.Array:
    """Sum the next n rewards and the value after them (or after the last one): [H, ...], of the same arguments."""
    length = reward.shape[0]
    found = value[jnp.minimum(jnp.arange(length) + n, length)]
    for ahead in reversed(range(n)):
        at = jnp.arange(length) + ahead
        inside = (at < length).reshape(-1, *(1,) * (reward.ndim - 1))
        at = jnp.minimum(at, length - 1)
        found = jnp.where(inside, reward[at] + discount[at] * found, found)
    return found


def advantages(error: jax.Array, carry: jax.Array) -> jax.Array:
    """Sum one-step errors [H, ...] back through time (generalised advantages): each adds `carry` [H, ...] of the sum behind it,
    discount times lambda, and 0 where an episode ends."""

    def back(later: jax.Array, moment: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        error, carry = moment
        found = error + carry * later
        return found, found

    return jax.lax.scan(back, jnp.zeros_like(error[0]), (error, carry), reverse=True)[1]
