"""Weights that are protected, against problems whose answers are known in closed form."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from umwelt.check.plant import BOXES, plant_life
from umwelt.models import Ensemble, Implicit, Rssm
from umwelt.retention import Anchored, Elastic, Sparse, Synaptic

CURVED = np.array([4.0, 1.0, 0.0], np.float32)
"""How much each of three weights matters to the first task; the third does not."""
FIRST, SECOND = np.ones(3, np.float32), -np.ones(3, np.float32)


def descend(protection: Any, tasks: list[Any], steps: int, rate: float = 0.01) -> tuple[jax.Array, Any]:
    """Weights after so many steps on each task's gradient, from zero, and the state of the protection."""
    optimiser = protection.around(optax.sgd(rate))

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
    np.testing.assert_allclose(weights, (SECOND + 3.0 * np.array([1.0, 1.0, 0.0])) / 4.0, atol=1e-3)


def test_elastic_weights_end_where_both_tasks_together_would() -> None:
    """With gradients whose variance is the curvature, importance is that curvature. Then the minimum is that of the sum
    of both losses: Bayes for weights that do not depend on each other."""

    def noisy(key: jax.Array, weights: jax.Array) -> jax.Array:
        return first(key, weights) + jnp.sqrt(CURVED) * jax.random.normal(key, (3,))

    weights, state = descend(Elastic(strength=1.0, every=20_000), [noisy, second], 20_000)
    # the path to the optimum adds a little to the squares
    np.testing.assert_allclose(state.importance, CURVED, rtol=0.06, atol=1e-6)
    expected = (CURVED * FIRST + SECOND) / (CURVED + 1.0)
    np.testing.assert_allclose(weights, expected, atol=0.06)


def test_synaptic_importance_is_half_the_curvature() -> None:
    """Along a path of small steps the gain is the loss itself, h/2 d^2, and divided by d^2 it is h/2."""
    weights, state = descend(Synaptic(strength=1.0, damping=1e-6, every=4000), [first, second], 4000, rate=0.002)
    np.testing.assert_allclose(state.importance[:2], CURVED[:2] / 2, rtol=0.02)
    np.testing.assert_allclose(state.importance[2], 0.0, atol=1e-6)
    np.testing.assert_allclose(weights, (CURVED * FIRST + SECOND) / (CURVED + 1.0), atol=0.02)


@pytest.mark.parametrize("protection", [Anchored(strength=0.0), Elastic(strength=0.0), Synaptic(strength=0.0)])
def test_without_strength_nothing_is_protected(protection: Any) -> None:
    weights, _ = descend(protection, [first, second], 1500)
    np.testing.assert_allclose(weights, SECOND, atol=1e-3)


@pytest.mark.parametrize("protection", [Anchored(), Elastic(), Synaptic()])
def test_an_update_without_weights_is_refused(protection: Any) -> None:
    wrapped = protection.around(optax.sgd(0.1))
    with pytest.raises(ValueError, match="params"):
        wrapped.update(jnp.zeros(3), wrapped.init(jnp.zeros(3)))


ENSEMBLE = Ensemble(units=16, members=2, layers=1)


def moved(model: Any, protection: Any) -> list[float]:
    """How far the weights come, on average, in the last eight of twelve updates: protected, and with a strength of zero."""
    batch = jax.tree.map(lambda leaf: np.swapaxes(leaf, 0, 1), plant_life(1, BOXES, 2))

    # a strength that is an argument makes one program of both
    @jax.jit
    def path(strength: Any) -> Any:
        protected = replace(model, protection=replace(protection, strength=strength))

        def update(state: Any, key: Any) -> tuple[Any, Any]:
            after, _ = protected.learn(key, state, batch)
            return after, after.weights

        keys = jax.random.split(jax.random.key(1), 12)
        return jax.lax.scan(update, protected.init(jax.random.key(0), BOXES), keys)[1]

    found = []
    for strength in (protection.strength, 0.0):
        leaves = [np.asarray(leaf).reshape(12, -1) for leaf in jax.tree.leaves(path(strength))]
        weights = np.concatenate(leaves, axis=1)
        found.append(float(np.abs(weights[-1] - weights[3]).mean()))
    return found


@pytest.mark.parametrize(
    ("model", "protection"),
    [
        (ENSEMBLE, Anchored(strength=1e4, every=4)),
        (ENSEMBLE, Elastic(strength=1e9, every=4)),
        (ENSEMBLE, Synaptic(strength=1e6, every=4)),
        (Implicit(latent=16, units=16, encoder_units=16), Anchored(strength=1e4, every=4)),
        (Rssm(deterministic=16, groups=2, classes=4, units=16), Synaptic(strength=1e6, every=4)),
    ],
    ids=["anchored", "elastic", "synaptic", "implicit", "recurrent"],
)
def test_any_replay_model_takes_a_protection(model: Any, protection: Any) -> None:
    """After the first consolidation a strong protection keeps the weights much nearer to where they were."""
    protected, free = moved(model, protection)
    assert protected < 0.7 * free


def test_only_the_greatest_gradients_are_learned() -> None:
    transform = Sparse(share=0.34).transform()
    slopes = {"a": jnp.array([[1.0, -5.0, 0.0], [2.0, 0.5, -3.0]]), "b": jnp.array([0.1, 0.2])}
    found, _ = transform.update(slopes, transform.init(slopes))
    np.testing.assert_array_equal(found["a"], [[0.0, -5.0, 0.0], [0.0, 0.0, -3.0]])
    np.testing.assert_allclose(found["b"], [0.0, 0.2])
    whole, _ = Sparse(share=1.0).transform().update(slopes, optax.EmptyState())
    np.testing.assert_array_equal(whole["a"], slopes["a"])
    with pytest.raises(ValueError, match="share=0"):
        Sparse(share=0.0).transform()


def test_weights_that_a_second_task_does_not_need_stay() -> None:
    """The second task needs its third weight most; one weight of three learns at a time."""
    needs = jnp.array([0.1, 0.1, 5.0])
    weights, _ = descend(Sparse(share=0.3), [first, lambda key, weights: needs * (weights - SECOND)], 400, rate=0.1)
    everything, _ = descend(Sparse(share=1.0), [first, lambda key, weights: needs * (weights - SECOND)], 400, rate=0.1)
    np.testing.assert_allclose(weights[2], -1.0, atol=0.05)
    assert jnp.abs(weights[:2] - FIRST[:2]).max() < jnp.abs(everything[:2] - FIRST[:2]).max()
