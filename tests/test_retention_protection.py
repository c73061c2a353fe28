"""Weights that are protected, against problems whose answers are known in closed form."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from umwelt.retention import Anchored, Elastic, Synaptic

CURVED = jnp.array([4.0, 1.0, 0.0])
"""How much each of three weights matters to the first task; the third not at all."""
FIRST, SECOND = jnp.array([1.0, 1.0, 1.0]), jnp.array([-1.0, -1.0, -1.0])


def descend(protection: Any, tasks: list[Any], steps: int, rate: float = 0.01) -> tuple[jax.Array, Any]:
    """Weights after so many steps on each task's gradient, from zero, and the state of the protection."""
    optimiser = optax.chain(protection.transform(), optax.sgd(rate))

    def step(carry: Any, key: jax.Array) -> tuple[Any, None]:
        weights, state, task = carry
        update, state = optimiser.update(jax.lax.switch(task, tasks, key, weights), state, weights)
        return (optax.apply_updates(weights, update), state, task), None

    weights = jnp.zeros(3)
    state = optimiser.init(weights)
    for task in range(len(tasks)):
        (weights, state, _), _ = jax.lax.scan(step, (weights, state, task), jax.random.split(jax.random.key(task), steps))
    return weights, state[0]


def first(key: jax.Array, weights: jax.Array) -> jax.Array:
    return CURVED * (weights - FIRST)


def second(key: jax.Array, weights: jax.Array) -> jax.Array:
    return weights - SECOND


def test_an_anchor_pulls_by_its_strength() -> None:
    """At rest: weights - SECOND + strength (weights - anchor) = 0."""
    weights, _ = descend(Anchored(strength=3.0, every=2000), [first, second], 2000)
    np.testing.assert_allclose(weights, (SECOND + 3.0 * jnp.array([1.0, 1.0, 0.0])) / 4.0, atol=1e-3)


def test_elastic_weights_end_where_both_tasks_together_would() -> None:
    """With gradients whose variance is the curvature, importance is that curvature, and the sum of both losses is
    what is minimised: that of Bayes for weights that do not depend on each other."""

    def noisy(key: jax.Array, weights: jax.Array) -> jax.Array:
        return first(key, weights) + jnp.sqrt(CURVED) * jax.random.normal(key, (3,))

    weights, state = descend(Elastic(strength=1.0, every=20_000), [noisy, second], 20_000)
    # the way to the optimum adds a little to the squares
    np.testing.assert_allclose(state.held, CURVED, rtol=0.06, atol=1e-6)
    expected = (CURVED * FIRST + SECOND) / (CURVED + 1.0)
    np.testing.assert_allclose(weights, expected, atol=0.06)


def test_synaptic_importance_is_half_the_curvature() -> None:
    """Along a way of small steps the gain is the loss itself, h/2 d^2, and divided by d^2 it is h/2."""
    weights, state = descend(Synaptic(strength=1.0, damping=1e-6, every=4000), [first, second], 4000, rate=0.002)
    np.testing.assert_allclose(state.held[:2], CURVED[:2] / 2, rtol=0.02)
    np.testing.assert_allclose(state.held[2], 0.0, atol=1e-6)
    np.testing.assert_allclose(weights, (CURVED * FIRST + SECOND) / (CURVED + 1.0), atol=0.02)


@pytest.mark.parametrize("protection", [Anchored(strength=0.0), Elastic(strength=0.0), Synaptic(strength=0.0)])
def test_without_strength_nothing_is_protected(protection: Any) -> None:
    weights, _ = descend(protection, [first, second], 1500)
    np.testing.assert_allclose(weights, SECOND, atol=1e-3)


@pytest.mark.parametrize("protection", [Anchored(), Elastic(), Synaptic()])
def test_weights_that_are_not_given_are_missed(protection: Any) -> None:
    transform = protection.transform()
    with pytest.raises(ValueError, match="params"):
        transform.update(jnp.zeros(3), transform.init(jnp.zeros(3)))
