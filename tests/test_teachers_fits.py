"""Fits of mixtures against scikit-learn, progress by brute force, and the cube of tasks."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from umwelt.core import Box, Discrete
from umwelt.teachers.cube import cube_of
from umwelt.teachers.em import Gaussians, best_fit, drawn, iterated, maximised, started
from umwelt.teachers.outcomes import nearest_change, no_outcomes

KEY = jax.random.key(0)
RANDOM = np.random.default_rng(0)
POINTS = np.concatenate([RANDOM.normal(0.2, 0.05, (60, 2)), RANDOM.normal([0.7, 0.4], [0.2, 0.03], (60, 2))]).astype(np.float32)

# fits


def test_a_fit_is_that_of_scikit_learn_from_the_same_start() -> None:
    means, spread = np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 0.2]]), np.tile(0.05 * np.eye(2), (3, 1, 1))
    start = Gaussians(log_weight=jnp.log(jnp.full(3, 1 / 3)), mean=jnp.asarray(means, jnp.float32), spread=jnp.asarray(spread))
    found, likelihood = jax.jit(lambda: iterated(jnp.asarray(POINTS), start, 25))()
    other: Any = GaussianMixture(
        3, max_iter=25, tol=0.0, means_init=means, precisions_init=np.linalg.inv(spread), weights_init=np.full(3, 1 / 3)
    )
    with pytest.warns(UserWarning, match="converge"):
        other.fit(POINTS.astype(np.float64))
    np.testing.assert_allclose(np.exp(found.log_weight), other.weights_, atol=1e-3)
    np.testing.assert_allclose(found.mean, other.means_, atol=1e-3)
    np.testing.assert_allclose(found.spread, other.covariances_, atol=1e-4)
    assert float(likelihood) / len(POINTS) == pytest.approx(other.score(POINTS), abs=1e-3)


def test_padded_components_have_no_weight_and_change_nothing() -> None:
    points = jnp.asarray(POINTS)
    shares = jax.jit(lambda: started(KEY, points, jnp.int32(2), 4))()
    assert shares[:, 2:].sum() == 0.0
    fit = jax.jit(lambda shares: iterated(points, maximised(points, shares), 10))
    (found, likelihood), (alone, same) = fit(shares), fit(shares[:, :2])
    np.testing.assert_allclose(found.mean[:2], alone.mean, atol=1e-5)
    assert float(likelihood) == pytest.approx(float(same), abs=1e-2)
    assert np.isneginf(np.asarray(found.log_weight[2:])).all()


def test_the_criterion_finds_two_clusters_and_draws_come_from_them() -> None:
    clear = np.concatenate([RANDOM.normal(0.2, 0.02, (40, 2)), RANDOM.normal(0.8, 0.02, (40, 2))]).astype(np.float32)
    found = jax.jit(lambda: best_fit(KEY, jnp.asarray(clear), 4, 20))()
    weights = np.exp(np.asarray(found.log_weight))
    near = [weights[np.abs(np.asarray(found.mean)[:, 0] - middle) < 0.1].sum() for middle in (0.2, 0.8)]
    np.testing.assert_allclose(near, 0.5, atol=0.01)
    only = jnp.where(found.mean[:, 0] > 0.5, 1.0, 0.0) * (found.log_weight > -jnp.inf)
    assert np.all(np.abs(np.asarray(drawn(KEY, found, only, 50, 1)) - 0.8) < 0.15)


# outcomes


def test_change_is_the_distance_from_the_nearest_earlier_result() -> None:
    ring = no_outcomes(16, 2)
    places, values = RANDOM.uniform(size=(40, 2)).astype(np.float32), RANDOM.uniform(size=40).astype(np.float32)
    for begin in range(0, 40, 4):
        rows = jnp.array([True, True, False, True])
        ring = ring.added(jnp.asarray(places[begin : begin + 4]), jnp.asarray(values[begin : begin + 4]), rows)
    kept = [index for index in range(40) if index % 4 != 2]
    places, values = places[kept], values[kept]
    expected = []
    for index in range(20, 30):
        earlier = range(30 - 16, index)
        nearest = min(earlier, key=lambda other: float(np.sum((places[other] - places[index]) ** 2)))
        expected.append(abs(values[index] - values[nearest]))
    np.testing.assert_allclose(nearest_change(ring, 10), expected, atol=1e-6)


def test_the_first_episodes_have_no_change_and_ties_go_to_the_newest() -> None:
    ring = no_outcomes(16, 1)
    for value in range(8):
        ring = ring.added(jnp.zeros((1, 1)), jnp.full(1, float(value)), jnp.ones(1, bool))
    assert nearest_change(ring, 8).tolist() == [0.0] * 6 + [1.0, 1.0]


# spaces


def test_tasks_go_to_the_cube_and_back() -> None:
    space = {
        "kind": Discrete(n=3),
        "number": Box(low=0, high=9, dtype="int32"),
        "wide": Box(shape=(2,), low=(-1.0, 0.0), high=1.0),
    }
    named = {"one": {"kind": np.int32(1), "number": np.int32(4), "wide": np.zeros(2, np.float32)}}
    cube = cube_of(space, named)
    assert cube.width == 6
    tasks = {"kind": jnp.array([0, 2]), "number": jnp.array([0, 7]), "wide": jnp.array([[-1.0, 0.5], [0.3, 1.0]])}
    back = cube.tasks(cube.places(tasks))
    for name, leaf in tasks.items():
        np.testing.assert_allclose(back[name], leaf, atol=1e-6)
    part = cube_of(space, named, (("number", 2, 6),)).tasks(jnp.array([[0.0], [1.0]]))
    assert part["number"].tolist() == [2, 6]
    assert part["kind"].tolist() == [1, 1]


def test_what_has_no_bounds_or_no_such_field_is_named() -> None:
    with pytest.raises(ValueError, match="within: the field 'speed' has no bounds"):
        cube_of({"speed": Box()}, {"one": {"speed": 0.0}})
    with pytest.raises(ValueError, match="within: tasks have no field wind; they have speed"):
        cube_of({"speed": Box()}, {"one": {"speed": 0.0}}, (("wind", 0.0, 1.0),))
