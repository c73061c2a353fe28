"""Inputs that tell most: the quadratic on a sphere, and the linear model whose doubt it reads."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.core import BROKEN, MID, Box, Discrete, Objective, Prediction, TimeStep, lived
from umwelt.core.contracts import Prospect
from umwelt.core.spec import WorldSpec
from umwelt.models import Linear
from umwelt.planners import Informative
from umwelt.planners.informative import on_sphere
from umwelt.worlds import Pendulum

KEY = jax.random.key(2)
SPEC = WorldSpec(name="line", observation=Box(shape=(2,)), action=Box(shape=(2,), low=-1.0, high=1.0), task=Box(), batch=1)


def test_the_maximum_on_a_sphere_is_that_of_ten_thousand_directions() -> None:
    random = np.random.default_rng(0)
    angles = np.linspace(0, 2 * np.pi, 10_000)
    around = 1.7 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    matrices = random.normal(size=(8, 2, 2))
    matrices, linear = matrices + np.swapaxes(matrices, 1, 2), random.normal(size=(8, 2))
    # no linear part, and one across the top direction, have two best inputs
    linear[6], matrices[7], linear[7] = 0.0, np.diag([0.5, 2.0]), [0.3, 0.0]
    found = jax.jit(jax.vmap(on_sphere, (0, 0, None)))(jnp.asarray(matrices), jnp.asarray(linear), 1.7)
    for each, slope, best in zip(matrices, linear, np.asarray(found, np.float64), strict=True):
        assert np.linalg.norm(best) == pytest.approx(1.7, rel=1e-4)
        worth = np.einsum("na,ab,nb->n", around, each, around) + 2 * around @ slope
        assert best @ each @ best + 2 * best @ slope == pytest.approx(worth.max(), rel=1e-3, abs=1e-3)


def test_a_planner_finds_the_input_of_a_quadratic_and_cuts_it_to_the_box() -> None:
    quadratic, linear = jnp.diag(jnp.array([1.0, 2.0])), jnp.array([0.4, -0.2])

    def imagine(key: jax.Array, belief: jax.Array, action: jax.Array) -> tuple[jax.Array, Prediction]:
        worth = 5.0 + jnp.sum((action @ quadratic) * action, -1) + 2 * action @ linear
        one = jnp.ones(action.shape[0])
        # the moment after holds no information
        doubt = jnp.where(belief[:, 0] > 0.0, 0.0, jnp.sqrt(worth))
        return belief + 1.0, Prediction(observation=belief, reward=one, continues=one, doubt=doubt)

    planner = Informative(size=0.5)
    prospect = Prospect(imagine=imagine, objective=Objective(reward=0.0, doubt=1.0))
    spec = dataclasses.replace(SPEC, batch=2)
    _, action = planner.plan(KEY, planner.init(KEY, spec), jnp.zeros((2, 1)), prospect)
    wanted = on_sphere(quadratic, linear, 0.5)
    np.testing.assert_allclose(action, jnp.stack([wanted, wanted]), atol=1e-2)
    far = Informative(size=3.0)
    assert float(jnp.max(jnp.abs(far.plan(KEY, far.init(KEY, spec), jnp.zeros((2, 1)), prospect)[1]))) <= 1.0


def test_choices_and_sizes_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="Shooting"):
        Informative().init(KEY, dataclasses.replace(SPEC, action=Discrete(n=2)))
    with pytest.raises(ValueError, match="size=0"):
        Informative(size=0.0).init(KEY, SPEC)
    with pytest.raises(ValueError, match="ridge=0"):
        Linear(ridge=0.0).init(KEY, SPEC)


def moments(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observations, actions and what follows, of a linear system with noise."""
    random = np.random.default_rng(seed)
    now, action, noise = random.normal(size=(3, rows, 2))
    return now, action, now + now @ np.array([[0.1, 0.3], [-0.3, 0.1]]) + 0.5 * action + 0.2 + 0.05 * noise


def experience(now: np.ndarray, action: np.ndarray, after: np.ndarray, kind: int = MID):
    def step(seen: np.ndarray, kind: int) -> TimeStep:
        rows = len(seen)
        observation = jnp.asarray(seen, jnp.float32)
        return TimeStep(kind=jnp.full(rows, kind, jnp.int8), observation=observation, reward=jnp.zeros(rows))

    return lived(step(now, MID), jnp.asarray(action, jnp.float32), step(after, kind))


def test_weights_and_covariance_are_those_of_ridge_regression() -> None:
    model = Linear(ridge=0.1)
    now, action, after = moments(40)
    state, info = jax.jit(model.learn)(KEY, model.init(KEY, SPEC), experience(now, action, after))
    rows = np.concatenate([now, action, np.ones((40, 1))], axis=1)
    inverse = np.linalg.inv(rows.T @ rows + 0.1 * np.eye(5))
    targets = np.concatenate([after - now, np.zeros((40, 1))], axis=1)
    np.testing.assert_allclose(state.covariance, inverse, atol=1e-4)
    np.testing.assert_allclose(state.weights, inverse @ rows.T @ targets, atol=1e-3)
    assert float(info["unknown_weights"]) == pytest.approx(0.1 * np.trace(inverse), rel=1e-2)
    doubt = float(model.imagine(KEY, state, jnp.asarray(now[:1], jnp.float32), jnp.asarray(action[:1], jnp.float32))[1].doubt[0])
    assert doubt == pytest.approx(np.sqrt(0.1 * rows[0] @ inverse @ rows[0] / 5), rel=1e-2)


def test_a_row_adds_the_logarithm_of_one_and_its_squared_doubt() -> None:
    model = Linear(ridge=1.0)
    now, action, after = moments(3)
    learn = jax.jit(model.learn)
    state = model.init(KEY, SPEC)
    for index in range(3):
        piece = slice(index, index + 1)
        row = np.concatenate([now[index], action[index], [1.0]])
        gain = np.log1p(row @ np.asarray(state.covariance) @ row)
        later, _ = learn(KEY, state, experience(now[piece], action[piece], after[piece]))
        fall = np.linalg.slogdet(state.covariance)[1] - np.linalg.slogdet(later.covariance)[1]
        assert fall == pytest.approx(gain, rel=1e-3)
        state = later
    still, _ = learn(KEY, state, experience(now[:1], action[:1], after[:1], kind=BROKEN))
    jax.tree.map(np.testing.assert_array_equal, jax.tree.leaves(still), jax.tree.leaves(state))


def test_old_evidence_fades_where_it_is_to() -> None:
    fading, (now, action, after) = Linear(keep=0.8, ridge=0.1), moments(60)
    after[30:] += 1.0
    state, _ = jax.jit(fading.learn)(KEY, fading.init(KEY, SPEC), experience(now, action, after))
    assert float(state.weights[-1, 0]) == pytest.approx(1.2, abs=0.1)


def test_the_linear_model_keeps_the_contract() -> None:
    check.model(Linear(), Pendulum().spec, depth="shapes").raise_if_broken()
