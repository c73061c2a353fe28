"""Learners of logs against closed forms, cases worked by hand, and problems with known answers."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

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
    reward = jnp.zeros(number) if reward is None else reward
    rows = {"continues": jnp.zeros(number), "after": now, "weight": jnp.ones(number), **fields}
    return Batch(now=now, action=action, reward=reward, **rows)


def learned(learner, space, data, updates, state=None):
    """The state after updates, from `data` or from what `data` makes of a key."""
    drawn = data if callable(data) else lambda _: data

    def update(state, key):
        return learner.learn(key, state, drawn(jax.random.fold_in(key, 1)))[0], None

    begun = learner.init(KEY, drawn(KEY).now.shape[1], space) if state is None else state
    return jax.jit(lambda state: jax.lax.scan(update, state, jax.random.split(KEY, updates))[0])(begun)


# --- cloning


@pytest.mark.parametrize("head", ["normal", "plain"])
def test_a_linear_clone_is_the_line_of_least_squares(head):
    """Actions so small that tanh is a line."""
    random = np.random.default_rng(0)
    now = random.normal(size=(200, 3))
    wide = now @ [[0.03, -0.02], [0.0, 0.04], [0.02, 0.01]] + 0.01 + random.normal(size=(200, 2)) * [0.02, 0.04]
    with_one = np.column_stack([now, np.ones(200)])
    found, squares, *_ = np.linalg.lstsq(with_one, wide / 2.0, rcond=None)
    data, state = batch(jnp.asarray(now, jnp.float32), jnp.asarray(wide, jnp.float32)), None
    for rate in (5e-3, 1e-4):  # large steps end beside the optimum
        learner = Cloning(layers=0, head=head, learning_rate=rate)
        state = learned(learner, BOX, data, 1500, state)
    (layer,) = state.policy.network
    np.testing.assert_allclose(np.vstack([layer.weight, layer.bias]), found, atol=2e-5)
    mean = learner.act(KEY, state, data.now, "exploit")
    np.testing.assert_allclose(mean, 2.0 * with_one @ found, atol=2e-4)
    if head == "normal":
        np.testing.assert_allclose(jnp.exp(state.policy.deviation), np.sqrt(squares / 200), rtol=0.01)
        drawn = learner.act(KEY, state, jnp.zeros((20_000, 3)), "explore")
        np.testing.assert_allclose(np.std(drawn, axis=0), 2.0 * np.sqrt(squares / 200), rtol=0.03)
    else:
        np.testing.assert_array_equal(learner.act(KEY, state, data.now, "explore"), mean)


def test_a_clone_of_choices_has_the_shares_of_the_data():
    """One choice in four and three in four in one room, one in two and one in two in the other; rows without weight apart."""
    room = np.repeat([0, 1], [8, 6])
    choice = np.array([0, 0, 1, 1, 1, 1, 1, 1, 0, 2, 2, 0, 1, 1])
    weight = np.array([1.0] * 12 + [0.0] * 2)
    data = batch(jnp.eye(2)[room], jnp.asarray(choice), weight=jnp.asarray(weight))
    learner = Cloning(layers=0, learning_rate=0.05)
    state = learned(learner, Discrete(n=3), data, 1500)
    logits = layers.apply(state.policy.network, jnp.eye(2), jax.nn.relu)
    np.testing.assert_allclose(jax.nn.softmax(logits), [[0.25, 0.75, 0.0], [0.5, 0.0, 0.5]], atol=0.01)
    assert learner.act(KEY, state, jnp.eye(2)[:1], "exploit").tolist() == [1]
    loss = learner.learn(KEY, state, data)[1]["imitation_loss"]
    entropy = -(8 * (0.25 * np.log(0.25) + 0.75 * np.log(0.75)) + 4 * np.log(0.5)) / 12
    assert float(loss) == pytest.approx(entropy, abs=0.01)


# --- implicit values


@pytest.mark.parametrize("expectile", [0.5, 0.7, 0.99])
def test_the_value_is_an_expectile_and_the_policy_weighs_by_advantage(expectile):
    """Three rows of ten take the choice that pays 1, the others that which pays nothing. The expectile v of the payments
    balances them: 0.3 e (1 - v) = 0.7 (1 - e) v. Of the policy exp(temperature * advantage) is a factor."""
    action = jnp.asarray([1] * 3 + [0] * 7)
    data = batch(jnp.ones((10, 1)), action, action.astype(jnp.float32))
    learner = IQL(units=16, learning_rate=3e-3, expectile=expectile, temperature=0.5, ema_rate=0.05)
    state = learned(learner, PAIR, data, 1500)
    value = float(layers.apply(state.value, jnp.ones((1, 1)), jax.nn.relu)[0, 0])
    assert value == pytest.approx(0.3 * expectile / (0.3 * expectile + 0.7 * (1 - expectile)), abs=0.01)
    np.testing.assert_allclose(learner.worth(state, jnp.ones((2, 1)), jnp.arange(2)), [0.0, 1.0], atol=0.01)
    drawn = learner.act(KEY, state, jnp.ones((20_000, 1)), "explore")
    assert float(jnp.mean(drawn)) == pytest.approx(0.3 * np.exp(0.5) / (0.3 * np.exp(0.5) + 0.7), abs=0.015)


def test_the_weight_of_one_action_is_bounded():
    """A choice that pays 40 more than another has a weight of exp(120), cut to 2: twice that of its share."""
    action = jnp.asarray([0] * 9 + [1])
    data = batch(jnp.ones((10, 1)), action, 40.0 * action)
    learner = IQL(units=8, learning_rate=0.0, largest=2.0)
    state = learner.init(KEY, 1, PAIR)
    even = jax.tree.map(jnp.zeros_like, state.policy)
    state = dataclasses.replace(state, policy=even, value=jax.tree.map(jnp.zeros_like, state.value))
    state = dataclasses.replace(state, target=jax.tree.map(jnp.zeros_like, state.target))
    worth = [dataclasses.replace(stack[-1], bias=jnp.array([0.0, 40.0])) for stack in state.target.rest]
    rest = tuple((*stack[:-1], last) for stack, last in zip(state.target.rest, worth, strict=True))
    state = dataclasses.replace(state, target=dataclasses.replace(state.target, rest=rest))
    # nine rows weigh 1 and one weighs 2, each with log 2
    assert float(learner.learn(KEY, state, data)[1]["imitation_loss"]) == pytest.approx(1.1 * np.log(2.0), rel=1e-5)


# --- actors that stay near to the data


def near(key):
    """Actions that follow what is seen, and rewards that pull away from them."""
    now = jax.random.normal(key, (64, 1))
    action = 0.6 * jnp.sin(now)
    return batch(now, action, 5.0 * action[:, 0])


def test_a_large_weight_clones_and_none_follows_the_values():
    seen = jnp.linspace(-2.0, 2.0, 9)[:, None]
    for clone, far in ((100.0, False), (0.0, True)):
        learner = TD3(units=32, learning_rate=3e-3, clone=clone)
        state = learned(learner, LINE, near, 1000)
        away = learner.act(KEY, state, seen, "exploit") - 0.6 * jnp.sin(seen)
        assert (float(jnp.abs(away).max()) > 0.5) is far


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
    density = Density(beta=beta, units=32, lessons=3000, learning_rate=2e-3)
    state = density.init(KEY, 2, acts)

    def lesson(state, key):
        return density.learn(key, state, normal(key), acts)[0], None

    state = jax.jit(lambda state: jax.lax.scan(lesson, state, jax.random.split(KEY, 3000))[0])(state)
    assert bool(density.ready(state))
    data = normal(jax.random.key(9), 20_000)
    loss = float(jnp.mean(latent.loss(KEY, state.model, data.now, data.action, beta)))
    variance = size * beta / (2 * latents)
    bound = latents / beta * loss + 0.5 * size * np.log(2 * np.pi * variance)
    away = (np.asarray(data.action) - 0.5 * np.asarray(data.now)) / 0.15
    exact = np.mean(np.sum(0.5 * away**2 + np.log(0.15) + 0.5 * np.log(2 * np.pi), axis=-1))
    assert exact - 0.02 < bound < exact + 0.1
    # what the data do not hold costs more
    inside, outside = (density.cost(KEY, state, data.now[:100], 0.5 * data.now[:100] + far) for far in (0.0, 0.8))
    assert float(inside.max()) < float(outside.min())


def test_the_slope_of_the_support_is_that_of_small_steps():
    acts = policies.over(BOX)
    density = Density(units=16)
    state = density.init(KEY, 3, acts)
    now, unit, along = (jax.random.uniform(jax.random.key(n), (8, width), minval=-0.9) for n, width in enumerate((3, 2, 2)))

    def cost(step):
        return jnp.sum(density.cost(KEY, state, now, unit + step * along))

    small = 0.01
    assert float(jax.grad(cost)(0.0)) == pytest.approx(float(cost(small) - cost(-small)) / (2 * small), rel=1e-2)
    assert abs(float(jax.grad(cost)(0.0))) > 0.01


def test_support_without_weight_is_none_once_its_lessons_are_over():
    # step by step, so that no compiler joins what it computes in one of them alone
    data = [normal(jax.random.key(n), 16) for n in range(5)]
    learner = TD3(units=8, support=Density(weight=0.0, units=8, lessons=2))
    state = begun = learner.init(KEY, 2, BOX)
    for lesson in range(2):
        state, _ = learner.learn(jax.random.key(lesson), state, data[lesson])
        jax.tree.map(np.testing.assert_array_equal, state.policy, begun.policy)
        jax.tree.map(np.testing.assert_array_equal, state.critics, begun.critics)
    plain, alone = TD3(units=8), TD3(units=8).init(KEY, 2, BOX)
    for lesson in range(2, 5):
        state, _ = learner.learn(jax.random.key(lesson), state, data[lesson])
        alone, _ = plain.learn(jax.random.key(lesson), alone, data[lesson])
    model = learner.init(KEY, 2, BOX).support.model
    assert float(jnp.abs(state.support.model.encoder[0].weight - model.encoder[0].weight).max()) > 1e-4
    assert float(jnp.abs(state.policy[0].weight - begun.policy[0].weight).max()) > 1e-4
    jax.tree.map(np.testing.assert_array_equal, dataclasses.replace(state, support=None), alone)


def test_the_weight_of_the_support_cools_with_lessons_from_life_alone():
    acts = policies.over(BOX)
    density = Density(units=8, lessons=1, cool=4, coolest=0.2, learning_rate=0.0)
    rows = normal(KEY, 16)
    shown, lived = (dataclasses.replace(rows, shown=jnp.full(16, flag)) for flag in (True, False))
    state, costs = density.init(KEY, 2, acts), []
    for data in (shown, lived, lived, shown, lived, lived, lived):
        state, _ = density.learn(KEY, state, data, acts)
        costs.append(float(jnp.mean(density.cost(KEY, state, rows.now, rows.action))))
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
    origin = jnp.where(jnp.arange(6) < 3, WATCHED, 2).astype(jnp.int8)
    now, after = jax.random.normal(KEY, (2, 6, 3))

    def update(action):
        kind = jnp.full(6, MID, jnp.int8)
        step, next = (TimeStep(kind=kind, observation=each, reward=now[:, 0]) for each in (now, after))
        rows = Experience(step=step, action=action, next=next, origin=origin, to_come=jnp.ones(6))
        return learn(KEY, begun, batches.of(seen, acts, rows))

    begun, learn = learner.init(KEY, 3, space), jax.jit(learner.learn)
    if space is PAIR:
        action = jnp.array([0, 1, 0, 1, 0, 1])
        shuffled, changed = action.at[:3].set(1 - action[:3]), action.at[3:].set(1 - action[3:])
    else:
        action = jax.random.uniform(KEY, (6, 2), minval=-1.0)
        shuffled, changed = action.at[:3].set(-action[:3]), action.at[3:].set(-action[3:])
    one, other, third = update(action), update(shuffled), update(changed)
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
