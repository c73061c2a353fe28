"""Experience as networks read it: flat rows, and a slice of them for each member."""

import jax
import jax.numpy as jnp

from umwelt.core import Experience, struct
from umwelt.networks.form import Form


@struct
class Rows:
    """inputs [N, F]: observation and action. targets [N, T]: the change of what moves of the observation, then reward
    where it is learned. goes_on [N]: 0 where the episode ended by itself. valid [N]. All float32."""

    inputs: jax.Array
    targets: jax.Array
    goes_on: jax.Array
    valid: jax.Array


def rows(seen: Form, done: Form, experience: Experience, with_reward: bool, still: int = 0) -> Rows:
    """Experience of any leading axes as rows, where the last `still` numbers of the observation stay; what stands in
    rows that are not valid is wiped out."""
    lead = experience.step.kind.ndim
    step, action, next = jax.tree.map(
        lambda leaf: leaf.reshape(-1, *leaf.shape[lead:]), (experience.step, experience.action, experience.next)
    )
    now, after = seen.flat(step.observation), seen.flat(next.observation)
    reward = [next.reward[:, None].astype(jnp.float32)] if with_reward else []
    valid = experience.valid.reshape(-1)
    return Rows(
        inputs=jnp.where(valid[:, None], jnp.concatenate([now, done.flat(action)], -1), 0.0),
        targets=jnp.where(valid[:, None], jnp.concatenate([(after - now)[:, : now.shape[1] - still], *reward], -1), 0.0),
        goes_on=jnp.where(next.terminated, 0.0, 1.0),
        valid=valid.astype(jnp.float32),
    )


def slices(array: jax.Array, members: int) -> jax.Array:
    """[N, ...] -> [E, n, ...]: each member's own rows, the first used again where N does not divide."""
    each = -(-array.shape[0] // members)
    return jnp.resize(array, (members * each, *array.shape[1:])).reshape(members, each, *array.shape[1:])
