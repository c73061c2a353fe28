"""The gated recurrent unit against its formulas, in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.networks import gru

KEY = jax.random.key(0)
UNIT = jax.tree.map(lambda leaf: leaf + 0.1, gru.gru(KEY, 3, 4))


def by_hand(summary: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """One step of one row, as the formulas say it."""
    read = seen @ np.asarray(UNIT.inputs.weight) + np.asarray(UNIT.inputs.bias)
    kept = summary @ np.asarray(UNIT.hidden.weight) + np.asarray(UNIT.hidden.bias)
    made = np.zeros(4)
    for unit in range(4):
        reset = 1 / (1 + np.exp(-read[unit] - kept[unit]))
        update = 1 / (1 + np.exp(-read[4 + unit] - kept[4 + unit]))
        candidate = np.tanh(read[8 + unit] + reset * kept[8 + unit])
        made[unit] = update * summary[unit] + (1 - update) * candidate
    return made


def test_a_sequence_is_read_as_the_formulas_say_and_forgotten_where_one_begins() -> None:
    seen = np.random.default_rng(0).normal(size=(6, 2, 3)).astype(np.float32)
    begins = np.zeros((6, 2), bool)
    begins[3, 1] = True
    last, every = jax.jit(gru.run)(UNIT, gru.zeros(UNIT, 2), jnp.asarray(seen), jnp.asarray(begins))
    for row in range(2):
        summary = np.zeros(4)
        for time in range(6):
            summary = by_hand(np.zeros(4) if begins[time, row] else summary, seen[time, row])
            np.testing.assert_allclose(every[time, row], summary, atol=1e-5)
    np.testing.assert_array_equal(last, every[-1])


def test_a_step_alone_is_a_step_of_a_run() -> None:
    seen = jax.random.normal(KEY, (2, 1, 3))
    _, every = jax.jit(gru.run)(UNIT, gru.zeros(UNIT, 1), seen)
    first = gru.step(UNIT, gru.zeros(UNIT, 1), seen[0])
    np.testing.assert_allclose(gru.step(UNIT, first, seen[1]), every[1], atol=1e-6)
