"""The game of 24, and the search for it, against plain enumeration in exact fractions."""

from fractions import Fraction
from itertools import combinations
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.claims.studies.puzzles import Sought, promising, solvable_puzzles
from umwelt.worlds.twenty_four import TwentyFour, TwentyFourBody, solvable

KEY = jax.random.key(0)
GAME = TwentyFour()


def outcomes(numbers: tuple[Fraction, ...]) -> set[tuple[float, ...]]:
    """All numbers that one operation leaves, ascending."""
    found = set()
    for one, other in combinations(range(len(numbers)), 2):
        first, second = numbers[one], numbers[other]
        rest = [float(number) for place, number in enumerate(numbers) if place not in (one, other)]
        made = [first + second, first * second, first - second, second - first]
        made += [first / second] if second else []
        made += [second / first] if first else []
        found |= {tuple(sorted((*rest, float(each)))) for each in made}
    return found


@pytest.mark.parametrize("numbers", [(4, 6, 8, 10), (0, 3, 3), (5, 5), (1, 2, 3, 4)])
def test_the_operations_are_those_of_fractions(numbers: tuple[int, ...]) -> None:
    padded = jnp.array([*sorted(map(float, numbers)), *[np.inf] * (4 - len(numbers))])
    made, open = np.asarray(GAME.combined(padded)), np.asarray(GAME.open(padded))
    found = {tuple(row[np.isfinite(row)].round(3).tolist()) for row in made[open]}
    expected = {tuple(np.asarray(each, np.float32).round(3).tolist()) for each in outcomes(tuple(map(Fraction, numbers)))}
    assert found == expected


def test_a_puzzle_is_solved_by_three_operations_and_a_closed_one_changes_nothing() -> None:
    # 8 / (3 - 8 / 3)
    state, step = GAME.init(KEY, jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], GAME.tasks()["3_3_8_8"]))
    for wanted in (8 / 3, 1 / 3, 24.0):
        made = np.asarray(GAME.combined(state.body.numbers[0]))
        fits = np.asarray(GAME.open(state.body.numbers[0])) & np.any(np.abs(made - wanted) < 1e-3, axis=1)
        state, step = GAME.step(KEY, state, jnp.array([int(np.argmax(fits))]), state.task)
    assert float(step.reward[0]) == 1.0
    assert bool(step.terminated[0])
    zero = TwentyFourBody(numbers=jnp.array([0.0, 5.0, jnp.inf, jnp.inf]))
    after, reward, ended = GAME.advance(KEY, zero, jnp.int32(5), GAME.tasks()["1_2_3_4"])
    np.testing.assert_array_equal(after.numbers, zero.numbers)
    assert not ended
    assert float(reward) == 0.0


def test_solvable_puzzles_are_those_that_enumeration_solves() -> None:
    assert solvable((3, 3, 8, 8))
    assert not solvable((1, 1, 1, 1))
    assert all(solvable(numbers) for numbers in solvable_puzzles(3))


def test_a_state_is_promising_where_one_operation_makes_24() -> None:
    truth = {(4.0, 6.0): True, (4.0, 7.0): False, (25.0, 1.0, 9.0): True, (24.0,): True, (23.0,): False}
    for numbers, wanted in truth.items():
        padded = jnp.array([*sorted(numbers), *[np.inf] * (4 - len(numbers))])
        assert bool(promising(padded)) is wanted


def test_breadth_first_tries_all_of_the_first_state_before_another() -> None:
    search = Sought(order="breadth", puzzles=1, limit=60)
    numbers = jnp.array([3.0, 3.0, 8.0, 8.0])
    archive = jax.jit(search._searched)(KEY, numbers)
    first = {tuple(np.round(each, 3)) for each in outcomes(tuple(map(Fraction, (3, 3, 8, 8))))}
    found = np.asarray(archive.numbers)[1 : len(first) + 1, :3]
    assert {tuple(row.round(3)) for row in found.astype(float)} == {tuple(float(x) for x in each) for each in first}
    assert not bool(archive.solved)


def test_the_world_keeps_the_contract() -> None:
    report: Any = check.world(GAME, depth="shapes")
    report.raise_if_broken()
    assert next(iter(GAME.tasks())) == "1_2_3_4"
