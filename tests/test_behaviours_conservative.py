"""Conservative critics, and those that are drawn, against cases worked by hand."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours import SAC, Conservative
from umwelt.behaviours.batch import Batch
from umwelt.core import Box, Discrete
from umwelt.networks import critics as values_of
from umwelt.networks import layers, policies

KEY = jax.random.key(4)
LINE = Box(shape=(1,), low=-1.0, high=1.0)
PAIR = Discrete(n=2)


def batch(now, action, reward=None, **fields):
    """Decisions that end their episode, each with the same weight."""
    number = len(now)
    ones = np.ones(number, np.float32)
    reward = 0 * ones if reward is None else reward
    rows = {"continues": 0 * ones, "after": now, "weight": ones, **fields}
    return Batch(now=now, action=action, reward=reward, **rows)


def constant(bundle, *values):
    """Critics of one value each, whatever they read."""
    rest = []
    for stack, value in zip(bundle.rest, values, strict=True):
        weight, bias = np.zeros(stack[-1].weight.shape, np.float32), np.atleast_1d(np.float32(value))
        last = dataclasses.replace(stack[-1], weight=weight, bias=bias)
        rest.append((*stack[:-1], last))
    return dataclasses.replace(bundle, rest=tuple(rest))


def test_values_of_actions_that_no_row_takes_fall_below_the_datas():
    """The less is done, the more it pays, so critics promise most beyond the data; a conservative one does not."""

    def data(key):
        action = 0.1 * jax.random.normal(key, (64, 1))
        return batch(jnp.ones((64, 1)), action, -action[:, 0])

    seen, tried = np.ones((3, 1), np.float32), np.float32([[-0.9], [0.0], [0.9]])
    for conservative, promised in ((None, True), (Conservative(alpha=10.0, draws=5), False)):
        learner = SAC(units=32, learning_rate=3e-3, soft=False, conservative=conservative)

        def update(state, key, learner=learner):
            return learner.learn(key, state, data(key))[0], None

        begun, lessons = learner.init(KEY, 1, LINE), jax.random.split(KEY, 400)
        state = jax.jit(lambda state, lessons: jax.lax.scan(update, state, lessons)[0])(begun, lessons)
        low, held, high = np.min(np.asarray(values_of.values(state.critics, state.acts, seen, tried)), axis=0)
        assert bool(low > held) is promised
        assert promised or held - max(low, high) > 1.0


def test_calibrated_values_of_choices_by_hand():
    """Values of 1 and 3, the first of which is the data's. The rewards to come of 2 hold the first up: log(e^2 + e^3) - 1."""
    learner = SAC(units=4, critics=1)
    bundle = constant(learner.init(KEY, 1, PAIR).critics, [1.0, 3.0])
    acts, now = policies.over(PAIR), np.ones((1, 1), np.float32)

    @jax.jit
    @jax.value_and_grad
    def gap(bundle, to_come):
        term = Conservative(alpha=2.0, calibrated=True)
        data = batch(now, np.array([0], np.int32), to_come=to_come)
        held = values_of.values(bundle, acts, now, data.action)
        return term.gap(KEY, acts, (), bundle, held, data, False)

    for to_come, first, second in ((2.0, 2.0, 3.0), (np.nan, 1.0, 3.0), (9.0, 9.0, 9.0)):
        found, slope = gap(bundle, np.float32([to_come]))
        soft = np.log(np.exp(first) + np.exp(second))
        assert float(found) == pytest.approx(2.0 * (soft - 1.0), rel=1e-5)
        # only a value above the rewards to come is pushed down
        pushed = [np.exp(value - soft) if value == own else 0.0 for value, own in ((first, 1.0), (second, 3.0))]
        np.testing.assert_allclose(slope.rest[0][-1].bias, 2.0 * (np.array(pushed) - [1.0, 0.0]), rtol=1e-5)


def test_calibrated_values_of_a_box_are_pushed_down_to_the_rewards_to_come_and_no_further():
    """A critic of one value b everywhere: its slope is the share of the soft maximum that falls with it, less 1 for the data's
    action. Of the draws, the uniform ones always fall with b, the policy's only above the rewards to come."""
    learner = SAC(units=4, critics=1)
    state = learner.init(KEY, 1, LINE)
    now = np.ones((6, 1), np.float32)
    outputs = (layers.apply(state.policy, now, jax.nn.relu),) * 2
    to_come = np.float32([-5.0, -1.0, 0.0, 1.0, 5.0, np.nan])

    def gap(bundle, calibrated):
        term, data = Conservative(alpha=1.0, draws=3, calibrated=calibrated), batch(now, 0 * now, to_come=to_come)
        held = values_of.values(bundle, state.acts, now, data.action)

        def of_row(weight):
            return term.gap(KEY, state.acts, outputs, bundle, held, dataclasses.replace(data, weight=weight), False)

        return jax.vmap(of_row)(np.eye(6, dtype=np.float32))

    def slopes(value, calibrated):
        slope = jax.jit(jax.jacrev(gap), static_argnums=1)(constant(state.critics, value), calibrated)
        return np.asarray(slope.rest[0][-1].bias)[:, 0]

    np.testing.assert_allclose(slopes(0.5, False), 0.0, atol=1e-5)
    found = slopes(0.5, True)
    np.testing.assert_allclose(found[[0, 1, 2, 5]], 0.0, atol=1e-5)
    assert np.all(found[3:5] < -0.3), "what is below its rewards to come rises"


def test_the_term_is_of_shown_rows_alone_unless_it_is_of_all():
    learner = SAC(units=4)
    state = learner.init(KEY, 1, PAIR)
    now, choice = np.linspace(-1.0, 1.0, 4, dtype=np.float32)[:, None], np.array([0, 1, 1, 0], np.int32)
    held = np.asarray(values_of.values(state.critics, state.acts, now, choice))

    @functools.partial(jax.jit, static_argnames="lived")
    def term(held, data, lived):
        return Conservative(lived=lived).gap(KEY, state.acts, (), state.critics, held, data, False)

    def gap(rows, shown, lived=False):
        return float(term(held[:, rows], batch(now[rows], choice[rows], shown=np.asarray(shown)), lived))

    each = np.array([gap(slice(row, row + 1), [True]) for row in range(4)])
    assert gap(slice(4), [False, True, True, False]) == pytest.approx(each[1:3].mean(), rel=1e-5)
    assert gap(slice(4), [False] * 4) == 0.0
    assert gap(slice(4), [False, True, True, False], lived=True) == pytest.approx(each.mean(), rel=1e-5)


def test_a_target_asks_so_many_critics_and_each_at_most_once():
    """Targets of five critics are 1 to 5. Ten pairs are possible. The lower of a pair is 1 in four of them, 2 in three, 3 in
    two, 4 in one, and never 5."""
    learner = SAC(units=4, critics=5, drawn=2, soft=False, discount=1.0, learning_rate=0.0)
    state = learner.init(KEY, 1, LINE)
    state = dataclasses.replace(state, target=constant(state.target, 1.0, 2.0, 3.0, 4.0, 5.0))
    state = dataclasses.replace(state, critics=constant(state.critics, 0.0, 0.0, 0.0, 0.0, 0.0))
    data = batch(np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32), continues=np.ones(1, np.float32))
    losses = jax.jit(jax.vmap(lambda key: learner.learn(key, state, data)[1]["value_loss"]))(jax.random.split(KEY, 2000))
    # five critics of 0, and half of a squared error each
    lowest = np.rint(np.sqrt(2.0 * np.asarray(losses) / 5)).astype(int)
    np.testing.assert_allclose(losses, 2.5 * lowest**2, rtol=1e-5)
    np.testing.assert_allclose(np.bincount(lowest, minlength=6)[1:] / 2000, [0.4, 0.3, 0.2, 0.1, 0.0], atol=0.04)
    every = jax.jit(dataclasses.replace(learner, drawn=0).learn)(KEY, state, data)[1]["value_loss"]
    assert float(every) == pytest.approx(2.5)


def test_the_lowest_value_alone_has_a_slope():
    values = np.random.default_rng(0).normal(size=(4, 50)).astype(np.float32)
    found, slope = jax.value_and_grad(lambda values: jnp.sum(values_of.lowest(values) ** 2))(values)
    lowest = values.min(axis=0)
    assert float(found) == pytest.approx(float(np.sum(lowest**2)), rel=1e-5)
    np.testing.assert_allclose(slope, np.where(values == lowest, 2.0 * lowest, 0.0), rtol=1e-6)
    # of equal ones, one
    assert np.asarray(jax.grad(lambda values: jnp.sum(values_of.lowest(values)))(np.zeros((3, 5), np.float32))).sum() == 5.0


@pytest.mark.parametrize(
    ("learner", "space", "message"),
    [
        (SAC(units=4, critics=2, drawn=3), LINE, "drawn=3: a target asks at most all of the critics=2"),
        (SAC(units=4, conservative=Conservative(draws=0)), LINE, "draws=0"),
        (SAC(units=4, conservative=Conservative(calibrated=True)), LINE, "calibrated=True: the memory keeps no rewards to come"),
        (SAC(units=4, conservative=Conservative(calibrated=True)), PAIR, "calibrated=True: the memory keeps no rewards to come"),
    ],
)
def test_what_cannot_be_is_refused(learner, space, message):
    action = jnp.zeros(2, jnp.int32) if space is PAIR else jnp.zeros((2, 1))
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(lambda: learner.learn(KEY, learner.init(KEY, 1, space), batch(jnp.ones((2, 1)), action)))
