"""Evolution strategies against gradients in closed form, and a bandit over policies against ridge regression."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge

from umwelt import check
from umwelt.behaviours import Evolved, Reacting, Represented, Strategies
from umwelt.behaviours.strategies import ranks

KEY = jax.random.key(0)
TILT, BEND = jnp.array([1.0, -2.0, 0.5]), jnp.diag(jnp.array([1.0, 2.0, 3.0]))


def quadratic(genomes: jax.Array) -> jax.Array:
    return genomes @ TILT - 0.5 * jnp.einsum("nd,de,ne->n", genomes, BEND, genomes)


def test_the_gradient_of_pairs_is_that_of_a_quadratic_on_average() -> None:
    search = Strategies(sigma=0.3, ranked=False)
    state = search.moved(search.init(KEY, 3, 1), jnp.array([0.2, 0.1, -0.4]))
    _, genomes = search.ask(KEY, state, 40000)
    found = search.gradient(state, genomes, quadratic(genomes))
    np.testing.assert_allclose(found, TILT - BEND @ state.mean, atol=0.05)


def test_pairs_cancel_what_is_even_and_ranks_forget_the_unit() -> None:
    search = Strategies(ranked=False)
    state = search.init(KEY, 3, 1)
    _, genomes = search.ask(KEY, state, 6)
    # around its own top a bowl shows no slope at all
    np.testing.assert_allclose(search.gradient(state, genomes, -jnp.sum(genomes**2, axis=1)), 0.0, atol=1e-5)
    returns = jnp.array([3.0, 1.0, 1.0, 7.0])
    np.testing.assert_allclose(ranks(returns), [1 / 6, -1 / 3, -1 / 3, 1 / 2], atol=1e-6)
    np.testing.assert_array_equal(ranks(returns), ranks(jnp.exp(returns)))
    np.testing.assert_array_equal(ranks(jnp.ones(4)), 0.0)


def test_the_posterior_is_that_of_ridge_regression() -> None:
    search = Represented(width=0, noise=0.5, prior=2.0, room=64)
    state = search.init(KEY, 3, 2)
    genomes = jax.random.normal(KEY, (40, 3))
    returns = genomes @ TILT + 0.5 * jax.random.normal(jax.random.key(1), (40,))
    returns = (returns - returns.mean()) / returns.std()
    state = replace(state, genomes=state.genomes.at[:40].set(genomes), returns=state.returns.at[:40].set(returns), count=40)
    mean, root = search.posterior(state)
    # a prior without information leaves both precisions to the data; so they are fixed, with no iteration
    fitted = BayesianRidge(max_iter=1, alpha_init=1 / 0.25, lambda_init=1 / 2.0, fit_intercept=False)
    fitted.fit(np.asarray(genomes), np.asarray(returns))
    covariance = np.linalg.inv(np.asarray(genomes).T @ np.asarray(genomes) / 0.25 + np.eye(3) / 2.0)
    np.testing.assert_allclose(root @ root.T, covariance, atol=1e-5)
    np.testing.assert_allclose(mean, covariance @ np.asarray(genomes).T @ np.asarray(returns) / 0.25, atol=1e-4)
    np.testing.assert_allclose(mean, fitted.coef_, atol=0.02)


def test_where_returns_are_linear_the_bandit_goes_on_along_them() -> None:
    search = Represented(inner=Strategies(rate=0.0), width=0, candidates=256, radius=1.0, noise=0.1, room=64)
    state = search.init(KEY, 3, 1)
    ask, tell = jax.jit(lambda key, state: search.ask(key, state, 16)), jax.jit(search.tell)
    for turn in range(8):
        state, genomes = ask(jax.random.key(turn), state)
        state = tell(KEY, state, genomes, genomes @ TILT, genomes[:, :1])
    mean = np.asarray(state.inner.mean)
    assert mean @ TILT > 0.8 * np.linalg.norm(mean) * np.linalg.norm(TILT)
    # eight steps, each the best of 256 of deviation 1
    assert mean @ TILT > 8.0
    # what is examined is a genome that was evaluated, and the best of them
    np.testing.assert_allclose(search.best(state) @ TILT, jnp.max(state.genomes @ TILT), rtol=0.02)


def test_a_learned_representation_predicts_returns_linearly() -> None:
    search = Represented(width=4, lessons=400, room=256, learning_rate=3e-3)
    genomes = jax.random.normal(KEY, (256, 2))
    returns = jnp.sin(2 * genomes[:, 0]) * genomes[:, 1]
    state = jax.jit(search.tell)(KEY, search.init(KEY, 2, 1), genomes, returns, returns[:, None])
    mean, _ = search.posterior(state)
    predicted = search.represented(state, genomes) @ mean
    plain = genomes @ jnp.linalg.lstsq(genomes, returns)[0]
    assert np.corrcoef(predicted, returns)[0, 1] ** 2 > 0.5 > np.corrcoef(plain, returns)[0, 1] ** 2 + 0.2


def test_a_population_that_a_bandit_guides_keeps_the_contract_of_agents() -> None:
    check.agent(Evolved(search=Represented(width=2, lessons=1, room=8), policy=Reacting(units=2))).raise_if_broken()


def test_refusals() -> None:
    with pytest.raises(ValueError, match="sigma"):
        Strategies(sigma=0.0).init(KEY, 2, 1)
    with pytest.raises(ValueError, match="candidates"):
        Represented(candidates=0).init(KEY, 2, 1)
