"""Admissible choices: an observation's leaf `open` says which there are now."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Discrete, spaces
from umwelt.networks.form import Form
from umwelt.networks.policies import masked


def admissible(observation_form: Form, action_form: Form, observation: Any) -> jax.Array | None:
    """Read bool [N, n] of observations [N, ...]; None where the action is no choice, or the observation has no such leaf.

    A row in which no choice is open opens all, so that there is always something to draw.
    """
    space = action_form.space
    found = observation_form.open(observation) if isinstance(space, Discrete) else None
    if found is None:
        return None
    if found.shape[-1] != space.n:
        raise ValueError(f"observation: `open` has {found.shape[-1]} entries, and the action has {space.n} choices; give as many")
    return found | ~jnp.any(found, axis=-1, keepdims=True)


def drawn(key: jax.Array, action_form: Form, batch: int, open: jax.Array | None = None) -> Any:
    """Draw actions [batch] uniformly, of choices among those that are open."""
    if open is None:
        return spaces.sample(key, action_form.space, batch)
    return jax.random.categorical(key, masked(jnp.zeros(open.shape), open), axis=-1).astype(jnp.int32)
