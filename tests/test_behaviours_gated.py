"""Clones that improve behind a gate, and the agent that goes on from the best of them."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours import IQL, PPO, Gated, OnPolicy, Uni
from umwelt.behaviours.batch import Batch
from umwelt.core import SHOWN, Box, Prediction, TimeStep, WorldSpec, lived
from umwelt.memory import Ring
from umwelt.networks import actors, policies
from umwelt.networks.actors import Actor
from umwelt.networks.layers import Layer

KEY = jax.random.key(8)
BOX = Box(shape=(1,), low=-1.0, high=1.0)


@dataclass(frozen=True)
class Linear:
    """x' = 0.9 x + 0.5 u, which it knows."""

    metrics = ()

    def init(self, key, spec):
        return ()

    def start(self, state, rows):
        return jnp.zeros((rows, 1))

    def observe(self, key, state, belief, action, step):
        return step.observation, {}

    def imagine(self, key, state, belief, action):
        after, one = 0.9 * belief + 0.5 * action, jnp.ones(belief.shape[0])
        return after, Prediction(observation=after, reward=-one, continues=one, doubt=one)

    def learn(self, key, state, experience):
        return state, {}


@dataclass(frozen=True)
class Costs(IQL):
    """Values that are the cost of a moment."""

    def worth(self, state, features, action):
        return -(features[:, 0] ** 2) - 0.1 * action[:, 0] ** 2


def batch(number=16):
    now = np.linspace(-2.0, 2.0, number, dtype=np.float32)[:, None]
    one, action, after = np.ones(number, np.float32), np.float32(0.3) * np.sin(3 * now), np.float32(0.9) * now
    return Batch(now=now, action=action, reward=-(now[:, 0] ** 2), continues=one, after=after, weight=one)


def small(**changes):
    return Gated(model=Linear(), critic=IQL(units=8), units=8, members=2, **changes)


def test_the_judgement_is_the_mean_cost_of_exact_rolls():
    gains = (0.2, 0.9, -0.5)
    stacked = Actor(
        network=(Layer(weight=-jnp.array(gains)[:, None, None], bias=jnp.zeros((3, 1))),), deviation=jnp.full((3, 1), -20.0)
    )
    learner = Gated(model=Linear(), critic=Costs(), rolls=16, horizon=6)
    state = replace(small().init(KEY, 1, BOX), acts=policies.over(BOX), policy=stacked)
    found = np.asarray(learner.judge(KEY, state, stacked, batch()))
    for gain, judged in zip(gains, found, strict=True):
        place, costs = np.asarray(batch().now)[:, 0], []
        for _ in range(6):
            done = np.tanh(-gain * place)
            costs.append(place**2 + 0.1 * done**2)
            place = 0.9 * place + 0.5 * done
        # the least spread of an actor is e^-5
        assert judged == pytest.approx(-np.mean(costs), rel=0.02)
    assert list(np.argsort(found)) == [2, 0, 1]


def test_one_member_is_not_pushed_apart_from_itself_and_others_are_from_the_likeliest():
    learner = small(apart=0.5)
    state, given = learner.init(KEY, 1, BOX), batch()
    unit = state.acts.unit(given.action)
    one = jax.tree.map(lambda leaf: leaf[:1], state.policy)
    slope = lambda learner, clones: jax.grad(  # noqa: E731
        lambda clones: learner.unlike(state.acts, clones, given, unit)[0]
    )(clones)
    alone = replace(learner, members=1)
    np.testing.assert_allclose(
        slope(alone, one).network[0].weight, slope(replace(alone, apart=0.0), one).network[0].weight, atol=1e-6
    )
    likely = jax.vmap(lambda clone: actors.log_prob(clone, state.acts, given.now, unit))(state.policy)
    behind = likely - likely.max(axis=0)
    found, missed = learner.unlike(state.acts, state.policy, given, unit)
    assert float(found) == pytest.approx(float(jnp.sum(-likely.mean(axis=1) - 0.5 * behind.mean(axis=1))), rel=1e-4)
    assert float(missed) == pytest.approx(float(-likely.mean()), rel=1e-5)


def test_without_room_to_move_nothing_moves_and_the_gate_takes_only_what_is_judged_better():
    learner = small(study=0, improving=10, every=1)
    state = replace(learner.init(KEY, 1, BOX), lessons=np.int32(3))
    given = batch()
    # one program for every size of the cut
    improve = jax.jit(lambda state, cut: replace(learner, cut=cut).learn(KEY, state, given))
    after, _ = improve(state, 0.0)
    jax.tree.map(np.testing.assert_array_equal, after.policy, state.policy)
    after, info = improve(replace(state, judged=np.float32([np.inf, -np.inf])), learner.cut)
    assert float(info["accepted"]) == 0.5
    assert not np.array_equal(after.policy.network[0].weight, state.policy.network[0].weight)
    np.testing.assert_array_equal(after.behaviour.network[0].weight[0], state.behaviour.network[0].weight[0])
    np.testing.assert_array_equal(after.behaviour.network[0].weight[1], after.policy.network[0].weight[1])
    # when the lessons are over, nothing changes
    ended = replace(state, lessons=np.int32(10))
    jax.tree.map(np.testing.assert_array_equal, improve(ended, learner.cut)[0], ended)


def test_the_agent_studies_until_it_lives_and_hands_policy_and_value_on():
    spec = WorldSpec(name="tiny", observation=Box(shape=(1,), low=-2.0, high=2.0), action=BOX, task={}, batch=4)
    online = OnPolicy(learner=PPO(units=8, epochs=1, pieces=1), horizon=2)
    agent = Uni(offline=replace(small(), study=1, units=8), memory=Ring(bytes=100_000), online=online, batch=8)
    state = agent.init(KEY, spec)
    learn, remember, see, act = (jax.jit(method) for method in (agent.learn, agent.remember, agent.see, agent.act))

    def moment(seed, origin):
        now = np.random.default_rng(seed).normal(size=(4, 1)).astype(np.float32)
        step = TimeStep(kind=np.ones(4, np.int8), observation=now, reward=now[:, 0])
        next, zeros = replace(step, observation=np.float32(0.9) * now), np.zeros(4, np.float32)
        made = lived(step, np.float32(0.5) * now.clip(-1, 1), next, task={}, surprise=zeros)
        return replace(made, origin=np.full(4, origin, np.int8))

    for seed in range(6):
        state, _ = remember(KEY, state, moment(seed, SHOWN))
    assert float(state.online.seen.count) == 24.0
    studied, info = learn(KEY, state)
    assert int(studied.offline.lessons) == 1
    assert np.isfinite(info["value_loss"])
    chosen = agent.offline.chosen(studied.offline)
    jax.tree.map(np.testing.assert_array_equal, studied.online.learner.policy, chosen)
    assert not np.array_equal(studied.online.learner.value[0].weight, state.online.learner.value[0].weight)
    state = studied
    for seed in range(2):
        state, _ = act(KEY, see(KEY, state, moment(seed, 0).step)[0])
        state, _ = remember(KEY, state, moment(seed, 0))
    after, info = learn(KEY, state)
    assert int(after.offline.lessons) == 1
    assert int(after.online.learner.rounds) == 1
    jax.tree.map(np.testing.assert_array_equal, after.online.seen, state.online.seen)
    assert np.isnan(info["accepted"])
