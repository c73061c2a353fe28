"""Noisy gradient steps against a posterior in closed form, and against Adam."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from umwelt.networks.noisy_steps import Langevin

KEY = jax.random.key(3)


def test_the_chain_has_the_mean_and_the_covariance_of_the_ridge_posterior() -> None:
    random = np.random.default_rng(0)
    inputs, answers = random.normal(size=(30, 2)), random.normal(size=30)
    inputs[:, 1] += 0.8 * inputs[:, 0]
    precision, temperature = inputs.T @ inputs + 2.0 * np.eye(2), 0.3
    # half of the sum of squares, and a prior of precision 2; noise is the root of the temperature
    chain = Langevin(noise=temperature**0.5, drift=0.0, decay=2.0)(0.002, KEY)

    def move(held, _):
        weights, state = held
        gradient = (weights @ inputs.T - answers) @ inputs
        step, state = chain.update(gradient, state, weights)
        return (weights + step, state), weights

    start = jnp.zeros((400, 2))
    drawn = np.asarray(jax.lax.scan(move, (start, chain.init(start)), None, length=500)[1])[300:].reshape(-1, 2)
    np.testing.assert_allclose(drawn.mean(0), np.linalg.solve(precision, inputs.T @ answers), atol=0.01)
    np.testing.assert_allclose(np.cov(drawn.T), temperature * np.linalg.inv(precision), rtol=0.15)


def test_without_noise_it_is_gradient_descent_beside_adam_without_correction() -> None:
    chain = Langevin(noise=0.0, drift=0.5)(0.1, KEY)
    plain = optax.chain(optax.scale_by_adam(eps=1e-8), optax.scale(-0.05))
    weights = other = jnp.array([1.0, -2.0])
    state, adam = chain.init(weights), plain.init(other)
    for count in range(1, 5):
        gradient = 2.0 * weights
        step, state = chain.update(gradient, state, weights)
        towards, adam = plain.update(gradient, adam)
        # Adam divides its means by these
        corrected = (1 - 0.9**count) / np.sqrt(1 - 0.999**count)
        other = other - 0.1 * gradient + corrected * towards
        weights = weights + step
        np.testing.assert_allclose(weights, other, atol=1e-5)


def test_lives_with_other_keys_draw_other_noise_and_steps_may_differ_by_weight() -> None:
    rates = jnp.array([0.0, 1.0])
    drawn = []
    for seed in (1, 2):
        chain = Langevin(noise=1.0, drift=0.0)(rates, jax.random.key(seed))
        step, _ = chain.update(jnp.zeros(2), chain.init(jnp.zeros(2)))
        drawn.append(step)
    assert drawn[0][0] == drawn[1][0] == 0
    assert drawn[0][1] != drawn[1][1]


def test_noise_below_zero_is_named() -> None:
    with pytest.raises(ValueError, match="noise=-1"):
        Langevin(noise=-1.0)(0.1, KEY)
