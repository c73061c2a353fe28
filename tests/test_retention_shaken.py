"""Shaking a network whose gradients have fallen asleep."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from umwelt.retention import Shaken
from umwelt.retention.shaken import sleep

WEIGHTS = {"weight": jax.random.normal(jax.random.key(0), (6, 8)), "bias": jnp.zeros(8)}
AWAKE = {"weight": jnp.ones((6, 8)), "bias": jnp.ones(8)}
HALF = {"weight": AWAKE["weight"].at[:, ::2].set(0.0), "bias": jnp.ones(8)}


def moved(shaken: Shaken, gradient: dict[str, jax.Array]) -> tuple[dict[str, jax.Array], object]:
    """The weights, and the optimiser's state, after one update of Adam."""
    optimiser = shaken.around(optax.adam(1e-3))
    step, state = jax.jit(optimiser.update)(gradient, optimiser.init(WEIGHTS), WEIGHTS)
    return optax.apply_updates(WEIGHTS, step), state  # type: ignore[return-value]


def test_a_network_that_is_awake_and_kept_whole_is_the_optimisers_own() -> None:
    adam = optax.adam(1e-3)
    step, plain = adam.update(AWAKE, adam.init(WEIGHTS), WEIGHTS)
    wanted = optax.apply_updates(WEIGHTS, step)
    for every in (1, 2):
        found, state = moved(Shaken(every=every, most=1.0), AWAKE)
        jax.tree.map(np.testing.assert_array_equal, found, wanted)
        jax.tree.map(np.testing.assert_array_equal, state.inner, plain)  # type: ignore[attr-defined]


def test_units_sleep_by_their_share_of_the_layers_gradient() -> None:
    assert float(sleep(AWAKE, 0.05)) == 0.0
    assert float(sleep(HALF, 0.05)) == 0.5
    assert float(sleep({"bias": jnp.ones(3)}, 0.05)) == 0.0


def test_half_asleep_half_of_the_weights_are_fresh_and_adam_forgets() -> None:
    found, state = moved(Shaken(every=1, seed=3), HALF)
    weight = np.asarray(WEIGHTS["weight"])
    # the correlation of w with w / 2 + z / 2 is 1 / sqrt(2)
    shared = np.corrcoef(weight.ravel(), np.asarray(found["weight"]).ravel())[0, 1]
    assert abs(shared - 0.5**0.5) < 0.15
    assert float(jnp.max(jnp.abs(found["bias"]))) < 2e-3, "what began at one value begins there again"
    assert all(float(jnp.max(jnp.abs(leaf))) == 0.0 for leaf in jax.tree.leaves(state.inner[0].mu))  # type: ignore[attr-defined]


def test_a_share_of_the_old_weights_always_stays() -> None:
    asleep = jax.tree.map(jnp.zeros_like, WEIGHTS) | {"weight": AWAKE["weight"].at[:, 1:].set(0.0)}
    few, _ = moved(Shaken(every=1, least=0.9), asleep)
    shared = np.corrcoef(np.asarray(WEIGHTS["weight"]).ravel(), np.asarray(few["weight"]).ravel())[0, 1]
    assert shared > 0.95
