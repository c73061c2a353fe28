"""Learning in context, against the exact posterior of two levers."""

import itertools
from dataclasses import replace
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import beta

from umwelt import check
from umwelt.behaviours import InContext
from umwelt.behaviours.in_context import logits, moments, query
from umwelt.core import FIRST, MID, TimeStep
from umwelt.worlds import Cartpole, Pendulum
from umwelt.worlds.levers import Arms, ArmsTask

KEY = jax.random.key(4)
LEVERS = Arms(arms=2, time_limit=4, chances=True)
PULLS = np.array(list(itertools.product(itertools.product((0, 1), (0, 1)), repeat=4)))
"""All contexts of four pulls: [256, 4, (lever, paid)]."""


def first_is_best(pulls):
    """The chance that lever 0 is better after pulls [4, 2], where both means were uniform."""
    return posterior(*(1 + int(np.sum((pulls == pair).all(axis=1))) for pair in ((0, 1), (0, 0), (1, 1), (1, 0))))


@lru_cache
def posterior(*counts):
    grid = (np.arange(4000) + 0.5) / 4000
    return float(np.mean(beta.pdf(grid, *counts[:2]) * beta.cdf(grid, *counts[2:])))


@pytest.fixture(scope="module")
def taught():
    agent = InContext(world=LEVERS, horizon=4, batch=128, width=16)

    def update(state, lesson):
        key, rate = lesson
        return replace(agent, learning_rate=rate).learn(key, state)[0], None

    lessons = jax.random.split(KEY, 800), np.repeat(np.float32([5e-3, 5e-4]), [550, 250])
    # many updates: a program that is compiled longer runs in a third of the time
    run = jax.jit(lambda state: jax.lax.scan(update, state, lessons)[0], compiler_options={"xla_backend_optimization_level": 1})
    return agent, run(agent.init(KEY, LEVERS.spec))


def named(state, pulls):
    """The chances of lever 0 after each prefix of pulls [256, 4, 2]: [256, 5]."""
    return np.asarray(read(state.policy, pulls[..., 0].reshape(-1), pulls[..., 1].reshape(-1).astype(np.float32)))


@jax.jit
def read(policy, lever, paid):
    seen = jnp.zeros((len(lever), 1))
    before = moments(seen, jax.nn.one_hot(lever, 2), seen, paid).reshape(len(lever) // 4, 4, -1)
    return jax.nn.softmax(logits(policy, query(seen[::4], before.shape[-1]), before))[..., 0]


def test_it_names_the_best_lever_by_the_exact_posterior(taught):
    _, state = taught
    exact = np.array([first_is_best(pulls) for pulls in PULLS])
    found = named(state, PULLS)
    away = np.abs(found[:, -1] - exact)
    # 100,000 labels by chance leave an error of about 0.025 in each of 256 chances, even where they are counted
    assert away.max() < 0.2
    assert away.mean() < 0.05
    assert np.corrcoef(found[:, -1], exact)[0, 1] > 0.97
    np.testing.assert_allclose(found[:, 0], 0.5, atol=0.04)
    # the order of a context is nearly nothing to it
    turned = named(state, PULLS[:, ::-1])
    assert np.abs(turned[:, -1] - found[:, -1]).mean() < 0.06


def test_what_comes_later_reaches_no_earlier_answer(taught):
    _, state = taught
    other = PULLS.copy()
    other[:, 2:] = 1 - other[:, 2:]
    one, two = named(state, PULLS), named(state, other)
    np.testing.assert_allclose(one[:, :3], two[:, :3], atol=1e-6)
    assert np.abs(one[:, 3:] - two[:, 3:]).max() > 0.1


def test_a_life_fills_the_context_and_a_new_episode_empties_it(taught):
    agent, state = taught
    pulls = np.array([[0, 0], [1, 1], [1, 1], [0, 0]])

    def step(kind, reward):
        return TimeStep(
            kind=np.array([kind], np.int8), observation=np.zeros((1, 1), np.float32), reward=np.array([reward], np.float32)
        )

    see = jax.jit(agent.see)
    state, _ = see(KEY, state, step(FIRST, 0.0))
    for number, (lever, paid) in enumerate(pulls):
        state, _ = see(KEY, replace(state, action=np.array([lever], np.int32)), step(MID, paid))
        assert int(state.count[0]) == number + 1
    drawn = np.asarray(jax.vmap(lambda key: agent.act(key, state)[1][0])(jax.random.split(KEY, 2000)))
    exact = named(state, PULLS)[np.flatnonzero((pulls == PULLS).all((1, 2)))[0], -1]
    assert np.mean(drawn == 0) == pytest.approx(exact, abs=0.04)
    assert int(agent.act(KEY, state, "exploit")[1][0]) == 1
    state, _ = see(KEY, state, step(FIRST, 0.0))
    assert int(state.count[0]) == 0


def test_practice_names_the_expert_or_what_acted():
    agent = InContext(world=Arms(arms=3, time_limit=200), horizon=200, batch=64, width=8, layers=1)
    state = agent.init(KEY, agent.world.spec)
    _, before, best = agent.practice(KEY, state)
    done, paid = np.asarray(before[..., 2:5]), np.asarray(before[..., -1])
    means = (done * paid[..., None]).sum(1) / np.maximum(done.sum(1), 1)
    often = np.all(done.sum(1) >= 30, axis=1)
    assert often.sum() >= 5
    assert np.mean(means[often].argmax(1) == np.asarray(best)[often]) > 0.8
    _, before, shown = replace(agent, aim="shown").practice(KEY, state)
    share = np.asarray(before[..., 2:5]).mean(1)[np.arange(64), np.asarray(shown)]
    assert share.mean() > 0.5


def test_levers_pay_what_their_task_says_and_keep_the_contract_of_worlds():
    check.world(Arms(batch=3, time_limit=5), steps=14).raise_if_broken()
    for world, deviation in ((Arms(batch=4000), 0.3), (Arms(batch=4000, chances=True), 0.4)):
        task = ArmsTask(means=np.broadcast_to(np.float32([0.2, 0.5, 0.8, 0.1, 0.0]), (4000, 5)))
        state, step = world.init(KEY, task)
        done = world.expert(KEY, step.observation, task)
        np.testing.assert_array_equal(done, 2)
        reward = np.asarray(world.step(KEY, state, done, task)[1].reward)
        assert reward.mean() == pytest.approx(0.8, abs=0.03)
        assert reward.std() == pytest.approx(deviation, abs=0.02)


def test_the_agent_keeps_the_contract_and_refuses_other_worlds():
    world = Arms(batch=2, time_limit=5)
    check.agent(InContext(world=world, horizon=4, batch=4, width=8, layers=1), world.spec).raise_if_broken()
    for other, mend in ((Pendulum(), "choices"), (Cartpole(), "practice")):
        with pytest.raises(ValueError, match=mend):
            InContext(world=world, horizon=4).init(KEY, other.spec)
    with pytest.raises(ValueError, match="horizon=9"):
        InContext(world=world, horizon=9).init(KEY, world.spec)
