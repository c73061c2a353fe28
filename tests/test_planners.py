"""Planners, against Riccati's recursion, full enumeration and what they did to their own candidates."""

import dataclasses
import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from umwelt.core import Box, Discrete, Objective, Prediction, WorldSpec, spaces
from umwelt.core.contracts import Prospect
from umwelt.planners import CEM, ICEM, MPPI, Shooting
from umwelt.planners.plans import blank

KEY = jax.random.key(0)
BOX = Box(shape=(1,), low=-4.0, high=4.0)


def spec(action: Any, batch: int) -> WorldSpec:
    return WorldSpec(name="test", observation=Box(shape=(2,)), action=action, task=Box(), batch=batch)


def prediction(reward: Any, continues: Any = 1.0, doubt: Any = 0.0) -> Prediction:
    whole = jnp.zeros_like(reward)
    return Prediction(observation=None, reward=reward, continues=whole + continues, doubt=whole + doubt)


def seeing(imagine: Any, **abilities: Any) -> Prospect:
    """What a planner is given that maximises reward."""
    return Prospect(imagine=imagine, objective=Objective(), **abilities)


def plans_of(state: Any) -> Any:
    return getattr(state, "plans", state)


A, B = np.array([[1.0, 0.4], [0.0, 0.9]]), np.array([[0.1], [0.5]])
Q, R = np.diag([1.0, 0.2]), np.array([[0.3]])
STARTS = np.array([[1.0, 0.0], [-2.0, 1.0], [0.5, -1.0], [1.0, 0.8]])


def regulate(key: Any, belief: jax.Array, action: jax.Array) -> tuple[jax.Array, Prediction]:
    """A linear system with a quadratic cost."""
    following = belief @ A.T.astype(np.float32) + action @ B.T.astype(np.float32)
    cost = jnp.sum(following**2 * np.diag(Q).astype(np.float32), -1) + R[0, 0].astype(np.float32) * action[:, 0] ** 2
    return following, prediction(-cost)


def least_cost(horizon: int) -> np.ndarray:
    """The exact optimum from STARTS, by Riccati's recursion; the cost of a step is that of where it leads."""
    worth = np.zeros((2, 2))
    for _ in range(horizon):
        ahead = Q + worth
        gain = np.linalg.solve(R + B.T @ ahead @ B, B.T @ ahead @ A)
        worth = A.T @ ahead @ (A - B @ gain)
    return np.einsum("bi,ij,bj->b", STARTS, worth, STARTS)


def cost_of(actions: np.ndarray) -> np.ndarray:
    """The cost of actions [B, H] from STARTS."""
    state, total = STARTS, 0.0
    for action in actions.T[..., None]:
        state = state @ A.T + action @ B.T
        total = total + np.einsum("bi,ij,bj->b", state, Q, state) + R[0, 0] * action[:, 0] ** 2
    return total


@pytest.mark.parametrize(
    ("planner", "slack"),
    [
        (Shooting(samples=20_000, horizon=2, discount=1.0), 0.05),
        (CEM(samples=256, horizon=6, iterations=8, discount=1.0), 0.03),
        (ICEM(samples=256, horizon=6, iterations=8, discount=1.0, choose="mean"), 0.03),
        (MPPI(samples=256, horizon=6, iterations=8, discount=1.0), 0.03),
    ],
    ids=lambda found: type(found).__name__,
)
def test_plans_cost_what_riccati_says(planner: Any, slack: float) -> None:
    state = planner.init(KEY, spec(BOX, 4))
    belief = jnp.asarray(STARTS, jnp.float32)
    plan = jax.jit(lambda state: planner.plan(KEY, state, belief, seeing(regulate)))
    state, action = plan(state)
    # the warm start is the plan without its first action, and the step it gained at the end is not part of it
    rest = plans_of(state).decode(plans_of(state).mean)[:, : planner.horizon - 1]
    actions = np.concatenate([action[:, None], rest], axis=1)[..., 0]
    optimum = least_cost(planner.horizon)
    assert np.all(cost_of(actions) >= optimum - 1e-3)
    np.testing.assert_allclose(cost_of(actions), optimum, rtol=slack)


def walk(seed: int, states: int = 6, arms: int = 3) -> dict[str, np.ndarray]:
    """A random deterministic decision problem: tables [states, arms], and what each state is worth at the end."""
    random = np.random.default_rng(seed)
    return {
        "next": random.integers(0, states, (states, arms)).astype(np.int32),
        "reward": random.normal(size=(states, arms)).astype(np.float32),
        "continues": random.choice([1.0, 0.5], (states, arms)).astype(np.float32),
        "worth": 3 * random.normal(size=states).astype(np.float32),
    }


def enumerate_all(table: dict[str, np.ndarray], start: int, horizon: int, discount: float) -> tuple[Any, float, float]:
    """The best sequence of all, its score, and the score of the best that begins otherwise."""
    scores = {}
    for sequence in itertools.product(range(3), repeat=horizon):
        at, total, alive = start, 0.0, 1.0
        for arm in sequence:
            total += alive * table["reward"][at, arm]
            alive *= discount * table["continues"][at, arm]
            at = table["next"][at, arm]
        scores[sequence] = total + alive * table["worth"][at]
    best = max(scores, key=scores.__getitem__)
    return best, scores[best], max(score for sequence, score in scores.items() if sequence[0] != best[0])


@pytest.mark.parametrize(
    "planner",
    [
        Shooting(samples=600, horizon=4, discount=0.9),
        CEM(samples=128, horizon=4, elites=8, discount=0.9),
        ICEM(samples=128, horizon=4, elites=8, discount=0.9),
        MPPI(samples=128, horizon=4, discount=0.9),
    ],
    ids=lambda found: type(found).__name__,
)
def test_choices_are_those_of_the_best_of_all_sequences(planner: Any) -> None:
    table = walk(3)

    def imagine(key: Any, belief: jax.Array, action: jax.Array) -> tuple[jax.Array, Prediction]:
        look = {name: jnp.asarray(values)[belief, action] for name, values in table.items() if name != "worth"}
        return look["next"], prediction(look["reward"], look["continues"])

    starts = jnp.arange(6, dtype=jnp.int32)
    state = planner.init(KEY, spec(Discrete(n=3), 6))
    value = lambda belief: jnp.asarray(table["worth"])[belief]  # noqa: E731
    plan = jax.jit(lambda key, state: planner.plan(key, state, starts, seeing(imagine, value=value)))
    _, action = plan(KEY, state)
    assert action.dtype == jnp.int32
    clear = 0
    for start in range(6):
        best, score, otherwise = enumerate_all(table, start, 4, 0.9)
        clear += score > otherwise + 0.2
        if score > otherwise + 0.2:
            assert int(action[start]) == best[0]
    assert clear >= 4


def test_mppi_weights_equal_a_softmax_by_hand() -> None:
    planner = MPPI(elites=3, relative=False, temperature=2.0, samples=4)
    scores = np.float32([[1.0, 3.0, -np.inf, 2.0], [5.0, 1.0, 3.0, 1.5], [-np.inf] * 4])
    weights = np.asarray(jax.jit(planner.weigh)(scores))
    first = np.exp([-1.0, 0.0, -0.5])
    np.testing.assert_allclose(weights[0, [0, 1, 3]], first / first.sum(), rtol=1e-5)
    assert weights[0, 2] == 0
    second = np.exp([0.0, -1.0, -1.75])
    np.testing.assert_allclose(weights[1], np.array([second[0], 0, second[1], second[2]]) / second.sum(), rtol=1e-5)
    np.testing.assert_allclose(weights[2], 0.25)


def test_a_relative_temperature_ignores_the_unit_of_reward() -> None:
    scores = np.random.default_rng(0).normal(size=(3, 50)).astype(np.float32)
    weigh = jax.jit(MPPI(samples=50, elites=10, temperature=0.4).weigh)
    np.testing.assert_allclose(weigh(scores), weigh(100.0 * scores - 7.0), atol=1e-4)
    finite = np.sort(scores[0])[-10:]
    weights = np.exp((finite - finite.max()) / (0.4 * finite.std()))
    np.testing.assert_allclose(np.sort(np.asarray(weigh(scores))[0])[-10:], weights / weights.sum(), rtol=1e-4)


def test_sampled_actions_follow_the_weights() -> None:
    planner = MPPI(samples=64, horizon=1, iterations=1, elites=0, relative=False, temperature=1.0, choose="sample")
    imagine = lambda key, belief, action: (belief, prediction(jnp.where(action == 1, 1.0, 0.0)))  # noqa: E731
    state = planner.init(KEY, spec(Discrete(n=2), 3000))
    action = jax.jit(lambda state: planner.plan(KEY, state, jnp.zeros(3000), seeing(imagine))[1])(state)
    assert abs(np.mean(action) - np.e / (np.e + 1)) < 0.03


@pytest.mark.parametrize("planner", [CEM, MPPI, ICEM])
def test_a_warm_start_makes_up_for_iterations(planner: Any) -> None:
    """A plan of eight alternating actions: one short iteration each call finds it only together."""
    pattern = jnp.asarray([0.8, -0.6, 0.2, -0.9, 0.5, 0.0, -0.3, 0.7], jnp.float32)

    def imagine(key: Any, belief: jax.Array, action: jax.Array) -> tuple[jax.Array, Prediction]:
        return belief + 1, prediction(-jnp.sum((action - pattern[belief % 8][:, None]) ** 2, axis=-1))

    small = planner(samples=64, horizon=8, iterations=1, elites=8, choose="mean", spread=0.25)
    space = Box(shape=(3,), low=-1.0, high=1.0)
    plan = jax.jit(lambda key, state, belief: small.plan(key, state, belief, seeing(imagine)))
    state = cold = small.init(KEY, spec(space, 16))
    for time in range(16):
        key, belief = jax.random.fold_in(KEY, time), jnp.full(16, time, jnp.int32)
        state, action = plan(key, state, belief)
        _, without = plan(key, cold, belief)
    error, alone = (float(jnp.mean((a - pattern[15 % 8]) ** 2)) for a in (action, without))
    assert error < 0.5 * alone


def test_objective_weighs_reward_doubt_and_bonus() -> None:
    seen = Prediction(
        observation=None,
        reward=jnp.asarray([1.0, 2.0]),
        continues=jnp.ones(2),
        doubt=jnp.asarray([0.5, 3.0]),
        bonus=jnp.asarray([4.0, -1.0]),
    )
    np.testing.assert_allclose(Objective(doubt=-2.0)(seen), [0.0, -4.0])
    np.testing.assert_allclose(Objective(doubt=1.0)(seen), [1.5, 5.0])
    np.testing.assert_allclose(Objective(reward=0.5, bonus=2.0)(seen), [8.5, -1.0])
    np.testing.assert_allclose(Objective(reward=0.0)(seen), [0.0, 0.0])
    blind = dataclasses.replace(seen, doubt=jnp.full(2, jnp.nan), bonus=None)
    np.testing.assert_allclose(Objective()(blind), [1.0, 2.0])
    with pytest.raises(ValueError, match="Wondering"):
        Objective(bonus=1.0)(blind)


MASKED = {
    "Shooting": Shooting(samples=16, horizon=2),
    "CEM-mean": CEM(samples=16, horizon=2, iterations=2, elites=4),
    "CEM-noisy": CEM(samples=16, horizon=2, iterations=2, elites=4, choose="noisy"),
    "ICEM": ICEM(samples=16, horizon=2, iterations=2, elites=4),
    "MPPI-sample": MPPI(samples=16, horizon=2, iterations=2, elites=4, choose="sample"),
}


@pytest.mark.parametrize("name", list(MASKED))
def test_plans_begin_with_an_open_choice(name: str) -> None:
    """Choice 3 pays most, and the prior proposes it. Where it is closed now, it is still the best second choice."""
    planner, firsts, rests = MASKED[name], [], []

    def imagine(key: Any, belief: jax.Array, action: jax.Array) -> tuple[jax.Array, Prediction]:
        jax.debug.callback(lambda age, done: (firsts if age[0] == 0 else rests).append(np.asarray(done)), belief, action)
        return belief + 1, prediction(jnp.asarray([0.0, 1.0, 2.0, 9.0])[action])

    open = jnp.asarray([[1, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]], jnp.uint8)
    prior = lambda key, belief: jnp.full(belief.shape, 3, jnp.int32)  # noqa: E731
    prospect = seeing(imagine, prior=prior, open=open)
    plan = jax.jit(lambda key, state: planner.plan(key, state, jnp.zeros(4, jnp.int32), prospect))
    state = planner.init(KEY, spec(Discrete(n=4), 4))
    for call in range(4):
        state, action = plan(jax.random.fold_in(KEY, call), state)
        assert action[1] == 1
        assert action[0] != 3
    jax.effects_barrier()
    assert action.tolist()[2:] == [3, 3], "a row in which nothing is open has all choices"
    for done in firsts:
        rows = done.reshape(4, -1)
        assert set(rows[0].tolist()) <= {0, 1, 2}
        assert set(rows[1].tolist()) == {1}
    assert firsts
    assert any((done.reshape(4, -1)[:2] == 3).any() for done in rests), "the second step is free"


def test_open_choices_keep_their_proportions() -> None:
    """Of the probabilities (0.5, 0.3, 0.2) with the first closed, 0.6 and 0.4 are left; none of (1, 0, 0) leaves halves."""
    probability = np.float32([[[0.5, 0.3, 0.2], [0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    closed = dataclasses.replace(blank(Discrete(n=3), 2, 2), probability=jnp.asarray(probability))

    @jax.jit
    def chosen(open: jax.Array) -> tuple[jax.Array, ...]:
        plans = closed.admitting(open)
        drawn = plans.sample(jax.random.normal(KEY, (2, 2, 20_000, 3)))
        return drawn, plans.admitted(KEY, jnp.zeros((2, 2, 20_000), jnp.int32)), plans.mode(), plans.shift().mode()

    drawn, given, mode, later = (np.asarray(each) for each in chosen(np.array([[False, True, True]] * 2)))
    for found in (drawn, given):
        shares = [np.bincount(found[0, row], minlength=3) / 20_000 for row in range(2)]
        np.testing.assert_allclose(shares, [[0.0, 0.6, 0.4], [0.0, 0.5, 0.5]], atol=0.02)
    assert np.all(given[1] == 0)
    np.testing.assert_array_equal(drawn[1], np.broadcast_to([[2], [1]], (2, 20_000)))
    assert mode[:, 0, 0].tolist() == [1, 2]
    assert later[0, :, 0].tolist() == [2, 1], "one step later everything is open"
    with pytest.raises(ValueError, match="3 choices"):
        closed.admitting(np.ones((2, 4), bool))


TINY = {
    "Shooting": Shooting(samples=8, horizon=2),
    "CEM": CEM(samples=8, horizon=2, iterations=2, elites=3, choose="sample"),
    "ICEM": ICEM(samples=12, horizon=2, iterations=2, elites=3),
    "MPPI": MPPI(samples=8, horizon=2, iterations=2, elites=4),
}
UNEVEN = Box(shape=(2, 1), low=(-1.0, 10.0), high=(0.5, 10.5))
compiled: dict[str, Any] = {}


def tiny(name: str, space: Any, key: jax.Array, scale: float) -> Any:
    """The action of a tiny planner whose model returns wild rewards; compiled once for each planner and space."""
    planner = TINY[name]

    def plan(key: jax.Array, scale: jax.Array) -> Any:
        def imagine(key: jax.Array, belief: jax.Array, action: Any) -> tuple[jax.Array, Prediction]:
            reward = scale * jnp.sum(spaces.features(space, action), axis=-1) / jnp.where(belief > 0, belief, 0.0)
            return belief - 1.0, prediction(reward)

        prior = lambda key, belief: 100 * jnp.ones((belief.shape[0], *space.shape), space.dtype)  # noqa: E731
        state = planner.init(key, spec(space, 3))
        prior = None if isinstance(space, Discrete) else prior
        return planner.plan(key, state, jnp.asarray([0.0, 1.0, 5.0]), seeing(imagine, prior=prior))[1]

    program = f"{name} {space}"
    if program not in compiled:
        compiled[program] = jax.jit(plan)
    return compiled[program](key, scale)


@pytest.mark.parametrize("name", list(TINY))
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), scale=st.floats(width=32))
def test_actions_never_leave_the_space(name: str, seed: int, scale: float) -> None:
    for space in (UNEVEN, Discrete(n=3)):
        action = tiny(name, space, jax.random.key(seed), scale)
        assert action.shape == (3, *space.shape)
        assert spaces.contains(space, action) == ""


@pytest.mark.parametrize(
    ("planner", "mend"),
    [
        (CEM(samples=4, elites=5), "elites=5"),
        (MPPI(samples=4, elites=5), "elites=5"),
        (MPPI(temperature=0.0), "temperature"),
        (ICEM(samples=10, elites=6), "half of samples"),
        (ICEM(keep=0.9), "keep"),
        (ICEM(decay=0.5), "decay"),
        (Shooting(samples=1), "samples=1"),
    ],
)
def test_settings_that_cannot_work_are_refused(planner: Any, mend: str) -> None:
    with pytest.raises(ValueError, match=mend):
        planner.init(KEY, spec(BOX, 1))


def test_an_unknown_choice_is_refused() -> None:
    planner = CEM(samples=8, elites=2, iterations=1, horizon=2, choose="worst")
    with pytest.raises(ValueError, match="'mean', 'best', 'sample' or 'noisy'"):
        planner.plan(KEY, planner.init(KEY, spec(BOX, 4)), jnp.zeros((4, 2)), seeing(regulate))
