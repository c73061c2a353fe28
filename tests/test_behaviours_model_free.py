"""Soft actor-critic and Q-learning against hand-computed targets and problems with known answers."""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import umwelt.check
from umwelt.behaviours import DQN, SAC, Counted, ModelFree, lesson
from umwelt.behaviours.lesson import Lesson
from umwelt.check.agent import CHOICES, SPEC
from umwelt.core import FIRST, MID, TERMINATED, TRUNCATED, Box, Discrete, TimeStep, lived
from umwelt.memory import Lifelong
from umwelt.memory.ring import Ring
from umwelt.networks import layers, policies
from umwelt.networks.form import form

KEY = jax.random.key(2)
BOX = Box(shape=(1,), low=-2.0, high=2.0)


def bandit(key, space):
    """One decision and an end. Of a Box the reward is -(a - 1)^2, of choices the number of the choice."""
    if isinstance(space, Discrete):
        action = jax.random.randint(key, (64,), 0, space.n)
        reward = action.astype(jnp.float32)
    else:
        action = jax.random.uniform(key, (64, 1), minval=-2.0, maxval=2.0)
        reward = -((action[:, 0] - 1.0) ** 2)
    ones, zeros = jnp.ones(64), jnp.zeros((64, 2))
    return Lesson(now=zeros, action=action, reward=reward, goes_on=0 * ones, after=zeros, weight=ones)


def schooled(learner, space, lessons=600):
    def lesson(state, key):
        return learner.learn(key, state, bandit(key, space))[0], None

    return jax.jit(lambda state: jax.lax.scan(lesson, state, jax.random.split(KEY, lessons))[0])(learner.init(KEY, 2, space))


@pytest.mark.parametrize("learner", [SAC(units=32, learning_rate=3e-3), DQN(units=32)])
def test_choices_of_known_worth_are_learned(learner):
    space = Discrete(n=3)
    state = schooled(learner, space)
    assert int(learner.act(KEY, state, jnp.zeros((1, 2)), "exploit")[0]) == 2


@pytest.mark.parametrize("normed", [False, True])
def test_the_best_action_of_a_box_is_found_and_the_entropy_kept(normed):
    learner = SAC(units=32, learning_rate=3e-3, normed=normed)
    state = schooled(learner, BOX, 3000)
    assert float(learner.act(KEY, state, jnp.zeros((1, 2)), "exploit")[0, 0]) == pytest.approx(1.0, abs=0.25)
    _, info = learner.learn(KEY, state, bandit(KEY, BOX))
    assert float(info["policy_entropy"]) == pytest.approx(-1.0, abs=0.4)


def test_normalised_critics_promise_no_more_the_farther_one_goes():
    def promised(learner, far):
        state = learner.init(KEY, 2, BOX)
        lesson = dataclasses.replace(bandit(KEY, BOX), now=jnp.full((64, 2), far))
        return abs(float(learner.learn(KEY, state, lesson)[1]["value"]))

    plain, normed = SAC(units=32), SAC(units=32, normed=True)
    # so far out biases count for little, and rectifiers are homogeneous: a thousand times as far promises as much more
    assert promised(plain, 1e5) == pytest.approx(1000 * promised(plain, 100.0), rel=0.05)
    assert promised(normed, 1e5) == pytest.approx(promised(normed, 100.0), rel=0.05)


class Cut(policies.Gaussian):
    """Log deviations as the other library bounds them."""

    def moments(self, outputs):
        mean, raw = jnp.split(outputs, 2, axis=-1)
        return mean, jnp.clip(raw, -20.0, 2.0)


def test_five_updates_are_those_of_another_library(monkeypatch):
    known = np.load(Path(__file__).parent / "sac_update.npz")

    def read(*names):
        weight, bias = (jnp.concatenate([known[f"{name}.{of}"] for name in names], axis=0) for of in ("weight", "bias"))
        return layers.Layer(weight=weight.T, bias=bias)

    def policy(when):
        of = f"{when}/actor"
        return read(f"{of}.latent_pi.0"), read(f"{of}.latent_pi.2"), read(f"{of}.mu", f"{of}.log_std")

    def critics(when, who):
        of = f"{when}/{who}"
        rest = tuple((read(f"{of}.qf{index}.2"), read(f"{of}.qf{index}.4")) for index in (0, 1))
        return layers.Bundle(first=read(f"{of}.qf0.0", f"{of}.qf1.0"), rest=rest)

    box = Box(shape=(2,), low=-1.0, high=1.0)
    learner = SAC(units=8)
    state = learner.init(KEY, 3, box)
    mine = {"policy": policy("before"), "critics": critics("before", "critic"), "slow": critics("before", "slow")}
    adam = optax.adam(3e-4)
    optimisers = tuple(adam.init(each) for each in (mine["policy"], mine["critics"], state.temperature))
    state = dataclasses.replace(state, **mine, optimisers=optimisers, acts=Cut(space=box))
    # ours draws for what follows first, the other library for the present; traced once, and the same in each update
    noise = [jnp.asarray(each) for each in known["noise"]]
    monkeypatch.setattr(jax.random, "normal", lambda *_: noise.pop())
    told = {name: jnp.asarray(known[name]) for name in ("now", "action", "reward", "goes_on", "after")}
    learn = jax.jit(learner.learn)
    for _ in range(5):
        state, _ = learn(KEY, state, Lesson(**told, weight=jnp.ones(32)))
    assert not noise
    wanted = (policy("after"), critics("after", "critic"), critics("after", "slow"), known["after/temperature"][0])
    found = (state.policy, state.critics, state.slow, state.temperature)
    assert float(jnp.max(jnp.abs(found[0][0].weight - mine["policy"][0].weight))) > 1e-3
    # they move by 1.5e-3; where a gradient is near zero, Adam makes much of how it was rounded
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=3e-5), found, wanted)


def test_the_double_target_by_hand():
    learner = DQN(units=4, discount=0.5, learning_rate=0.0)
    state = learner.init(KEY, 2, Discrete(n=2))
    last = dataclasses.replace(state.network[-1], weight=jnp.zeros((4, 2)), bias=jnp.array([1.0, 2.0]))
    slow = dataclasses.replace(last, bias=jnp.array([7.0, 4.0]))
    state = dataclasses.replace(state, network=(*state.network[:-1], last), slow=(*state.slow[:-1], slow))
    lesson = bandit(KEY, Discrete(n=2))
    lesson = dataclasses.replace(lesson, action=jnp.zeros(64, jnp.int32), reward=jnp.full(64, 0.25), goes_on=jnp.ones(64))
    _, info = learner.learn(KEY, state, lesson)
    # the network prefers choice 1, which the slow copy holds worth 4: 0.25 + 0.5 * 4 = 2.25, 1.25 above what is said
    assert float(info["value_loss"]) == pytest.approx(1.25**2, rel=1e-5)


def test_a_choice_is_worth_its_mean_not_its_median():
    # a reward of 100 in one of sixteen: errors that count by their sign alone would leave it at nothing
    learner = DQN(units=8, learning_rate=3e-3)
    lesson = dataclasses.replace(bandit(KEY, Discrete(n=2)), now=jnp.ones((64, 2)), goes_on=jnp.zeros(64))
    lesson = dataclasses.replace(lesson, action=jnp.zeros(64, jnp.int32), reward=jnp.where(jnp.arange(64) % 16 == 0, 100.0, 0.0))

    def update(state, key):
        return learner.learn(key, state, lesson)

    _, info = jax.lax.scan(update, learner.init(KEY, 2, Discrete(n=2)), jax.random.split(KEY, 1500))
    assert float(info["value"][-1]) == pytest.approx(100.0 / 16, rel=0.02)


def test_rewards_ahead_are_summed_to_the_end_of_their_row():
    def step(kinds, values, reward):
        shape = np.shape(kinds)
        observation = jnp.asarray(values, jnp.float32)[..., None]
        return TimeStep(kind=jnp.asarray(kinds, jnp.int8), observation=observation, reward=jnp.broadcast_to(reward, shape))

    before = step([[FIRST, MID, MID]] * 3, [[0, 1, 2], [10, 11, 12], [20, 21, 22]], 0.0)
    after = step([[MID, MID, TERMINATED], [MID, MID, TRUNCATED], [MID, MID, MID]], [[1, 2, 3], [11, 12, 13], [21, 22, 23]], 1.0)
    after = dataclasses.replace(after, reward=jnp.array([[1.0, 2.0, 4.0]] * 3))
    action = jnp.arange(9).reshape(3, 3)
    told = lesson.ahead(form(Box(shape=(1,))), lived(before, action, after), 0.5)
    # from the first of three: 1 + 2 / 2 + 4 / 4; then 2 + 4 / 2; then 4
    np.testing.assert_allclose(told.reward.reshape(3, 3), [[3.0, 4.0, 4.0]] * 3)
    np.testing.assert_allclose(told.goes_on.reshape(3, 3), [[0, 0, 0], [0.25, 0.5, 1], [0.25, 0.5, 1]])
    np.testing.assert_array_equal(told.after[:, 0], [3, 3, 3, 13, 13, 13, 23, 23, 23])
    np.testing.assert_array_equal(told.now[:, 0], [0, 1, 2, 10, 11, 12, 20, 21, 22])
    np.testing.assert_array_equal(told.action, np.arange(9))
    assert told.weight.tolist() == [1.0] * 9


@pytest.mark.parametrize(
    ("learner", "space"), [(SAC(units=16), BOX), (SAC(units=16), Discrete(n=3)), (DQN(units=16), Discrete(n=3))]
)
def test_rows_without_weight_teach_nothing(learner, space):
    state = learner.init(KEY, 2, space)
    lesson = bandit(KEY, space)
    spoiled = dataclasses.replace(lesson, weight=lesson.weight.at[0].set(0.0))
    other = dataclasses.replace(spoiled, reward=lesson.reward.at[0].set(jnp.inf))
    one, two = (learner.learn(KEY, state, each)[0] for each in (spoiled, other))
    jax.tree.map(np.testing.assert_array_equal, one, two)
    nothing = dataclasses.replace(lesson, weight=jnp.zeros(64))
    jax.tree.map(np.testing.assert_array_equal, state, learner.learn(KEY, state, nothing)[0])


def test_a_random_share_that_falls():
    learner = DQN(units=4, random_updates=10, least=0.2)
    state = learner.init(KEY, 2, Discrete(n=2))
    best = int(learner.act(KEY, state, jnp.zeros((1, 2)), "exploit")[0])
    for updates, share in ((0, 1.0), (5, 0.6), (100, 0.2)):
        acts = learner.act(KEY, dataclasses.replace(state, updates=jnp.int32(updates)), jnp.zeros((8000, 2)), "explore")
        assert float(jnp.mean(acts != best)) == pytest.approx(share / 2, abs=0.02)


def test_who_is_cautious_holds_what_was_never_tried_for_worse():
    """One choice was made, always, and paid nothing: nobody has seen what the others would have paid."""
    gaps = {}
    for caution in (0.0, 0.1):
        learner = DQN(units=16, caution=caution)
        state = learner.init(KEY, 2, Discrete(n=3))
        told = dataclasses.replace(bandit(KEY, Discrete(n=3)), action=jnp.zeros(64, jnp.int32), reward=jnp.zeros(64))
        state, _ = jax.jit(lambda s, k=learner, t=told: jax.lax.scan(lambda s, _: (k.learn(KEY, s, t)[0], None), s, None, 300))(
            state
        )
        values = layers.apply(state.network, told.now[:1], jax.nn.relu)[0]
        gaps[caution] = float(values[0] - values[1:].max())
    assert abs(gaps[0.0]) < 0.1
    assert gaps[0.1] > 0.2


def test_a_probe_asks_the_slow_copy_and_draws_by_its_temperature():
    state = DQN(units=4).init(KEY, 2, Discrete(n=3))
    last = dataclasses.replace(state.slow[-1], weight=jnp.zeros((4, 3)), bias=jnp.array([0.0, 1.0, 1.2]))
    state = dataclasses.replace(state, slow=(*state.slow[:-1], last))
    many = jnp.zeros((20_000, 2))
    assert np.unique(DQN(units=4).act(KEY, state, many, "exploit")).tolist() == [2]
    drawn = DQN(units=4, temperature=0.2).act(KEY, state, many, "exploit")
    weights = np.exp([0.0, 5.0, 6.0])
    np.testing.assert_allclose(np.bincount(drawn, minlength=3) / 20_000, weights / weights.sum(), atol=0.01)


def test_the_wrong_space_is_refused():
    with pytest.raises(ValueError, match="SAC for a Box"):
        DQN().init(KEY, 2, BOX)


@pytest.mark.parametrize(("learner", "spec"), [(SAC(units=16), SPEC), (DQN(units=16), CHOICES)])
def test_the_agents_keep_the_contract(learner, spec):
    agent = ModelFree(learner=learner, memory=Ring(bytes=100_000), batch=32)
    if spec is CHOICES:
        agent = Counted(agent=ModelFree(learner=learner, memory=Lifelong(bytes=100_000, length=3), batch=30, steps=3))
    umwelt.check.agent(agent, spec).raise_if_broken()
