"""A schedule of rehearsal: how often, and in which company, a transition returns."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.core import MID, Experience, TimeStep, lived
from umwelt.memory import Lifelong, Rested


def row(number: int) -> Experience:
    """A transition that its action names."""
    step = TimeStep(kind=jnp.full(1, MID, jnp.int8), observation=jnp.full((1, 1), float(number)), reward=jnp.zeros(1))
    return lived(step, jnp.array([number]), step)


def filled(memory: Rested, number: int) -> Any:
    """A memory that was shown transitions 0 .. number - 1."""
    state, add = memory.init(row(0)), jax.jit(memory.add)
    for index in range(number):
        state = add(jax.random.key(index), state, row(index))
    return state


@pytest.mark.parametrize("views", [1, 3])
def test_each_transition_comes_once_in_a_pass_and_so_many_times_in_a_row(views: int) -> None:
    memory = Rested(memory=Lifelong(bytes=100_000), views=views)
    state, draw = filled(memory, 12), jax.jit(memory.draw, static_argnums=3)
    passes = []
    for lesson in range(9):
        found = np.asarray(draw(jax.random.key(7), state, jnp.int32(lesson), (4 * views,)).action)
        np.testing.assert_array_equal(found, np.repeat(found[::views], views))
        passes.append(found[::views])
    orders = np.concatenate(passes).reshape(3, 12)
    for order in orders:
        assert sorted(order) == list(range(12)), "drawn without replacement"
    assert not np.array_equal(orders[0], orders[1]), "each pass has its own order"


def test_an_empty_memory_draws_nothing_valid_and_a_wrong_shape_is_refused() -> None:
    memory = Rested(memory=Lifelong(bytes=100_000), views=4)
    state = memory.init(row(0))
    assert not memory.draw(jax.random.key(0), state, jnp.int32(3), (8,)).valid.any()
    with pytest.raises(ValueError, match="multiple of views=4"):
        memory.draw(jax.random.key(0), state, jnp.int32(0), (6,))
    with pytest.raises(ValueError, match="length=1"):
        Rested(memory=Lifelong(length=2)).init(row(0))


def test_without_its_schedule_it_keeps_the_contract_of_memories() -> None:
    check.memory(Rested(memory=Lifelong(bytes=100_000)), depth="shapes").raise_if_broken()
