"""What planners do with their own candidates: every step recorded, and computed again in NumPy."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Objective, Prediction, WorldSpec
from umwelt.core.contracts import Prospect
from umwelt.planners import CEM, ICEM, MPPI, Shooting

KEY = jax.random.key(0)
SPEC = WorldSpec(name="test", observation=Box(), action=Box(shape=(1,), low=-2.0, high=2.0), task=Box(), batch=2)


class Witness:
    """Records what a planner imagines; it sees numbers where jit is off."""

    def __init__(self) -> None:
        self.actions: list[np.ndarray] = []
        self.rewards: list[np.ndarray] = []

    def imagine(self, key: Any, belief: jax.Array, action: jax.Array) -> tuple[jax.Array, Prediction]:
        reward = jnp.sin(3 * action[:, 0] + belief) - 0.3 * action[:, 0] ** 2
        self.actions.append(np.asarray(action[:, 0]))
        self.rewards.append(np.asarray(reward))
        same = jnp.ones_like(reward)
        return belief + 1.0, Prediction(observation=None, reward=reward, continues=same, doubt=0.0 * same)

    def candidates(self, batch: int, sizes: tuple[int, ...], horizon: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """(actions [H, B, S], undiscounted scores [B, S]) of each iteration."""
        found = []
        for index, size in enumerate(sizes):
            here = slice(index * horizon, (index + 1) * horizon)
            actions, rewards = (np.stack(kept[here]).reshape(horizon, batch, size) for kept in (self.actions, self.rewards))
            found.append((actions, rewards.sum(axis=0)))
        return found


def witness(planner: Any, sizes: tuple[int, ...], state: Any = None) -> tuple[Any, np.ndarray, list[Any]]:
    """One call without jit: the state and action, and what was imagined."""
    seen = Witness()
    state = planner.init(KEY, SPEC) if state is None else state
    with jax.disable_jit():
        state, action = planner.plan(KEY, state, jnp.asarray([0.0, 1.5]), Prospect(imagine=seen.imagine, objective=Objective()))
    return state, np.asarray(action)[:, 0], seen.candidates(2, sizes, planner.horizon)


def test_one_mppi_iteration_is_the_softmax_average_of_its_candidates() -> None:
    planner = MPPI(samples=40, horizon=3, iterations=1, elites=0, relative=False, temperature=0.7, discount=1.0)
    state, action, ((actions, scores),) = witness(planner, (40,))
    weights = np.exp((scores - scores.max(axis=1, keepdims=True)) / 0.7)
    weights /= weights.sum(axis=1, keepdims=True)
    mean = np.einsum("bs,hbs->bh", weights, actions)
    np.testing.assert_allclose(action, mean[:, 0], atol=1e-5)
    np.testing.assert_allclose(2 * state.mean[:, :-1, 0], mean[:, 1:], atol=1e-5)


def test_one_cem_iteration_fits_its_elites() -> None:
    planner = CEM(samples=40, horizon=3, iterations=1, elites=5, momentum=0.0, least_spread=0.0, discount=1.0)
    state, action, ((actions, scores),) = witness(planner, (40,))
    for row in range(2):
        elites = actions[:, row, np.argsort(-scores[row])[:5]]
        np.testing.assert_allclose(action[row], elites[0].mean(), atol=1e-5)
        np.testing.assert_allclose(2 * state.mean[row, :-1, 0], elites[1:].mean(axis=1), atol=1e-5)
        np.testing.assert_allclose(2 * state.spread[row, :-1, 0], elites[1:].std(axis=1), atol=1e-5)


def test_shooting_does_the_first_action_of_the_best_and_tries_the_rest_of_it_again() -> None:
    planner = Shooting(samples=40, horizon=3, discount=1.0)
    state, action, ((actions, scores),) = witness(planner, (40,))
    best = actions[:, np.arange(2), scores.argmax(axis=1)]
    np.testing.assert_allclose(action, best[0], atol=1e-5)
    _, _, ((again, _),) = witness(planner, (40,), state)
    assert all(np.any(np.all(np.abs(again[:2, row] - best[1:, row, None]) < 1e-5, axis=0)) for row in range(2))


def test_icem_keeps_elites_within_a_call_adds_the_mean_and_shifts_elites_into_the_next() -> None:
    planner = ICEM(samples=40, horizon=3, iterations=3, elites=5, keep=0.4, decay=1.5, momentum=0.0, discount=1.0)
    sizes = planner.populations
    assert sizes == (40, 27, 18)
    state, action, rounds = witness(planner, sizes)
    _, _, again = witness(planner, sizes, state)
    holds = lambda pool, plan: np.any(np.all(np.abs(pool - plan[:, None]) < 1e-5, axis=0))  # noqa: E731
    for row in range(2):
        order = [np.argsort(-scores[row]) for _, scores in rounds]
        for index in range(2):
            for elite in order[index][:2]:
                assert holds(rounds[index + 1][0][:, row], rounds[index][0][:, row, elite])
        middle = rounds[1][0][:, row, order[1][:5]].mean(axis=1)
        assert holds(rounds[2][0][:, row], middle)
        best = rounds[2][0][:, row, order[2][0]]
        np.testing.assert_allclose(action[row], best[0], atol=1e-6)
        assert holds(again[0][0][:2, row], best[1:])
