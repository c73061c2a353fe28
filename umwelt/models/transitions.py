"""Experience as networks read it: flat rows, and a slice of them for each member."""

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Experience, struct
from umwelt.networks.form import Form


@struct
class Rows:
    """inputs [N, F]: observation and action. targets [N, T]: the change of the observation's moving numbers, then reward
    where it is learned. continues [N]: 0 where the episode ended by itself. weight [N]. All float32."""

    inputs: jax.Array
    targets: jax.Array
    continues: jax.Array
    weight: jax.Array


def rows(observation: Form, action: Form, experience: Experience, with_reward: bool, moving: np.ndarray) -> Rows:
    """Flatten experience of any leading axes. moving: indices of the observation's numbers that can change. Rows whose
    action is unknown, and seams, become zero."""
    lead = experience.step.kind.ndim
    step, taken, next = jax.tree.map(
        lambda leaf: leaf.reshape(-1, *leaf.shape[lead:]), (experience.step, experience.action, experience.next)
    )
    now, after = observation.flat(step.observation), observation.flat(next.observation)
    change = take(after - now, moving)
    reward = [next.reward[:, None].astype(jnp.float32)] if with_reward else []
    acted = experience.acted.reshape(-1)
    return Rows(
        inputs=jnp.where(acted[:, None], jnp.concatenate([now, action.flat(taken)], -1), 0.0),
        targets=jnp.where(acted[:, None], jnp.concatenate([change, *reward], -1), 0.0),
        continues=jnp.where(next.terminated, 0.0, 1.0),
        weight=acted.astype(jnp.float32),
    )


def slices(array: jax.Array, members: int) -> jax.Array:
    """Give each member its own rows: [N, ...] -> [E, n, ...]; the first are used again where N does not divide."""
    each = -(-array.shape[0] // members)
    return jnp.resize(array, (members * each, *array.shape[1:])).reshape(members, each, *array.shape[1:])


def moving(observation: Form, constant: tuple[str, ...]) -> np.ndarray:
    """List the flat observation's numbers that can change, int [M]: all outside the parts that are `constant`."""
    found = np.flatnonzero(~observation.under(constant))
    if not found.size:
        raise ValueError(f"constant={constant}: of an observation of {observation.width} numbers at least one has to change")
    return found


def take(values: jax.Array, moving: np.ndarray) -> jax.Array:
    """Take the moving numbers of values [..., width]: [..., M]."""
    return values[..., : moving.size] if _leads(moving) else values[..., moving]


def put(change: jax.Array, moving: np.ndarray, width: int) -> jax.Array:
    """Put a change [..., M] of the moving numbers among zeros for the others: [..., width]."""
    lead = [(0, 0)] * (change.ndim - 1)
    if _leads(moving):
        return jnp.pad(change, [*lead, (0, width - moving.size)])
    source = np.full(width, moving.size)
    source[moving] = np.arange(moving.size)
    return jnp.pad(change, [*lead, (0, 1)])[..., source]


def _leads(moving: np.ndarray) -> bool:
    """True where the moving numbers come first, so that a slice does what indices would."""
    return moving[-1] == moving.size - 1
