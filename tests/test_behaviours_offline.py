"""Learners of logs against closed forms, cases worked by hand, and problems with known answers."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import softmax

from umwelt.behaviours import DQN, IQL, SAC, TD3, Averaged, Cloning, Conservative, Density, Standard
from umwelt.behaviours import batch as batches
from umwelt.behaviours.batch import Batch
from umwelt.core import MID, WATCHED, Box, Discrete, Experience, TimeStep
from umwelt.networks import latent, layers, policies
from umwelt.networks.form import form

KEY = jax.random.key(4)
BOX = Box(shape=(2,), low=-2.0, high=2.0)
LINE = Box(shape=(1,), low=-1.0, high=1.0)
PAIR = Discrete(n=2)


def batch(now, action, reward=None, **fields):
    """Decisions that end their episode, each with the same weight."""
    number = len(now)
    reward = np.zeros(number, np.float32) if reward is None else reward
    ones = np.ones(number, np.float32)
    rows = {"continues": 0 * ones, "after": now, "weight": ones, **fields}
    return Batch(now=now, action=action, reward=reward, **rows)


@functools.partial(jax.jit, static_argnames=("learner", "draw"))
def updated(learner, draw, data, state, keys, numbers):
    """One program for all numbers in place of the learner's own."""
    learner = dataclasses.replace(learner, **numbers)

    def update(state, key):
        return learner.learn(key, state, data if draw is None else draw(jax.random.fold_in(key, 1)))[0], None

    return jax.lax.scan(update, state, keys)[0]


def learned(learner, space, data, updates, state=None, width=1, **numbers):
    """The state after updates, from `data` or from what `data` makes of a key."""
    draw, data = (data, None) if callable(data) else (None, data)
    begun = learner.init(KEY, width, space) if state is None else state
    return updated(learner, draw, data, begun, jax.random.split(KEY, updates), numbers)


# --- cloning


@pytest.mark.parametrize("head", ["normal", "plain"])
def test_a_linear_clone_is_the_line_of_least_squares(head):
    """Actions so small that tanh is a line."""
    random = np.random.default_rng(0)
    now = random.normal(size=(200, 3))
    wide = now @ [[0.03, -0.02], [0.0, 0.04], [0.02, 0.01]] + 0.01 + random.normal(size=(200, 2)) * [0.02, 0.04]
    with_one = np.column_stack([now, np.ones(200)])
    found, squares, *_ = np.linalg.lstsq(with_one, wide / 2.0, rcond=None)
    data, state = batch(now.astype(np.float32), wide.astype(np.float32)), None
    learner = Cloning(layers=0, head=head)
    for rate in (5e-3, 1e-4):  # large steps end beside the optimum
        state = learned(learner, BOX, data, 1500, state, 3, learning_rate=rate)
    (layer,) = state.policy.network
    np.testing.assert_allclose(np.vstack([layer.weight, layer.bias]), found, atol=2e-5)
    mean = learner.act(KEY, state, data.now, "exploit")
    np.testing.assert_allclose(mean, 2.0 * with_one @ found, atol=2e-4)
    if head == "normal":
        np.testing.assert_allclose(np.exp(state.policy.deviation), np.sqrt(squares / 200), rtol=0.01)
        drawn = learner.act(KEY, state, np.zeros((20_000, 3), np.float32), "explore")
        np.testing.assert_allclose(np.std(drawn, axis=0), 2.0 * np.sqrt(squares / 200), rtol=0.03)
    else:
        np.testing.assert_array_equal(learner.act(KEY, state, data.now, "explore"), mean)


def test_a_clone_of_choices_has_the_shares_of_the_data():
    """One choice in four and three in four in one room, one in two and one in two in the other; rows without weight apart."""
    room = np.repeat([0, 1], [8, 6])
    choice = np.array([0, 0, 1, 1, 1, 1, 1, 1, 0, 2, 2, 0, 1, 1])
    weight = np.array([1.0] * 12 + [0.0] * 2)
    rooms = np.eye(2, dtype=np.float32)
    data = batch(rooms[room], choice.astype(np.int32), weight=weight.astype(np.float32))
    learner = Cloning(layers=0, learning_rate=0.05)
    state = learned(learner, Discrete(n=3), data, 1500, width=2)
    logits = layers.apply(state.policy.network, rooms, jax.nn.relu)
    np.testing.assert_allclose(softmax(np.asarray(logits), axis=-1), [[0.25, 0.75, 0.0], [0.5, 0.0, 0.5]], atol=0.01)
    assert learner.act(KEY, state, rooms[:1], "exploit").tolist() == [1]
    loss = jax.jit(learner.learn)(KEY, state, data)[1]["imitation_loss"]
    entropy = -(8 * (0.25 * np.log(0.25) + 0.75 * np.log(0.75)) + 4 * np.log(0.5)) / 12
    assert float(loss) == pytest.approx(entropy, abs=0.01)


# --- implicit values


@pytest.mark.parametrize("expectile", [0.5, 0.7, 0.99])
def test_the_value_is_an_expectile_and_the_policy_weighs_by_advantage(expectile):
    """Three rows of ten take the choice that pays 1, the others that which pays nothing. The expectile v of the payments
    balances them: 0.3 e (1 - v) = 0.7 (1 - e) v. Of the policy exp(temperature * advantage) is a factor."""
    action = np.array([1] * 3 + [0] * 7, np.int32)
    data = batch(np.ones((10, 1), np.float32), action, action.astype(np.float32))
    learner = IQL(units=16, learning_rate=3e-3, temperature=0.5, ema_rate=0.05)
    state = learned(learner, PAIR, data, 1500, expectile=expectile)
    value = float(layers.apply(state.value, np.ones((1, 1), np.float32), jax.nn.relu)[0, 0])
    assert value == pytest.approx(0.3 * expectile / (0.3 * expectile + 0.7 * (1 - expectile)), abs=0.01)
    np.testing.assert_allclose(learner.worth(state, np.ones((2, 1), np.float32), np.arange(2)), [0.0, 1.0], atol=0.01)
    drawn = learner.act(KEY, state, np.ones((20_000, 1), np.float32), "explore")
    assert np.mean(np.asarray(drawn)) == pytest.approx(0.3 * np.exp(0.5) / (0.3 * np.exp(0.5) + 0.7), abs=0.015)


def test_the_weight_of_one_action_is_bounded():
    """A choice that pays 40 more than another has a weight of exp(120), cut to 2: twice that of its share."""
    action = np.array([0] * 9 + [1], np.int32)
    data = batch(np.ones((10, 1), np.float32), action, np.float32(40.0) * action.astype(np.float32))
    learner = IQL(units=16, learning_rate=0.0, largest=2.0)
    state = learner.init(KEY, 1, PAIR)
    even = jax.tree.map(np.zeros_like, state.policy)
    state = dataclasses.replace(state, policy=even, value=jax.tree.map(np.zeros_like, state.value))
    state = dataclasses.replace(state, target=jax.tree.map(np.zeros_like, state.target))
    worth = [dataclasses.replace(stack[-1], bias=np.array([0.0, 40.0], np.float32)) for stack in state.target.rest]
    rest = tuple((*stack[:-1], last) for stack, last in zip(state.target.rest, worth, strict=True))
    state = dataclasses.replace(state, target=dataclasses.replace(state.target, rest=rest))
    # nine rows weigh 1 and one weighs 2, each with log 2
    assert float(jax.jit(learner.learn)(KEY, state, data)[1]["imitation_loss"]) == pytest.approx(1.1 * np.log(2.0), rel=1e-5)


# --- actors that stay near to the data


def near(key):
    """Actions that follow what is seen, and rewards that pull away from them."""
    now = jax.random.normal(key, (64, 1))
    action = 0.6 * jnp.sin(now)
    return batch(now, action, 5.0 * action[:, 0])


def test_a_large_weight_clones_and_none_follows_the_values():
    seen = np.linspace(-2.0, 2.0, 9, dtype=np.float32)[:, None]
    learner = TD3(units=32, learning_rate=3e-3)
    for clone, far in ((100.0, False), (0.0, True)):
        state = learned(learner, LINE, near, 800, clone=clone)
        away = learner.act(KEY, state, seen, "exploit") - 0.6 * np.sin(seen)
        assert bool(np.abs(away).max() > 0.5) is far


def normal(key, number=256):
    """Actions with a deviation of 0.15 around half of what is seen."""
    seeing, drawing = jax.random.split(key)
    now = jax.random.uniform(seeing, (number, 2), minval=-0.5, maxval=0.5)
    return batch(now, 0.5 * now + 0.15 * jax.random.normal(drawing, now.shape))


def test_the_bound_of_a_density_is_that_of_a_normal():
    """Squared errors over A entries and the divergence over Z latents are both means; beta weighs the second. Times Z / beta,
    the sum is that of a decoder of variance A beta / 2 Z, less the logarithm of its own normalisation."""
    beta, size, latents = 0.02, 2, 4
    space = Box(shape=(2,), low=-1.0, high=1.0)
    acts = policies.over(space)
    density = Density(beta=beta, units=32, lessons=1000, learning_rate=4e-3)
    state = density.init(KEY, 2, acts)

    def lesson(state, key):
        return density.learn(key, state, normal(key), acts)[0], None

    state = jax.jit(lambda state: jax.lax.scan(lesson, state, jax.random.split(KEY, 1000))[0])(state)
    assert bool(density.ready(state))
    data = normal(jax.random.key(9), 5_000)
    loss = np.mean(np.asarray(latent.loss(KEY, state.model, data.now, data.action, beta)))
    variance = size * beta / (2 * latents)
    bound = latents / beta * loss + 0.5 * size * np.log(2 * np.pi * variance)
    away = (np.asarray(data.action) - 0.5 * np.asarray(data.now)) / 0.15
    exact = np.mean(np.sum(0.5 * away**2 + np.log(0.15) + 0.5 * np.log(2 * np.pi), axis=-1))
    assert exact - 0.02 < bound < exact + 0.1
    # what the data do not hold costs more
    now = np.asarray(data.now)[:100]
    inside, outside = (np.asarray(density.cost(KEY, state, now, 0.5 * now + far)) for far in np.float32([0.0, 0.8]))
    assert inside.max() < outside.min()


def test_the_slope_of_the_support_is_that_of_small_steps():
    acts = policies.over(BOX)
    density = Density(units=16)
    state = density.init(KEY, 3, acts)
    random = np.random.default_rng(0)
    now, unit, along = (random.uniform(-0.9, 1.0, (8, width)).astype(np.float32) for width in (3, 2, 2))

    @jax.jit
    @jax.value_and_grad
    def cost(step):
        return jnp.sum(density.cost(KEY, state, now, unit + step * along))

    small = 0.01
    slope = float(cost(0.0)[1])
    assert slope == pytest.approx(float(cost(small)[0] - cost(-small)[0]) / (2 * small), rel=1e-2)
    assert abs(slope) > 0.01


def test_support_without_weight_is_none_once_its_lessons_are_over():
    data = [normal(jax.random.key(n), 16) for n in range(3)]
    learner = TD3(units=8, every=1, support=Density(weight=0.0, units=8, lessons=1))
    plain = TD3(units=8, every=1)
    begun, alone = learner.init(KEY, 2, BOX), plain.init(KEY, 2, BOX)
    learn, learn_alone = jax.jit(learner.learn), jax.jit(plain.learn)
    state, _ = learn(jax.random.key(0), begun, data[0])
    jax.tree.map(np.testing.assert_array_equal, state.policy, begun.policy)
    jax.tree.map(np.testing.assert_array_equal, state.critics, begun.critics)
    for lesson in (1, 2):
        state, _ = learn(jax.random.key(lesson), state, data[lesson])
        alone, _ = learn_alone(jax.random.key(lesson), alone, data[lesson])
    model = begun.support.model
    assert np.abs(np.asarray(state.support.model.encoder[0].weight) - model.encoder[0].weight).max() > 1e-4
    assert np.abs(np.asarray(state.policy[0].weight) - begun.policy[0].weight).max() > 1e-4
    # two programs may round differently, a thousandth of what one update moves
    jax.tree.map(
        lambda one, other: np.testing.assert_allclose(one, other, atol=1e-6), dataclasses.replace(state, support=None), alone
    )


def test_the_weight_of_the_support_cools_with_lessons_from_life_alone():
    acts = policies.over(BOX)
    density = Density(units=8, lessons=1, cool=4, coolest=0.2, learning_rate=0.0)
    rows = normal(KEY, 16)
    shown, lived = (dataclasses.replace(rows, shown=np.full(16, flag)) for flag in (True, False))

    @jax.jit
    def turn(state, data):
        state, _ = density.learn(KEY, state, data, acts)
        return state, jnp.mean(density.cost(KEY, state, rows.now, rows.action))

    state, costs = density.init(KEY, 2, acts), []
    for data in (shown, lived, lived, shown, lived, lived, lived):
        state, cost = turn(state, data)
        costs.append(float(cost))
    # of a weight of 1, four lessons leave 0.2: 0.2 less for each
    np.testing.assert_allclose(np.array(costs) / costs[0], [1.0, 0.8, 0.6, 0.6, 0.4, 0.2, 0.2], rtol=1e-5)


# --- what holds for all


ALL = [
    (Cloning(units=8), BOX),
    (Cloning(units=8, head="plain", noise=0.1), BOX),
    (Cloning(units=8), PAIR),
    (IQL(units=8), BOX),
    (IQL(units=8), PAIR),
    (TD3(units=8, clone=0.4, every=1), BOX),
    (TD3(units=8, every=1, support=Density(units=8, lessons=0)), BOX),
    (SAC(units=8, soft=False, conservative=Conservative(draws=2, calibrated=True)), BOX),
    (SAC(units=8, soft=False, conservative=Conservative(calibrated=True)), PAIR),
    (DQN(units=8, conservative=1.0), PAIR),
    (Standard(learner=Averaged(learner=IQL(units=8))), BOX),
]


@pytest.mark.parametrize(("learner", "space"), ALL)
def test_actions_that_were_only_watched_reach_no_update(learner, space):
    """Of six rows three are WATCHED. Shuffled, their actions change nothing; those of the others do."""
    seen, acts = form(Box(shape=(3,))), form(space)
    origin = np.where(np.arange(6) < 3, WATCHED, 2).astype(np.int8)
    now, after = np.random.default_rng(0).normal(size=(2, 6, 3)).astype(np.float32)

    @jax.jit
    def learn(state, action):
        kind = np.full(6, MID, np.int8)
        step, next = (TimeStep(kind=kind, observation=each, reward=now[:, 0]) for each in (now, after))
        rows = Experience(step=step, action=action, next=next, origin=origin, to_come=np.ones(6, np.float32))
        return learner.learn(KEY, state, batches.of(seen, acts, rows))

    begun = learner.init(KEY, 3, space)
    if space is PAIR:
        action = np.array([0, 1, 0, 1, 0, 1], np.int32)
        otherwise = 1 - action
    else:
        action = np.random.default_rng(1).uniform(-1.0, 1.0, (6, 2)).astype(np.float32)
        otherwise = -action
    shuffled, changed = np.concatenate([otherwise[:3], action[3:]]), np.concatenate([action[:3], otherwise[3:]])
    one, other, third = (learn(begun, each) for each in (action, shuffled, changed))
    jax.tree.map(np.testing.assert_array_equal, one, other)
    leaves = zip(jax.tree.leaves(one), jax.tree.leaves(third), strict=True)
    assert not all(np.array_equal(left, right) for left, right in leaves)


@pytest.mark.parametrize(
    ("learner", "space", "message"),
    [
        (IQL(expectile=1.0), LINE, "expectile=1.0: it lies between 0 and 1"),
        (TD3(), PAIR, "TD3 acts in one Box; take IQL, DQN or Cloning"),
        (TD3(every=0), LINE, "every=0"),
        (Cloning(head="sharp"), LINE, "head='sharp': it is 'normal' or 'plain'"),
        (Averaged(learner=DQN(units=4)), PAIR, "learner: DQN has no policy of its own to average"),
        (Averaged(learner=IQL(units=4), rate=1.5), PAIR, "rate=1.5"),
        (Cloning(), Box(shape=(1,)), "is unbounded: give the Box finite `low` and `high`"),
    ],
)
def test_what_cannot_be_is_refused(learner, space, message):
    with pytest.raises(ValueError, match=message):
        learner.init(KEY, 1, space)
