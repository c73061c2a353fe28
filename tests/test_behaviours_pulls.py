"""What pulls the policy of soft actor-critic, and what weighs its entropy: closed forms, bandits and regressions."""

import dataclasses
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import Ridge

from umwelt import check
from umwelt.behaviours import SAC, Causal, Informed, ModelFree
from umwelt.behaviours.batch import Batch
from umwelt.core import Box, Discrete
from umwelt.memory import Ring
from umwelt.networks import policies, scale
from umwelt.networks.members import Network
from umwelt.worlds import Pendulum, padded

KEY = jax.random.key(5)
BOX = Box(shape=(2,), low=-2.0, high=2.0)
PULLED = SAC(units=8, pull=Informed(members=3, units=8))
CHOOSING = SAC(units=8, learning_rate=1e-2, pull=Informed(members=3, units=8, learning_rate=1e-2))
WEIGHED = SAC(units=8, weigh=Causal(every=1000))
PLAIN = SAC(units=8)


def batch(rows: int = 16, action: Any = None, seed: int = 0) -> Batch:
    """Random transitions of three features."""
    random = np.random.default_rng(seed)
    drawn = random.uniform(-2, 2, (rows, 2)) if action is None else action
    now, after = random.normal(size=(2, rows, 3))
    return Batch(
        now=jnp.asarray(now, jnp.float32),
        action=jnp.asarray(drawn),
        reward=jnp.asarray(random.normal(size=rows), jnp.float32),
        continues=jnp.ones(rows),
        after=jnp.asarray(after, jnp.float32),
        weight=jnp.ones(rows),
    )


@cache
def begun(learner: SAC, space: Any) -> Any:
    return jax.jit(lambda key: learner.init(key, 3, space))(KEY)


@cache
def lessons(learner: SAC) -> Any:
    return jax.jit(learner.learn)


def test_a_pull_of_temperature_zero_is_soft_actor_critic_without_it() -> None:
    bare, pulled = (begun(learner, BOX) for learner in (PLAIN, PULLED))
    for _ in range(3):
        pulled = dataclasses.replace(pulled, pull=dataclasses.replace(pulled.pull, temperature=jnp.float32(-jnp.inf)))
        bare, pulled = (lessons(learner)(KEY, state, batch())[0] for learner, state in ((PLAIN, bare), (PULLED, pulled)))
    for name in ("policy", "critics", "temperature"):
        jax.tree.map(
            lambda one, other: np.testing.assert_allclose(one, other, atol=1e-6), getattr(bare, name), getattr(pulled, name)
        )


def test_a_pull_moves_the_policy() -> None:
    bare, pulled = (lessons(learner)(KEY, begun(learner, BOX), batch())[0] for learner in (PLAIN, PULLED))
    assert float(jnp.max(jnp.abs(bare.policy[0].weight - pulled.policy[0].weight))) > 1e-5


def linear(slopes: np.ndarray, noise: float) -> tuple[Informed, Any]:
    """Members that predict two targets as slopes [E, T, F + A] times what they read, by one linear layer."""
    pull = Informed(members=slopes.shape[0], units=4)
    state = pull.init(KEY, 1, policies.over(Box(shape=(1,), low=-1.0, high=1.0)), ())
    network = Network(weights=(jnp.asarray(slopes, jnp.float32),), biases=(jnp.zeros((*slopes.shape[:2], 1)),))
    return pull, dataclasses.replace(state, network=network, noise=jnp.full(2, noise**2, jnp.float32))


def test_information_of_linear_members_has_its_closed_form() -> None:
    slopes = np.random.default_rng(1).normal(size=(4, 2, 2))
    pull, state = linear(slopes, 0.5)
    rows = np.random.default_rng(2).normal(size=(6, 2))
    spread = np.einsum("etf,nf->etn", slopes, rows).var(axis=0)
    wanted = np.log1p(spread / 0.25).sum(axis=0)
    found = pull.gain(state, jnp.asarray(rows[:, :1], jnp.float32), jnp.asarray(rows[:, 1:], jnp.float32))
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_information_is_worth_its_deviations_from_the_mean() -> None:
    pull, state = linear(np.ones((2, 2, 2)) * np.array([1.0, 2.0])[:, None, None], 1.0)
    gains = dataclasses.replace(scale.unit(1), mean=jnp.array([0.5]), variance=jnp.array([4.0]))
    state = dataclasses.replace(state, gains=gains, temperature=jnp.log(3.0))
    at = jnp.ones((1, 1))
    gain = float(pull.gain(state, at, at)[0])
    assert gain == pytest.approx(2 * np.log1p(1.0), rel=1e-4)
    assert float(pull.worth(state, at, at)[0]) == pytest.approx(3 * (gain - 0.5) / 2, rel=1e-4)
    assert float(jax.grad(lambda taken: pull.worth(state, at, taken)[0])(at)[0, 0]) > 0


def test_an_unknown_arm_of_a_bandit_is_drawn_less_the_better_it_is_known() -> None:
    learner = CHOOSING
    state, learn = begun(learner, Discrete(n=2)), lessons(learner)
    ones = jnp.ones((16, 3))

    def seen(arms: Any) -> Batch:
        noise = jnp.asarray(np.random.default_rng(3).normal(size=16), jnp.float32)
        return Batch(
            now=ones, action=jnp.asarray(arms), reward=noise * 0.1, continues=jnp.zeros(16), after=ones, weight=jnp.ones(16)
        )

    gains = []
    for arms in (np.zeros(16, int), np.arange(16) % 2):
        for index in range(60):
            state, _ = learn(jax.random.fold_in(KEY, index), state, seen(arms))
        known, unknown = (float(learner.pull.gain(state.pull, ones[:1], row[None])[0]) for row in jnp.eye(2))  # type: ignore[union-attr]
        gains.append((known, unknown))
    assert gains[0][1] > 3 * gains[0][0], "one arm alone was met"
    assert gains[1][1] < 0.5 * gains[0][1], "both were"


@pytest.mark.parametrize(
    ("learner", "space"),
    [(PULLED, BOX), (CHOOSING, Discrete(n=2)), (WEIGHED, BOX)],
    ids=["informed", "informed choices", "causal"],
)
def test_an_agent_with_it_keeps_the_contract(learner: SAC, space: Any) -> None:
    spec = dataclasses.replace(Pendulum().spec, action=space)
    check.agent(ModelFree(learner=learner, memory=Ring(bytes=50_000), batch=8), spec, depth="shapes").raise_if_broken()
    state = begun(learner, space)
    given = batch(16, None if isinstance(space, Box) else np.arange(16) % 2)
    after, info = lessons(learner)(KEY, state, given)
    assert {metric.name for metric in learner.metrics} == set(info)
    assert all(np.isfinite(value) for value in info.values())
    still, _ = lessons(learner)(KEY, after, dataclasses.replace(given, weight=jnp.zeros(16), now=jnp.full((16, 3), jnp.nan)))
    jax.tree.map(np.testing.assert_array_equal, jax.tree.leaves(after), jax.tree.leaves(still))


def causes(rows: int) -> Batch:
    """A reward that the second of two entries causes, three times as much as a feature does."""
    random = np.random.default_rng(7)
    now, action, noise = random.normal(size=(rows, 3)), random.uniform(-2, 2, (rows, 2)), random.normal(size=rows)
    given = batch(rows, action)
    reward = jnp.asarray(0.5 * now[:, 0] - 1.5 * action[:, 1] + 0.1 * noise, jnp.float32)
    return dataclasses.replace(given, now=jnp.asarray(now, jnp.float32), reward=reward)


def test_causal_coefficients_are_those_of_ridge_regression() -> None:
    causal, acts, given = Causal(every=1, ridge=0.1, temperature=0.5), policies.over(BOX), causes(400)
    state, _ = jax.jit(causal.learn, static_argnums=3)(KEY, causal.init(KEY, 3, acts), given, acts)  # type: ignore[arg-type]
    inputs = np.concatenate([np.asarray(given.now), np.asarray(given.action) / 2], axis=1)
    standard = [(each - each.mean(0)) / each.std(0) for each in (inputs, np.asarray(given.reward))]
    known = np.abs(Ridge(alpha=0.1 * 400, fit_intercept=False).fit(*standard).coef_)
    np.testing.assert_allclose(causal.sizes(state), known, atol=2e-3)
    softened = np.exp(known[3:] / 0.5)
    np.testing.assert_allclose(causal.weights(state), 2 * softened / softened.sum(), atol=1e-2)
    assert float(jnp.mean(causal.weights(state))) == pytest.approx(1.0, abs=1e-5)


def test_weights_wait_for_their_turn_and_a_constant_entry_counts_nothing() -> None:
    causal, acts = Causal(every=3), policies.over(BOX)
    state = causal.init(KEY, 3, acts)  # type: ignore[arg-type]
    given = causes(64)
    given = dataclasses.replace(given, action=given.action.at[:, 0].set(1.0))
    learn = jax.jit(causal.learn, static_argnums=3)
    for index in range(3):
        np.testing.assert_array_equal(causal.weights(state), 1.0, str(index))
        state, _ = learn(KEY, state, given, acts)
    assert float(causal.sizes(state)[3]) == 0.0
    assert float(causal.weights(state)[1]) > 1.5


def test_weights_of_one_change_nothing_and_others_change_the_entropy() -> None:
    bare, ones = (begun(learner, BOX) for learner in (PLAIN, WEIGHED))
    uneven = dataclasses.replace(ones, weigh=dataclasses.replace(ones.weigh, weights=jnp.array([2.0, 0.0])))
    found = [lessons(WEIGHED)(KEY, state, batch()) for state in (ones, uneven)]
    first, _ = lessons(PLAIN)(KEY, bare, batch())
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-6), first.policy, found[0][0].policy)
    assert float(found[0][1]["policy_entropy"]) != pytest.approx(float(found[1][1]["policy_entropy"]), abs=1e-3)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="a choice has no entries"):
        SAC(weigh=Causal()).init(KEY, 3, Discrete(n=2))
    with pytest.raises(ValueError, match="members=1"):
        SAC(pull=Informed(members=1)).init(KEY, 3, BOX)
    with pytest.raises(ValueError, match="temperature=0"):
        SAC(weigh=Causal(temperature=0.0)).init(KEY, 3, BOX)
    with pytest.raises(ValueError, match="extra=0"):
        _ = padded(Pendulum(), 0).spec


def test_added_entries_of_an_action_do_nothing() -> None:
    world, wide = Pendulum(), padded(Pendulum(), 2)
    assert wide.spec.action.shape == (3,)
    assert wide.spec.action.bounds[1].tolist() == [2.0, 1.0, 1.0]
    task = jax.tree.map(lambda leaf: np.broadcast_to(leaf, (1, *np.shape(leaf))), world.tasks()["earth"])
    state, _ = world.init(KEY, task)
    outer, _ = wide.init(KEY, task)
    _, one = world.step(KEY, state, jnp.array([[1.5]]), task)
    for rest in (-1.0, 0.7):
        _, other = wide.step(KEY, outer, jnp.array([[1.5, rest, -rest]]), task)
        np.testing.assert_array_equal(one.observation, other.observation)
    check.world(padded(Pendulum(time_limit=5), 2), depth="shapes").raise_if_broken()
