"""The tabular studies of exploration against scipy, sampling and mazes worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

from umwelt.claims.studies.entropy_game import Spread, entropy
from umwelt.claims.studies.layered import Layered, estimate, policies, steps_from, true_steps
from umwelt.claims.studies.layouts import Found, Planned
from umwelt.core import keys

KEY = jax.random.key(8)
SMALL = Spread(states=3, actions=2, length=3)


def world_of() -> jax.Array:
    return jax.random.dirichlet(KEY, jnp.ones(3), (3, 2))


def test_the_highest_entropy_of_visits_is_that_of_scipy() -> None:
    world = np.asarray(world_of(), np.float64)

    def missing(flow: np.ndarray) -> float:
        spread = np.maximum(flow.reshape(3, 3, 2).sum(-1), 1e-12)
        return float((spread * np.log(spread)).sum() / 3)

    def unbalanced(flow: np.ndarray) -> np.ndarray:
        taken = flow.reshape(3, 3, 2)
        into = np.einsum("hsa,sat->ht", taken[:-1], world)
        return np.concatenate([taken[0].sum(-1) - np.eye(3)[0], (taken[1:].sum(-1) - into).ravel()])

    start = np.asarray(SMALL.visited(world_of(), jnp.full((3, 3, 2), 0.5)))[..., None].repeat(2, -1).ravel() / 2
    found = minimize(missing, start, bounds=[(0, 1)] * 18, constraints={"type": "eq", "fun": unbalanced}, method="SLSQP")
    assert found.success
    assert float(jax.jit(SMALL.best)(world_of())) == pytest.approx(-found.fun, abs=2e-3)


def test_visits_are_those_of_episodes() -> None:
    policy = jax.random.dirichlet(KEY, jnp.ones(2), (3, 3))
    states, _ = jax.jit(jax.vmap(lambda key: SMALL.walked(key, world_of(), policy)))(jax.random.split(KEY, 4000))
    counted = np.stack([np.bincount(np.asarray(states)[:, at], minlength=3) for at in range(3)]) / 4000
    np.testing.assert_allclose(SMALL.visited(world_of(), policy), counted, atol=0.03)
    assert float(entropy(jnp.full((2, 4), 0.25))) == pytest.approx(np.log(4))


def test_goals_can_be_reached_and_layouts_differ() -> None:
    study = Planned(size=5)
    free, goal = jax.jit(jax.vmap(study.drawn))(jax.random.split(KEY, 50))
    assert len({each.tobytes() for each in np.asarray(free)}) > 40
    for walls, there in zip(np.asarray(free), np.asarray(goal), strict=True):
        assert there.sum() == 1
        reached, front = {(0, 0)}, [(0, 0)]
        while front:
            row, column = front.pop()
            for next in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
                if min(next) >= 0 and max(next) < 5 and walls[next] and next not in reached:
                    reached.add(next)
                    front.append(next)
        assert tuple(np.argwhere(there)[0]) in reached


def test_a_planner_goes_straight_to_a_goal_that_it_knows() -> None:
    study, zeros = Planned(size=4, limit=8), jnp.zeros((4, 4))
    goal = zeros.astype(bool).at[3, 3].set(True)
    known = Found(met=zeros + 100.0, paid=zeros.at[3, 3].set(100.0))
    _, returned = jax.jit(study.episode)(keys.fold(KEY, "episode"), known, jnp.ones((4, 4), bool), goal)
    assert float(returned) == pytest.approx(0.95**5), "six moves"


def test_steps_without_slips_are_those_of_a_walk_and_resets_go_back_to_the_start() -> None:
    study, places = Layered(side=5, slip=0.0), np.arange(25)
    world, start = study.world(), 12
    walk = np.abs(places // 5 - 2) + np.abs(places % 5 - 2)
    everywhere = np.ones(25, bool)
    steps = steps_from(world, everywhere, places, start)
    np.testing.assert_allclose(steps[:, start], walk)
    np.testing.assert_allclose(true_steps(world, policies(world, steps), everywhere, places, start), walk, rtol=1e-4)
    row = places // 5 == 2
    # through the middle row alone, a place beside it is one move away, and one behind that never is
    limited = steps_from(world, row, np.array([7, 2, 10]), start)
    np.testing.assert_allclose(limited[[0, 2], start], [1, 2])
    assert limited[1, start] > 20
    # from outside, a reset is a step
    assert limited[0, 0] == 2


def test_moves_that_slip_are_counted_as_they_come() -> None:
    study, random = Layered(side=5, slip=0.3), np.random.default_rng(0)
    world, counts = study.world(), np.zeros((25, 4, 25))
    np.testing.assert_allclose(world.sum(-1), 1.0)
    assert world[12, 0, 7] == pytest.approx(0.7)
    assert world[0, 0, 0] == pytest.approx(0.7 + 0.1), "up and left are outside"
    spent = sum(study.tried(random, world, counts, np.arange(25) == 12, 12, 12, 0) for _ in range(400))
    assert spent == 400
    np.testing.assert_allclose(estimate(counts)[12, 0], world[12, 0], atol=0.08)
    np.testing.assert_array_equal(estimate(counts)[3], np.eye(25)[[3] * 4])
