"""Unlearning and learning again, against steps worked by hand."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from umwelt.check.plant import BOXES, plant_life
from umwelt.models import Ensemble, Implicit, Rssm
from umwelt.retention import Refresh

CURVED = jnp.array([4.0, 1.0, 0.5])
START = jnp.array([1.0, -2.0, 3.0])


def after_one(protection: Any, rate: float = 0.1) -> np.ndarray:
    """The weights after one update of half the sum of CURVED weights^2."""
    optimiser = protection.around(optax.sgd(rate)) if protection else optax.with_extra_args_support(optax.sgd(rate))
    update, _ = optimiser.update(CURVED * START, optimiser.init(START), START, slope=lambda weights: CURVED * weights)
    return np.asarray(START + update)


def test_an_update_goes_up_and_then_down_from_there() -> None:
    """On a parabola: up by unlearn g / (g^2 + damping), g in units of its root mean square, then down the gradient there."""
    slope = np.asarray(CURVED * START)
    unit = slope / np.sqrt(np.mean(slope**2))
    moved = np.asarray(START) + 0.02 * unit / (unit**2 + 0.1)
    np.testing.assert_allclose(after_one(Refresh(unlearn=0.02)), moved - 0.1 * np.asarray(CURVED) * moved, rtol=1e-5)
    np.testing.assert_allclose(after_one(Refresh(unlearn=0.0)), after_one(None), rtol=1e-6)


def test_the_step_up_follows_the_importance_and_not_the_size_of_the_loss() -> None:
    """The second step up: by the same gradient, over the fading mean of both squares, which is again its square."""
    paths = []
    for size in (1.0, 1000.0):
        optimiser = Refresh(unlearn=0.02, fading=0.9).around(optax.sgd(0.0))
        state, steps = optimiser.init(START), []
        for gradient in (jnp.array([1.0, 2.0, 0.0]), jnp.array([0.0, 2.0, 1.0])):
            step, state = optimiser.update(size * gradient, state, START, slope=lambda weights: weights)
            steps.append(np.asarray(step))
        paths.append(steps)
    fisher = np.array([0.09, 0.76, 0.1]) / 0.19
    expected = 0.02 * np.array([0.0, 2.0, 1.0]) / np.sqrt(fisher.mean()) / (fisher / fisher.mean() + 0.1)
    np.testing.assert_allclose(paths[0][1], expected, rtol=1e-5)
    np.testing.assert_allclose(paths[1], paths[0], rtol=1e-5)


def test_a_gradient_of_zero_unlearns_nothing() -> None:
    optimiser = Refresh().around(optax.sgd(0.1))
    update, _ = optimiser.update(jnp.zeros(3), optimiser.init(START), START, slope=jnp.zeros_like)
    np.testing.assert_array_equal(update, 0.0)


BATCH = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), plant_life(1, BOXES, 64))


@pytest.mark.parametrize(("rate", "learns"), [(0.0, False), (1e-3, True)])
def test_an_ensemble_learns_from_unlearned_weights(rate: float, learns: bool) -> None:
    """Where the optimiser stands still, updates raise the loss; where it does not, they lower it."""
    ensemble = Ensemble(units=16, members=2, layers=1, learning_rate=rate, protection=Refresh())

    def update(state: Any, _: None) -> tuple[Any, jax.Array]:
        after, info = ensemble.learn(jax.random.key(0), state, BATCH)
        return after, info["model_loss"]

    run = jax.jit(lambda key: jax.lax.scan(update, ensemble.init(key, BOXES), None, 60)[1])
    losses = np.asarray(run(jax.random.key(0)))
    # the first update changes the scales
    assert losses[-1] < losses[1] - 0.3 if learns else np.all(np.diff(losses[1:]) > 0.0)


@pytest.mark.parametrize("model", [Implicit(protection=Refresh()), Rssm(protection=Refresh())], ids=["implicit", "recurrent"])
def test_other_models_hand_on_their_slope_too(model: Any) -> None:
    batch = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), plant_life(1, BOXES, 8))
    state = jax.eval_shape(lambda key: model.init(key, BOXES), jax.random.key(0))
    after, _ = jax.eval_shape(model.learn, jax.random.key(0), state, batch)
    assert jax.tree.structure(after) == jax.tree.structure(state)


def test_an_update_without_a_slope_is_refused() -> None:
    optimiser = Refresh().around(optax.sgd(0.1))
    with pytest.raises(ValueError, match="slope: Refresh asks"):
        optimiser.update(START, optimiser.init(START), START)
