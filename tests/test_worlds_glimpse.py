"""Glimpses are averages over areas."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.worlds.glimpse import Glimpse, GlimpseBody

KEY = jax.random.key(1)
WORLD = Glimpse(batch=2)


def test_the_world_keeps_the_contract() -> None:
    check.world(WORLD, steps=12).raise_if_broken()


@pytest.fixture(scope="module")
def drawn() -> tuple[Any, np.ndarray]:
    """A body whose corner falls on whole pixels, and its field, float32 [64, 64]."""
    body = jax.jit(WORLD.begin)(KEY, WORLD.tasks()["all"])
    body = GlimpseBody(table=body.table, corner=jnp.array([20.0, 12.0]), label=body.label, where=body.where)
    digit = np.diff(np.diff(np.asarray(body.table), axis=0), axis=1)
    field = np.zeros((64, 64), np.float32)
    field[20:52, 12:44] = np.kron(digit, np.ones((4, 4)))
    return body, field


LOOK = jax.jit(WORLD.look)


@pytest.mark.parametrize("where", [(0.0, 0.0, 1.0), (-1.0, 1.0, 0.0), (0.25, -0.5, 0.0), (0.5, 0.5, -1.0)])
def test_a_pixel_is_the_average_over_its_square(drawn: Any, where: tuple[float, float, float]) -> None:
    body, field = drawn
    width = round(16 * 4 ** ((where[2] + 1) / 2))
    left, top = (round((each + 1) / 2 * (64 - width)) for each in where[:2])
    wanted = field[top : top + width, left : left + width].reshape(4, width // 4, 4, width // 4).mean((1, 3))
    np.testing.assert_allclose(LOOK(body, jnp.array(where)).reshape(4, 4), wanted, atol=1e-4)


def test_the_widest_glimpse_is_the_small_picture(drawn: Any) -> None:
    body, field = drawn
    small = jax.image.resize(jnp.asarray(field).reshape(4, 16, 4, 16).mean((1, 3)), (4, 4), "linear")
    np.testing.assert_allclose(LOOK(body, jnp.array([0.0, 0.0, 1.0])).reshape(4, 4), small, atol=1e-4)
    # wherever it points, for it cannot leave the field
    np.testing.assert_allclose(LOOK(body, jnp.array([1.0, -1.0, 1.0])).reshape(4, 4), small, atol=1e-4)


def test_held_out_digits_are_others() -> None:
    keys, held_out = jax.random.split(KEY, 40), jnp.repeat(jnp.arange(2), 20)
    drawn = jax.jit(jax.vmap(lambda key, each: WORLD.begin(key, replace(WORLD.tasks()["all"], held_out=each))))
    tables = np.asarray(drawn(keys, held_out).table)
    first, second = ({each.tobytes() for each in side} for side in (tables[:20], tables[20:]))
    assert len(first) > 10
    assert not first & second
