"""Rollouts of the policy that acted, and proximal policy optimisation, against hand-worked cases and closed forms."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours import PPO, OnPolicy
from umwelt.behaviours.on_policy import Rollout
from umwelt.core import Box, Discrete, TimeStep, WorldSpec, lived
from umwelt.networks import actors
from umwelt.networks.returns import advantages

KEY = jax.random.key(8)
BOX = Box(shape=(1,), low=-1.0, high=1.0)


def rollout(learner, state, ticks=8, rows=4, key=KEY):
    """What the policy does at random features, paid by its first unit action."""
    seeing, acting = jax.random.split(key)
    now = jax.random.normal(seeing, (ticks, rows, 2))
    flat = now.reshape(-1, 2)
    _, unit, log_prob = learner.act(acting, state, flat, "explore")
    shape = lambda leaf: leaf.reshape(ticks, rows, *leaf.shape[1:])  # noqa: E731
    paid = shape(unit[:, 0] if unit.ndim > 1 else unit.astype(jnp.float32))
    ones = jnp.ones((ticks, rows))
    did = {"unit": shape(unit), "log_prob": shape(log_prob), "reward": paid}
    return Rollout(now=now, after=now, **did, terminated=ones > 0, last=ones > 0, weight=ones)


TINY = PPO(units=4, discount=0.5, lambda_=0.5, valued=0.0, cut=0.2)


@pytest.fixture(scope="module")
def tiny():
    """A small learner's state, its rollout, and the same moments in one row."""
    state = TINY.init(KEY, 2, BOX)
    held = jax.jit(lambda state: rollout(TINY, state))(state)
    return state, held, jax.tree.map(lambda leaf: np.asarray(leaf).reshape(-1, *leaf.shape[2:]), held)


stepped = jax.jit(TINY.stepped)


def test_advantages_of_an_episode_by_hand():
    """Three steps, the second of which ends an episode; discount 0.5, lambda 0.8."""
    value, after = np.array([1.0, 2.0, 3.0]), np.array([2.0, 9.0, 4.0])
    reward, terminated = np.array([1.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.0])
    error = reward + 0.5 * (1 - terminated) * after - value
    assert error.tolist() == [1.0, -1.0, 0.0]
    found = advantages(error.astype(np.float32), np.float32([0.4, 0.0, 0.4]))
    np.testing.assert_allclose(found, [1.0 + 0.4 * -1.0, -1.0, 0.0], atol=1e-6)


def test_a_truncated_episode_asks_the_value_behind_it_and_a_terminated_one_does_not(tiny):
    state, held, _ = tiny
    held = replace(held, terminated=np.broadcast_to([True, False, True, False], (8, 4)))
    value = np.asarray(TINY.values(state, held.now))
    found, returns = TINY.advantages(state, held)
    np.testing.assert_allclose(returns, held.reward + np.float32([0.0, 0.5, 0.0, 0.5]) * value, atol=1e-6)
    np.testing.assert_allclose(found, returns - value, atol=1e-6)


def test_the_first_step_follows_the_plain_policy_gradient(tiny):
    """Where the policy is the one that acted, all ratios are 1, and the objective's gradient is that of log likelihoods."""
    state, _, held = tiny
    advantage = np.random.default_rng(0).normal(size=32).astype(np.float32)
    standard = (advantage - advantage.mean()) / (advantage.std() + 1e-8)

    def plain(policy):
        return -jnp.mean(standard * actors.log_prob(policy, state.acts, held.now, held.unit))

    # Adam's first step is the sign of the gradient, so its first moment holds the gradient itself, cut to the norm 0.5
    after, _ = stepped(state, held, advantage, np.zeros(32, np.float32))
    wanted = jax.tree.map(np.asarray, jax.jit(jax.grad(plain))(state.policy))
    norm = np.sqrt(sum(np.sum(leaf**2) for leaf in jax.tree.leaves(wanted)))
    moments = [leaf for leaf in jax.tree.leaves(after.optimiser) if leaf.shape == (2, 4)]
    scaled = wanted.network[0].weight * np.minimum(1.0, 0.5 / norm)
    np.testing.assert_allclose(moments[0], 0.1 * scaled, atol=1e-6)


def test_a_policy_outside_the_bounds_is_not_moved_further(tiny):
    state, _, held = tiny
    # the likelihood has doubled for good actions and halved for bad ones: the gradient of every row is cut
    advantage = np.where(np.arange(32) < 16, 1.0, -1.0).astype(np.float32)
    held = replace(held, log_prob=held.log_prob - advantage * np.float32(np.log(2.0)))
    after, info = stepped(state, held, advantage, np.zeros(32, np.float32))
    assert float(info["clipped"]) == 1.0
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-7), after.policy, state.policy)


@pytest.mark.parametrize("space", [BOX, Discrete(n=3)], ids=["box", "choices"])
def test_actions_that_pay_are_learned(space):
    learner = PPO(units=16, learning_rate=3e-3, entropy=0.0)

    def turn(state, key):
        return learner.learn(key, state, rollout(learner, state, 16, 4, key))[0], None

    state = jax.jit(lambda state: jax.lax.scan(turn, state, jax.random.split(KEY, 60))[0])(learner.init(KEY, 2, space))
    _, unit, _ = learner.act(KEY, state, np.zeros((1, 2), np.float32), "exploit")
    assert float(np.ravel(unit)[0]) > (0.8 if space is BOX else 1.5)


def test_divergence_and_entropy_of_normals_are_those_of_the_closed_form(tiny):
    one, acts = tiny[0].policy, tiny[0].acts
    # the other mean is 0.5 less this one
    last = one.network[-1]
    turned = replace(last, weight=-np.asarray(last.weight), bias=np.float32(0.5) - np.asarray(last.bias))
    other = replace(one, network=(*one.network[:-1], turned), deviation=np.float32([0.3]))
    features = np.ones((1, 2), np.float32)
    mine, theirs = (float(actors.outputs(each, features)[0, 0]) for each in (one, other))
    deviation = np.exp(0.3)
    wanted = np.log(deviation) + (1 + (mine - theirs) ** 2) / (2 * deviation**2) - 0.5
    assert float(actors.divergence(one, other, acts, features)[0]) == pytest.approx(wanted, rel=1e-5)
    assert float(actors.entropy(other, acts, features)[0]) == pytest.approx(0.5 * np.log(2 * np.pi * np.e) + 0.3, rel=1e-5)
    assert float(actors.divergence(one, one, acts, features)[0]) == pytest.approx(0.0, abs=1e-6)


def test_a_prior_holds_the_policy_where_it_was_until_it_fades(tiny):
    _, held, _ = tiny

    # how it fades is an argument, so that one program serves both
    @jax.jit
    def moved(decay):
        learner = replace(TINY, learning_rate=3e-3, prior_weight=100.0, prior_decay=decay)
        state = learner.init(KEY, 2, BOX)
        learned = jax.lax.scan(lambda state, key: learner.learn(key, state, held), state, jax.random.split(KEY, 4))[0]
        return jnp.mean(actors.divergence(learned.policy, state.policy, state.acts, np.ones((4, 2), np.float32)))

    assert 0.0 < float(moved(1.0)) < 0.1 * float(moved(1e-6))


def test_an_agent_learns_when_its_rollout_is_full_and_not_from_random_or_foreign_moments():
    check.agent(OnPolicy(learner=PPO(units=8, epochs=1, pieces=2), horizon=8)).raise_if_broken()
    spec = WorldSpec(name="tiny", observation=Box(shape=(2,), low=-1.0, high=1.0), action=BOX, task={}, batch=2)
    agent = OnPolicy(learner=PPO(units=4, epochs=1, pieces=1), horizon=3)
    ones = np.ones((2, 2), np.float32)
    step = TimeStep(kind=np.ones(2, np.int8), observation=ones, reward=ones[0])
    learn = jax.jit(agent.learn)

    @partial(jax.jit, static_argnames="mode")
    def tick(state, mode):
        state, action = agent.act(KEY, state, mode)
        return agent.remember(KEY, state, lived(step, action, step))[0]

    def lives(modes):
        state = agent.init(KEY, spec)
        state, _ = agent.see(KEY, state, step)
        for mode in modes:
            state = tick(state, mode)
        after, _ = learn(KEY, state)
        return state, after

    before, after = lives(["explore"] * 2)
    assert int(after.count) == 2
    jax.tree.map(np.testing.assert_array_equal, after, before)
    before, after = lives(["explore"] * 3)
    assert int(after.count) == 0
    assert int(after.learner.rounds) == 1
    before, after = lives(["random"] * 3)
    jax.tree.map(np.testing.assert_array_equal, after.learner, before.learner)
