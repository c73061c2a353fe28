"""Grids that look at chosen inputs only."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from losse_streams import dense_features, experience

from umwelt import check
from umwelt.core import Box, WorldSpec
from umwelt.models.linear import Encoder
from umwelt.models.losse import Losse

KEY = jax.random.key(0)
GROUPED = Encoder(grids=5, bins=4, axes=2, gain=1.5, groups=(((0,), (1,)), ((2, 4), (0, 1, 3))))
"""Grids 0, 2 and 4 look at a place; grids 1 and 3 at what moves there."""


def test_a_group_is_all_that_its_grids_see():
    projection = GROUPED.projection(KEY, 5)
    inputs = np.random.default_rng(0).normal(size=(30, 5))
    before = np.asarray(GROUPED.cells(projection, inputs)[0] + GROUPED.cells(projection, inputs)[1])
    groups = [GROUPED.groups[grid % 2] for grid in range(5)]
    for moved in range(5):
        after = inputs + 0.3 * (np.arange(5) == moved)
        after = np.asarray(GROUPED.cells(projection, after)[0] + GROUPED.cells(projection, after)[1])
        for grid, axis in np.ndindex(5, 2):
            saw = np.abs(after - before)[:, grid, axis] > 1e-9
            assert np.all(saw == (moved in groups[grid][axis])), (moved, grid, axis)


def test_an_axis_of_one_input_lies_along_it_and_grids_are_shifted_by_up_to_half_a_cell():
    projection = np.asarray(GROUPED.projection(KEY, 5), np.float64)
    np.testing.assert_allclose(np.linalg.norm(projection[:-1], axis=0), 1.5, rtol=1e-6)
    inputs = np.linspace(-2, 2, 41)[:, None] * np.eye(5)[0]
    cell, place = GROUPED.cells(jnp.asarray(projection), jnp.asarray(inputs, "float64"))
    for grid in (0, 2, 4):
        sign, shift = np.sign(projection[0, 2 * grid]), projection[-1, 2 * grid]
        expected = 4 / (1 + np.exp(-(sign * 1.5 * inputs[:, 0] + shift)))
        np.testing.assert_allclose(np.asarray(cell + place)[:, grid, 0], expected, atol=1e-6)
    middle = 4 / (1 + np.exp(-projection[-1]))
    assert len(np.unique(middle)) == 10, "each grid cuts elsewhere"
    assert np.abs(middle - 2).max() <= 0.5


def test_grouped_features_are_read_as_the_note_has_them():
    projection = GROUPED.projection(KEY, 5)
    inputs = np.random.default_rng(1).normal(size=(40, 5))
    active, value = GROUPED.encode(projection, jnp.asarray(inputs, "float64"))
    dense = np.zeros((40, GROUPED.size))
    np.add.at(dense, (np.arange(40)[:, None], np.asarray(active)), np.asarray(value))
    one_more = np.concatenate([inputs, np.ones((40, 1))], axis=1)
    np.testing.assert_allclose(dense, dense_features(projection, 4, 5, 2, one_more), atol=1e-12)


def test_groups_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="inputs of 1 axes, and axes=3"):
        Encoder(groups=(((0,),),)).projection(KEY, 4)
    for wrong in ((), (4,), (-1,)):
        with pytest.raises(ValueError, match="inputs 0 to 3"):
            Encoder(axes=2, groups=(((0,), wrong),)).projection(KEY, 4)
    with pytest.raises(ValueError, match="3 groups for 2 grids"):
        Encoder(axes=1, grids=2, groups=(((0,),),) * 3).projection(KEY, 4)


def grown(model, data, spec):
    """A model that learned from a stream."""
    return jax.jit(model.learn)(KEY, model.init(KEY, spec), experience(data))[0]


def test_a_wall_is_learned_by_grids_that_look_at_places_and_smeared_by_those_that_look_at_all():
    """A push moves a point along the first of six numbers, but not out of the cell whose corner is (1, 1)."""

    def pushed(count, seed):
        seen = np.random.default_rng(seed).uniform(-1, 1, (count, 6)).astype(np.float32)
        x, y = seen[:, 0], seen[:, 1]
        wall = (y > 0) & (x > 0) & (seen[:, 5] < 0)
        after = seen[:, :5].copy()
        after[:, 0] += np.where(wall, 0, 0.3 * seen[:, 5])
        return [seen[:, :5], seen[:, 5:], after, np.zeros(count, np.float32)], wall

    spec = WorldSpec(
        name="wall",
        observation=Box(shape=(5,), low=-1.0, high=1.0),
        action=Box(shape=(1,), low=-1.0, high=1.0),
        task=Box(),
    )
    data, (fresh, wall) = pushed(1500, 0)[0], pushed(1000, 1)
    through = {}
    for groups in ((), (((0,), (1,), (5,)),)):
        model = Losse(encoder=Encoder(grids=6, bins=4, groups=groups))
        _, prediction = jax.jit(model.imagine)(KEY, grown(model, data, spec), fresh[0], fresh[1])
        moved = np.asarray(prediction.observation)[:, 0] - fresh[0][:, 0]
        through[groups] = np.sqrt(np.mean((moved - (fresh[2] - fresh[0])[:, 0])[wall] ** 2))
    dense, grouped = through.values()
    assert grouped < 0.5 * dense


def test_losse_with_groups_keeps_the_contract():
    groups = (((0,), (1,)), ((0, 1), (2,)))
    check.model(Losse(encoder=Encoder(grids=6, bins=3, axes=2, groups=groups), warm_up=20), depth="shapes").raise_if_broken()
