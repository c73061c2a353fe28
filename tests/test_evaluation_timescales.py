"""Leaky recurrent networks against plain loops, and time constants against their closed form."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.claims.studies.lengthening import Lengthening
from umwelt.evaluation import timescales
from umwelt.evaluation.timescales import Leaky

NETWORK = timescales.drawn(jax.random.key(0), 5, 3)
BITS = np.random.default_rng(0).integers(0, 2, (9, 4)).astype(np.float32)


def test_a_state_is_that_of_a_plain_loop_over_what_is_shown() -> None:
    lengths = np.array([9, 6, 1, 0])
    found = jax.jit(timescales.remembered)(NETWORK, jnp.asarray(BITS), jnp.asarray(lengths))
    weights, constants = np.array(NETWORK.between, np.float64), np.asarray(NETWORK.constants, np.float64)
    for row, length in enumerate(lengths):
        state = np.zeros(5)
        for bit in BITS[len(BITS) - length :, row]:
            after = np.zeros(5)
            for unit in range(5):
                drive = sum(state[other] * weights[other, unit] for other in range(5) if other != unit)
                drive += bit * float(NETWORK.inputs[unit]) + float(NETWORK.bias[unit])
                raw = (1 - 1 / constants[unit]) * state[unit] + drive / constants[unit]
                after[unit] = raw if raw > 0 else 0.1 * raw
            state = after
        np.testing.assert_allclose(found[row], state, atol=1e-5)


def test_a_unit_alone_forgets_a_pulse_by_its_time_constant() -> None:
    one, zeros = jnp.ones(1), jnp.zeros(1)
    unit = Leaky(inputs=one, bias=zeros, between=zeros[None], constants=4 * one, heads=zeros[None], offsets=zeros)
    pulse = jnp.zeros((11, 1)).at[0].set(1.0)
    assert float(timescales.remembered(unit, pulse, jnp.array([11]))[0, 0]) == pytest.approx(0.25 * 0.75**10, rel=1e-5)


def test_parities_are_those_of_the_last_bits() -> None:
    for head, found in enumerate(np.asarray(timescales.parities(jnp.asarray(BITS), 6))):
        np.testing.assert_array_equal(found, BITS[-(head + 2) :].sum(axis=0) % 2 == 1)


def test_a_head_is_handed_on_and_the_last_one_has_no_next() -> None:
    network = replace(NETWORK, offsets=jnp.arange(3.0))
    after = timescales.handed_on(network, jnp.int32(0))
    np.testing.assert_array_equal(after.heads, np.asarray(NETWORK.heads)[[0, 0, 2]])
    np.testing.assert_array_equal(after.offsets, [0, 0, 2])
    jax.tree.map(np.testing.assert_array_equal, timescales.handed_on(network, jnp.int32(2)), network)


def test_parities_of_two_and_of_three_bits_are_learned() -> None:
    found = Lengthening(longest=3, units=48, learning_rate=3e-3, most=3000)(0)
    assert found["updates"] < 3000
    assert found["kept"] > 0.95
