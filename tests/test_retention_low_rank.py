"""Corrections of low rank, counted by NumPy, and against the best that a rank can do."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from umwelt.check.plant import BOXES, plant_life
from umwelt.models import Ensemble, Implicit
from umwelt.retention import LowRank

TARGET = jax.random.normal(jax.random.key(3), (2, 12, 9)) * jnp.linspace(3.0, 0.2, 9)
BIAS = jnp.arange(12.0)


def learned(protection: Any, targets: list[jax.Array], steps: int, rate: float = 0.05) -> list[dict[str, jax.Array]]:
    """The weights after each of so many steps towards each target's matrices [2, 12, 9], and a vector, from zero."""
    optimiser = protection.around(optax.adam(rate))

    def step(carry: Any, target: jax.Array) -> tuple[Any, Any]:
        weights, state = carry
        gradient = {"matrices": weights["matrices"] - target, "bias": weights["bias"] - BIAS}
        update, state = optimiser.update(gradient, state, weights)
        weights = optax.apply_updates(weights, update)
        return (weights, state), weights

    weights = {"matrices": jnp.zeros_like(TARGET), "bias": jnp.zeros_like(BIAS)}
    each = jnp.repeat(jnp.stack(targets), steps, axis=0)
    run = jax.jit(lambda: jax.lax.scan(step, (weights, optimiser.init(weights)), each)[1])
    path = jax.tree.map(np.asarray, run())
    return [weights, *(jax.tree.map(lambda leaf, index=index: leaf[index], path) for index in range(len(each)))]


def ranks(matrices: jax.Array) -> list[int]:
    return [int(np.linalg.matrix_rank(np.asarray(matrix))) for matrix in matrices]


def test_weights_move_by_a_matrix_of_that_rank_between_consolidations() -> None:
    path = learned(LowRank(rank=2, every=60), [TARGET] * 3, 60)
    assert ranks(path[59]["matrices"] - path[0]["matrices"]) == [9, 9], "the first weights are free"
    for begin in (60, 120):
        for end in (begin + 7, begin + 60):
            assert ranks(path[end]["matrices"] - path[begin]["matrices"]) == [2, 2]
    assert ranks(path[180]["matrices"] - path[60]["matrices"]) == [4, 4], "the first correction stays, and the next is added"


def test_a_correction_is_the_best_of_its_rank_and_vectors_are_free() -> None:
    """A correction of rank 2 leaves the other singular values of a change (Eckart and Young)."""
    change = TARGET[:, ::-1]
    path = learned(LowRank(rank=2, every=1500), [TARGET, TARGET + change], 1500, rate=0.02)
    np.testing.assert_allclose(path[1500]["matrices"], TARGET, atol=0.01)
    left = np.sum((path[-1]["matrices"] - path[1500]["matrices"] - change) ** 2, axis=(1, 2))
    spectrum = np.linalg.svd(np.asarray(change), compute_uv=False)
    np.testing.assert_allclose(left, np.sum(spectrum[:, 2:] ** 2, axis=1), rtol=0.02)
    np.testing.assert_allclose(path[-1]["bias"], BIAS, atol=0.01)


BATCH = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), plant_life(1, BOXES, 8))


@pytest.mark.parametrize(("protection", "low"), [(LowRank(rank=3, every=2), True), (None, False)])
def test_every_matrix_of_an_ensemble_moves_by_that_rank(protection: Any, low: bool) -> None:
    ensemble = Ensemble(units=16, members=2, protection=protection)
    learn, state = jax.jit(ensemble.learn), jax.jit(lambda key: ensemble.init(key, BOXES))(jax.random.key(0))
    path = []
    for index in range(5):
        state, _ = learn(jax.random.key(index), state, BATCH)
        path.append(state.weights.network.weights)
    moved = [np.asarray(new - old) for old, new in zip(path[1], path[3], strict=True)]
    # weights are rounded by more than a small change of them, so the default tolerance is too small
    found = np.array([np.linalg.matrix_rank(matrices, tol=1e-5) for matrices in moved])
    assert np.all((found > 0) & ((found <= 3) == low)), found


def test_an_implicit_model_takes_a_low_rank() -> None:
    implicit = Implicit(protection=LowRank())
    state = jax.eval_shape(lambda key: implicit.init(key, BOXES), jax.random.key(0))
    after, _ = jax.eval_shape(implicit.learn, jax.random.key(0), state, BATCH)
    assert jax.tree.structure(after) == jax.tree.structure(state)
    assert [leaf.shape for leaf in jax.tree.leaves(after)] == [leaf.shape for leaf in jax.tree.leaves(state)]


def test_a_low_rank_refuses_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="rank=0"):
        LowRank(rank=0).around(optax.sgd(0.1))
    wrapped = LowRank().around(optax.sgd(0.1))
    with pytest.raises(ValueError, match="params"):
        wrapped.update(BIAS, wrapped.init(BIAS))
