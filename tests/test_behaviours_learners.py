"""Soft actor-critic and Q-learning against targets by hand, another library, and problems with known answers."""

import dataclasses
import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from umwelt.behaviours import DQN, SAC, ActorCritic
from umwelt.behaviours.batch import Batch
from umwelt.core import Box, Discrete, part
from umwelt.networks import layers, policies

KEY = jax.random.key(2)
BOX = Box(shape=(1,), low=-2.0, high=2.0)
ONES = np.ones(64, np.float32)


def bandit(key, space):
    """One decision and an end. Of a Box the reward is -(a - 1)^2, of choices the number of the choice."""
    if isinstance(space, Discrete):
        action = jax.random.randint(key, (64,), 0, space.n)
        reward = action.astype(jnp.float32)
    else:
        action = jax.random.uniform(key, (64, 1), minval=-2.0, maxval=2.0)
        reward = -((action[:, 0] - 1.0) ** 2)
    zeros = np.zeros((64, 2), np.float32)
    return Batch(now=zeros, action=action, reward=reward, continues=0 * ONES, after=zeros, weight=ONES)


@functools.partial(jax.jit, static_argnames=("learner", "space"))
def updated(learner, space, state, keys):
    def update(state, key):
        return learner.learn(key, state, bandit(key, space))

    return jax.lax.scan(update, state, keys)


def trained(learner, space, updates=600):
    """The state after updates, and what they say."""
    return updated(learner, space, learner.init(KEY, 2, space), jax.random.split(KEY, updates))


def biased(stack, *bias):
    """The stack whose outputs are `bias`, whatever it reads."""
    weight = np.zeros(stack[-1].weight.shape, np.float32)
    last = dataclasses.replace(stack[-1], weight=weight, bias=np.array(bias, np.float32))
    return (*stack[:-1], last)


@pytest.mark.parametrize("learner", [SAC(units=32, learning_rate=3e-3), DQN(units=32)])
def test_choices_of_known_worth_are_learned(learner):
    space = Discrete(n=3)
    state, _ = trained(learner, space)
    assert int(learner.act(KEY, state, np.zeros((1, 2), np.float32), "exploit")[0]) == 2


@pytest.mark.parametrize("normed", [False, True])
def test_the_best_action_of_a_box_is_found_and_the_entropy_kept(normed):
    learner = SAC(units=32, learning_rate=3e-3, normed=normed)
    state, info = trained(learner, BOX, 1500)
    assert float(learner.act(KEY, state, np.zeros((1, 2), np.float32), "exploit")[0, 0]) == pytest.approx(1.0, abs=0.25)
    assert float(info["policy_entropy"][-1]) == pytest.approx(-1.0, abs=0.4)


def test_values_of_normalised_critics_do_not_grow_with_their_inputs():
    near, far = {}, {}
    for normed in (False, True):
        learner = SAC(units=32, normed=normed)
        state, learn = learner.init(KEY, 2, BOX), jax.jit(learner.learn)
        for promised, distance in ((near, 100.0), (far, 1e5)):
            batch = dataclasses.replace(bandit(KEY, BOX), now=np.full((64, 2), distance, np.float32))
            promised[normed] = abs(float(learn(KEY, state, batch)[1]["value"]))
    # so far out biases count for little, and rectifiers are homogeneous: a thousand times as far promises as much more
    assert far[False] == pytest.approx(1000 * near[False], rel=0.05)
    assert far[True] == pytest.approx(near[True], rel=0.05)


class Cut(policies.Gaussian):
    """Log deviations as the other library bounds them."""

    def moments(self, outputs):
        mean, raw = jnp.split(outputs, 2, axis=-1)
        return mean, jnp.clip(raw, -20.0, 2.0)


def test_five_updates_are_those_of_another_library(monkeypatch):
    known = np.load(Path(__file__).parent / "sac_update.npz")

    def read(*names):
        weight, bias = (np.concatenate([known[f"{name}.{of}"] for name in names], axis=0) for of in ("weight", "bias"))
        return layers.Layer(weight=weight.T, bias=bias)

    def policy(when):
        of = f"{when}/actor"
        return read(f"{of}.latent_pi.0"), read(f"{of}.latent_pi.2"), read(f"{of}.mu", f"{of}.log_std")

    def critics(when, which):
        of = f"{when}/{which}"
        rest = tuple((read(f"{of}.qf{index}.2"), read(f"{of}.qf{index}.4")) for index in (0, 1))
        return layers.Bundle(first=read(f"{of}.qf0.0", f"{of}.qf1.0"), rest=rest)

    box = Box(shape=(2,), low=-1.0, high=1.0)
    learner = SAC(units=8)
    state = learner.init(KEY, 3, box)
    mine = {"policy": policy("before"), "critics": critics("before", "critic"), "target": critics("before", "slow")}
    adam = optax.adam(3e-4)
    optimisers = tuple(adam.init(each) for each in (mine["policy"], mine["critics"], state.temperature))
    state = dataclasses.replace(state, **mine, optimisers=optimisers, acts=Cut(space=box))
    # ours draws for what follows first, the other library for the present; traced once, and the same in each update
    noise = [jnp.asarray(each) for each in known["noise"]]
    monkeypatch.setattr(jax.random, "normal", lambda *_: noise.pop())
    rows = {name: known[name] for name in ("now", "action", "reward", "after")}
    batch = Batch(**rows, continues=known["goes_on"], weight=np.ones(32, np.float32))
    learn = jax.jit(learner.learn)
    for _ in range(5):
        state, _ = learn(KEY, state, batch)
    assert not noise
    wanted = (policy("after"), critics("after", "critic"), critics("after", "slow"), known["after/temperature"][0])
    found = (state.policy, state.critics, state.target, state.temperature)
    assert np.max(np.abs(np.asarray(found[0][0].weight) - mine["policy"][0].weight)) > 1e-3
    # they move by 1.5e-3; where a gradient is near zero, Adam makes much of how it was rounded
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=3e-5), found, wanted)


def test_the_double_target_by_hand():
    learner = DQN(units=4, discount=0.5, learning_rate=0.0)
    state = learner.init(KEY, 2, Discrete(n=2))
    state = dataclasses.replace(state, network=biased(state.network, 1.0, 2.0), target=biased(state.target, 7.0, 4.0))
    batch = bandit(KEY, Discrete(n=2))
    batch = dataclasses.replace(batch, action=np.zeros(64, np.int32), reward=np.full(64, 0.25, np.float32), continues=ONES)
    _, info = jax.jit(learner.learn)(KEY, state, batch)
    # the network prefers choice 1, whose value in the target network is 4: 0.25 + 0.5 * 4 = 2.25, 1.25 above its own value
    assert float(info["value_loss"]) == pytest.approx(1.25**2, rel=1e-5)


def test_a_choice_is_worth_its_mean_not_its_median():
    # a reward of 100 in one of sixteen: errors that count by their sign alone would leave it at nothing
    learner = DQN(units=8, learning_rate=3e-3)
    batch = dataclasses.replace(bandit(KEY, Discrete(n=2)), now=np.ones((64, 2), np.float32), continues=0 * ONES)
    reward = np.where(np.arange(64) % 16 == 0, 100.0, 0.0).astype(np.float32)
    batch = dataclasses.replace(batch, action=np.zeros(64, np.int32), reward=reward)

    def update(state, key):
        return learner.learn(key, state, batch)

    _, info = jax.lax.scan(update, learner.init(KEY, 2, Discrete(n=2)), jax.random.split(KEY, 1500))
    assert float(info["value"][-1]) == pytest.approx(100.0 / 16, rel=0.02)


@pytest.mark.parametrize(
    ("learner", "space"), [(SAC(units=16), BOX), (SAC(units=16), Discrete(n=3)), (DQN(units=16), Discrete(n=3))]
)
@pytest.mark.parametrize("method", ["learn", "imitate"])
def test_rows_without_weight_teach_nothing(learner, space, method):
    state, update = learner.init(KEY, 2, space), jax.jit(getattr(learner, method))
    batch = jax.tree.map(np.array, bandit(KEY, space))
    first = np.arange(64) == 0
    spoiled = dataclasses.replace(batch, weight=1 - first.astype(np.float32))
    action = np.where(first.reshape(64, *[1] * (batch.action.ndim - 1)), 0, batch.action).astype(batch.action.dtype)
    other = dataclasses.replace(spoiled, reward=np.where(first, np.inf, batch.reward).astype(np.float32), action=action)
    one, two = (update(KEY, state, each)[0] for each in (spoiled, other))
    jax.tree.map(np.testing.assert_array_equal, one, two)
    nothing = dataclasses.replace(batch, weight=0 * ONES)
    jax.tree.map(np.testing.assert_array_equal, state, update(KEY, state, nothing)[0])


def test_the_random_share_falls():
    learner = DQN(units=4, epsilon_updates=10, final_epsilon=0.2)
    state = learner.init(KEY, 2, Discrete(n=2))
    best = int(learner.act(KEY, state, np.zeros((1, 2), np.float32), "exploit")[0])
    for updates, share in ((0, 1.0), (5, 0.6), (100, 0.2)):
        older = dataclasses.replace(state, updates=jnp.int32(updates))
        acts = np.asarray(learner.act(KEY, older, np.zeros((8000, 2), np.float32), "explore"))
        assert np.mean(acts != best) == pytest.approx(share / 2, abs=0.02)


def test_the_conservative_term_lowers_untried_choices():
    """The batch holds one choice, which pays nothing; what the others would pay is unknown."""
    gaps = {}
    for weight in (0.0, 0.1):
        learner = DQN(units=16, conservative=weight)
        batch = dataclasses.replace(bandit(KEY, Discrete(n=3)), action=np.zeros(64, np.int32), reward=0 * ONES)

        def update(state, _, learner=learner, batch=batch):
            return learner.learn(KEY, state, batch)[0], None

        state, _ = jax.lax.scan(update, learner.init(KEY, 2, Discrete(n=3)), None, 300)
        values = np.asarray(layers.apply(state.network, batch.now[:1], jax.nn.relu))[0]
        gaps[weight] = float(values[0] - values[1:].max())
    assert abs(gaps[0.0]) < 0.1
    assert gaps[0.1] > 0.2


def test_a_probe_reads_the_target_network_and_draws_by_its_temperature():
    state = DQN(units=4).init(KEY, 2, Discrete(n=3))
    state = dataclasses.replace(state, target=biased(state.target, 0.0, 1.0, 1.2))
    many = np.zeros((20_000, 2), np.float32)
    assert np.unique(DQN(units=4).act(KEY, state, many, "exploit")).tolist() == [2]
    drawn = DQN(units=4, temperature=0.2).act(KEY, state, many, "exploit")
    weights = np.exp([0.0, 5.0, 6.0])
    np.testing.assert_allclose(np.bincount(drawn, minlength=3) / 20_000, weights / weights.sum(), atol=0.01)


def test_the_wrong_space_is_refused():
    with pytest.raises(ValueError, match="SAC for a Box"):
        DQN().init(KEY, 2, BOX)


IMITATORS = [(SAC(units=8), "policy"), (DQN(units=8), "network"), (ActorCritic(units=8, layers=1), "actor")]


@pytest.mark.parametrize(("learner", "imitating"), IMITATORS)
def test_one_step_of_imitation_by_hand(learner, imitating):
    """Two of four rows take choice 1, and a fifth one weighs nothing. Adam's first step goes by the sign of the slope."""
    state = learner.init(KEY, 2, Discrete(n=3))
    even = biased(getattr(state, imitating), 0.0, 0.0, 0.0)
    state = dataclasses.replace(state, **{imitating: even})
    action, weight = np.array([1, 1, 0, 2, 0], np.int32), np.array([1, 1, 1, 1, 0], np.float32)
    zeros, ones = np.zeros((5, 2), np.float32), np.ones(5, np.float32)
    batch = Batch(now=zeros, action=action, reward=0 * ones, continues=ones, after=zeros, weight=weight)
    after, info = jax.jit(learner.imitate)(KEY, state, batch)
    assert float(info["imitation_loss"]) == pytest.approx(np.log(3), rel=1e-6)
    rate = learner.learning_rate
    np.testing.assert_allclose(getattr(after, imitating)[-1].bias, [-rate, rate, -rate], rtol=1e-3)
    kept = {"policy": "critics", "network": "updates", "actor": "critic"}[imitating]
    jax.tree.map(np.testing.assert_array_equal, getattr(state, kept), getattr(after, kept))


# zeros stand in the middle of a squashed normal's log deviations, -5 to 2; a clipped one has 0.1 + 0.9 sigmoid(2)
WIDTHS = [
    (SAC(units=8, learning_rate=1e-2), -1.5),
    (ActorCritic(units=8, layers=1, learning_rate=1e-2), np.log(0.1 + 0.9 / (1 + np.exp(-2)))),
]


@pytest.mark.parametrize(("learner", "log_deviation"), WIDTHS)
def test_imitated_actions_of_a_box_become_the_policys(learner, log_deviation):
    state = learner.init(KEY, 2, BOX)
    name = "policy" if isinstance(learner, SAC) else "actor"
    state = dataclasses.replace(state, **{name: biased(getattr(state, name), 0.0, 0.0)})
    zeros, one = np.zeros((1, 2), np.float32), np.ones(1, np.float32)
    rows = {"reward": 0 * one, "continues": one, "after": zeros, "weight": one}
    middle = Batch(now=zeros, action=np.zeros((1, 1), np.float32), **rows)
    update = jax.jit(learner.imitate)
    _, info = update(KEY, state, middle)
    # the density of the middle action, where the squashing is even
    assert float(info["imitation_loss"]) == pytest.approx(log_deviation + 0.5 * np.log(2 * np.pi), rel=1e-5)
    batch = Batch(now=zeros, action=np.full((1, 1), 1.2, np.float32), **rows)
    for _ in range(150):
        state, _ = update(KEY, state, batch)
    outputs = layers.apply(getattr(state, name), zeros, jax.nn.relu if name == "policy" else jax.nn.silu)
    assert float(state.acts.action(state.acts.best(outputs))[0, 0]) == pytest.approx(1.2, abs=0.05)


@part
class Frozen:
    """A protection that lets no weight move."""

    def around(self, optimiser):
        del optimiser
        return optax.with_extra_args_support(optax.set_to_zero())


@pytest.mark.parametrize(
    ("learner", "held", "moved"), [(SAC(units=8), ("policy", "critics"), "temperature"), (DQN(units=8), ("network",), "updates")]
)
def test_a_protection_reaches_every_network(learner, held, moved):
    learner = dataclasses.replace(learner, protection=Frozen())
    state = learner.init(KEY, 2, Discrete(n=3))
    after, _ = jax.jit(learner.learn)(KEY, state, bandit(KEY, Discrete(n=3)))
    for name in held:
        jax.tree.map(np.testing.assert_array_equal, getattr(state, name), getattr(after, name))
    assert getattr(after, moved) != getattr(state, moved)
