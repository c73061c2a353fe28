"""Bricks of networks against NumPy, SciPy, optax and closed forms."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from umwelt.core import Box, Discrete
from umwelt.networks import known_tasks, layers, optimise, pictures, policies
from umwelt.networks.form import form
from umwelt.networks.twohot import Bins, symexp, symlog

KEY = jax.random.key(5)


def test_a_stack_is_what_numpy_says():
    stack = jax.jit(lambda key: layers.stack(key, (3, 5, 2)))(KEY)
    rows = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    hidden = rows @ np.asarray(stack[0].weight)
    hidden = hidden / np.sqrt((hidden**2).mean(1, keepdims=True) + 1e-5)
    hidden = hidden * np.tanh(np.log1p(np.exp(hidden)))
    found = jax.jit(lambda stack, rows: layers.apply(stack, rows, layers.mish))(stack, rows)
    np.testing.assert_allclose(found, hidden @ np.asarray(stack[1].weight), rtol=1e-4, atol=1e-5)


def test_an_even_beginning_is_of_a_third_of_the_variance_and_keeps_what_is_normalised():
    @jax.jit
    def made(key):
        normed = layers.bundle(key, 300, (400,), (1, 1))
        return layers.even(key, layers.stack(key, (300, 400, 2), normed=False)), normed, layers.even(key, normed)

    stack, normed, evened = jax.tree.map(np.asarray, made(KEY))
    for each, into in zip(stack, (300, 400), strict=True):
        for leaf in (each.weight, each.bias):
            assert np.abs(leaf).max() <= into**-0.5
        assert np.var(each.weight) == pytest.approx(1 / (3 * into), rel=0.1)
    assert np.abs(stack[0].bias).max() > 0.9 * 300**-0.5
    assert evened.first.bias is None
    np.testing.assert_array_equal(evened.first.gain, normed.first.gain)
    assert np.var(evened.first.weight) == pytest.approx(1 / 900, rel=0.1)


@pytest.mark.parametrize("normed", [True, False])
def test_a_bundle_is_its_stacks_one_by_one_and_some_can_be_picked(normed):
    made = jax.jit(lambda key: layers.bundle(key, 3, (6, 4), (5, 5, 5), normed=normed))(KEY)
    rows = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)

    alone = jax.jit(lambda first, rest: layers.apply((first, *rest), rows, jax.nn.silu))

    @jax.jit
    def together(made):
        some = layers.picked(made, jnp.array([2, 0]))
        return layers.apart(made, rows, jax.nn.silu), layers.apart(some, rows, jax.nn.silu)

    firsts = [jax.tree.map(lambda leaf, at=6 * index: np.asarray(leaf)[..., at : at + 6], made.first) for index in range(3)]
    expected = [alone(*each) for each in zip(firsts, made.rest, strict=True)]
    every, two = together(made)
    for found, wanted in zip((*every, *two), (*expected, expected[2], expected[0]), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_weights_begin_at_the_variance_of_their_inputs_and_the_last_may_begin_at_zero():
    weight = np.asarray(layers.layer(KEY, 400, 300).weight)
    assert np.var(weight) * 400 == pytest.approx(1.0, rel=0.02)
    assert not layers.stack(KEY, (3, 4, 2), scale=0.0)[-1].weight.any()


def test_a_last_layer_may_be_normalised_too():
    stack, rows = layers.stack(KEY, (3, 8, 16)), 100 * np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    found = jax.jit(lambda stack: layers.apply(layers.ended_normed(stack), rows, layers.mish))(stack)
    np.testing.assert_allclose((np.asarray(found) ** 2).mean(1), 1.0, atol=1e-3)


@pytest.mark.parametrize("act", [layers.mish, jax.nn.silu])
def test_the_way_back_through_a_layer_is_that_of_plain_differentiation(act):
    made = layers.layer(KEY, 6, 8, normed=True)
    made = dataclasses.replace(made, gain=np.linspace(0.5, 2, 8, dtype="float32"), shift=np.linspace(-1, 1, 8, dtype="float32"))
    raw, pull = np.random.default_rng(0).normal(size=(2, 5, 8)).astype(np.float32)

    def plain(each, raw):
        # tanh(log(1 + e^x)) x for mish, so that neither its slope nor the norm's is taken from the code under test
        inner = raw / jnp.sqrt(jnp.mean(raw**2, axis=-1, keepdims=True) + 1e-5) * each.gain + each.shift
        return inner * jnp.tanh(jnp.logaddexp(0.0, inner)) if act is layers.mish else jax.nn.silu(inner)

    def back(function):
        return jax.jit(lambda made, raw, pull: jax.vjp(function, made, raw)[1](pull))(made, raw, pull)

    found, expected = back(lambda each, raw: layers.activated(each, raw, act)), back(plain)
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5), found, expected)


def test_mish_with_one_exponential_is_mish_everywhere():
    x = jnp.concatenate([jnp.linspace(-30, 30, 301), jnp.array([-1e30, 1e30])])
    exact = np.asarray(x, np.float64) * np.tanh(np.logaddexp(0, np.asarray(x, np.float64)))
    np.testing.assert_allclose(layers.mish(x), exact, rtol=2e-5, atol=1e-6)
    assert np.isfinite(jax.vmap(jax.grad(layers.mish))(x)).all()


def test_simplices_sum_to_one_group_by_group():
    given = np.random.default_rng(0).normal(size=(5, 12)).astype(np.float32)
    found = np.asarray(layers.simplices(given, 4))
    np.testing.assert_allclose(found.reshape(5, 3, 4).sum(-1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(found[:, :4], special.softmax(given[:, :4], axis=-1), rtol=1e-5)


@settings(max_examples=100, deadline=None)
@given(st.floats(-1e6, 1e6, width=32))
def test_symexp_undoes_symlog(x):
    assert float(symexp(symlog(jnp.float32(x)))) == pytest.approx(x, rel=1e-4, abs=1e-5)


def test_two_hot_by_hand():
    bins = Bins(low=-2.0, high=2.0, count=5)
    # symlog(e - 1) = 1 lies on the fourth bin; symlog(sqrt(e) - 1) = 0.5 between the third and the fourth
    weights = jax.jit(bins.weights)(np.array([np.e - 1, np.sqrt(np.e) - 1, -1e9], np.float32))
    np.testing.assert_allclose(weights, [[0, 0, 0, 1, 0], [0, 0, 0.5, 0.5, 0], [1, 0, 0, 0, 0]], atol=1e-5)
    between = np.log(np.float32([1e-12, 1e-12, 0.5, 0.5, 1e-12]))
    assert float(bins.mean(between)) == pytest.approx(np.sqrt(np.e) - 1, rel=1e-4)
    assert float(bins.loss(np.zeros(5, np.float32), jnp.float32(0.3))) == pytest.approx(np.log(5), rel=1e-5)


@settings(max_examples=50, deadline=None)
@given(st.floats(-20_000, 20_000, width=32))
def test_a_number_survives_its_two_hot_writing(x):
    bins = Bins()
    assert float(bins.weights(jnp.float32(x)).sum()) == pytest.approx(1.0, abs=1e-5)
    assert float(symexp(bins.weights(jnp.float32(x)) @ bins.centres)) == pytest.approx(x, rel=1e-2, abs=1e-3)


def test_a_squashed_normal_has_the_density_of_its_draws():
    policy = policies.over(Box(shape=(1,), low=-2.0, high=2.0))
    outputs = np.array([0.3, 0.4], np.float32)

    @jax.jit
    def draws(key):
        unit, log_prob = jax.vmap(lambda key: policy.draw(key, outputs))(jax.random.split(key, 4000))
        said = policy.log_prob(jnp.broadcast_to(outputs, (4000, 2)), unit)
        return unit, log_prob, said, policy.unit(policy.action(unit)), policy.moments(outputs)

    unit, log_prob, said, again, (mean, log_deviation) = draws(KEY)
    raw = np.arctanh(np.asarray(unit[:, 0], np.float64))
    mean, scale = float(np.asarray(mean)[0]), float(np.exp(log_deviation)[0])
    exact = stats.norm.logpdf(raw, mean, scale) - np.log(1 - np.tanh(raw) ** 2)
    inner = np.abs(raw) < 3
    np.testing.assert_allclose(np.asarray(log_prob)[inner], exact[inner], atol=2e-2)
    np.testing.assert_allclose(np.asarray(said)[inner], exact[inner], atol=2e-2)
    assert stats.kstest(raw[np.isfinite(raw)], stats.norm(mean, scale).cdf).pvalue > 0.01
    np.testing.assert_allclose(again, unit, atol=1e-6)
    assert float(policy.action(jnp.array([[1.0]]))[0, 0]) == 2.0


def test_a_clipped_normal_is_a_normal_until_it_acts():
    policy = policies.over(Box(shape=(2,), low=-2.0, high=2.0), clipped=True)
    outputs = np.array([0.3, -2.0, 0.4, 1.0], np.float32)
    scale = 0.1 + 0.9 / (1.0 + np.exp(-np.array([2.4, 3.0])))
    normal = stats.norm(np.tanh([0.3, -2.0]), scale)

    @jax.jit
    def draws(key):
        unit, log_prob = jax.vmap(lambda key: policy.draw(key, outputs))(jax.random.split(key, 4000))
        return unit, log_prob, policy.entropy(key, outputs), policy.best(outputs), policy.action(unit)

    unit, log_prob, entropy, best, action = (np.asarray(each) for each in draws(KEY))
    np.testing.assert_allclose(log_prob, normal.logpdf(unit).sum(-1), atol=1e-4)
    assert all(
        stats.kstest(unit[:, axis], stats.norm(*(float(x[axis]) for x in normal.args)).cdf).pvalue > 0.01 for axis in (0, 1)
    )
    assert float(entropy) == pytest.approx(normal.entropy().sum(), abs=1e-4)
    np.testing.assert_allclose(best, normal.mean(), atol=1e-6)
    assert np.abs(unit).max() > 1.0
    np.testing.assert_allclose(action, 2.0 * np.clip(unit, -1.0, 1.0), atol=1e-6)


def test_a_choice_is_drawn_as_often_as_it_says():
    policy = policies.over(Discrete(n=3), uniform=0.1)
    outputs = np.log(np.array([0.7, 0.2, 0.1], np.float32))
    share = 0.9 * np.array([0.7, 0.2, 0.1]) + 0.1 / 3

    @jax.jit
    def draws(key):
        drawn, log_prob = jax.vmap(lambda key: policy.draw(key, outputs))(jax.random.split(key, 6000))
        return drawn, log_prob, policy.entropy(key, outputs), policy.best(outputs)

    drawn, log_prob, entropy, best = (np.asarray(each) for each in draws(KEY))
    np.testing.assert_allclose(np.bincount(drawn, minlength=3) / 6000, share, atol=0.03)
    np.testing.assert_allclose(np.exp(log_prob), share[drawn], rtol=1e-4)
    assert float(entropy) == pytest.approx(stats.entropy(share), rel=1e-4)
    assert int(best) == 0


def test_units_by_hand():
    """A box's entries with two different bounds go to [-1, 1]; those without, that cannot move, and choices stay."""
    space = {
        "arm": Box(shape=(3,), low=(0.0, -np.inf, 2.0), high=(10.0, np.inf, 2.0)),
        "gear": Box(shape=(), low=-5, high=3, dtype="int32"),
        "grip": Discrete(n=3),
    }
    value = {
        "arm": jnp.array([[0.0, 7.0, 2.0], [7.5, -7.0, 2.0]]),
        "gear": jnp.array([-1, 3], jnp.int32),
        "grip": jnp.array([0, 2], jnp.int32),
    }
    units = form(space).units(value)
    assert units.dtype == jnp.float32
    np.testing.assert_allclose(units, [[-1, 7, 2, 0, 1, 0, 0], [0.5, -7, 2, 1, 0, 0, 1]], atol=1e-6)


@pytest.mark.parametrize("space", [Box(shape=(2,)), Box(shape=(1,), low=0.0, high=3.0, dtype="int32"), {"a": Discrete(n=2)}])
def test_a_space_that_a_policy_cannot_act_in_is_named(space):
    with pytest.raises((TypeError, ValueError), match="action space"):
        policies.over(space)


@pytest.mark.parametrize("mine", [pictures.halved, pictures.doubled])
def test_pictures_are_convolved_as_the_library_does(mine):
    random = np.random.default_rng(0)
    given, weight = (random.normal(size=shape).astype(np.float32) for shape in ((3, 8, 6, 5), (4, 4, 5, 7)))
    numbers = ("NHWC", "HWIO", "NHWC")

    def theirs(given, weight):
        if mine is pictures.halved:
            return jax.lax.conv_general_dilated(given, weight, (2, 2), "SAME", dimension_numbers=numbers)
        return jax.lax.conv_transpose(given, weight, (2, 2), "SAME", dimension_numbers=numbers)

    def answer(function):
        """What it makes of the pictures, and the slopes."""

        def summed(*both):
            made = function(*both)
            return jnp.sum(jnp.sin(made)), made

        slopes, made = jax.jit(jax.grad(summed, argnums=(0, 1), has_aux=True))(given, weight)
        return made, slopes

    (own_made, own_slopes), (other_made, other_slopes) = answer(mine), answer(theirs)
    np.testing.assert_allclose(own_made, other_made, rtol=1e-4, atol=1e-4)
    for own, other in zip(own_slopes, other_slopes, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("side", [1, 2, 4])
def test_pictures_are_folded_into_squares_and_back(side):
    given = np.random.default_rng(0).normal(size=(2, 8, 4, 3))
    made = np.asarray(pictures.folded(jnp.asarray(given), side))
    np.testing.assert_array_equal(made[1, 1, 0], given[1, side : 2 * side, :side].reshape(-1).astype(np.float32))
    np.testing.assert_array_equal(pictures.unfolded(jnp.asarray(made), side), given.astype(np.float32))


def test_masked_choices_by_hand():
    """Two of four choices are admissible: they share what the softmax gives them, and a tenth evenly."""
    outputs, open = np.log(np.array([0.6, 0.2, 0.1, 0.1], np.float32)), np.array([False, True, False, True])
    policy = policies.over(Discrete(n=4), uniform=0.1)

    @jax.jit
    def draws(key, outputs, open):
        shut = policies.masked(outputs, open)
        drawn = jax.vmap(lambda key: policy.draw(key, shut)[0])(jax.random.split(key, 2000))
        return policy.logits(shut), policy.log_prob(shut, jnp.array(0)), policy.entropy(key, shut), policy.best(shut), drawn

    logits, log_prob, entropy, best, drawn = (np.asarray(each) for each in draws(KEY, outputs, open))
    share = 0.9 * np.array([2 / 3, 1 / 3]) + 0.05
    np.testing.assert_allclose(np.exp(logits), [0.0, share[0], 0.0, share[1]], rtol=1e-5)
    assert float(log_prob) < -1e8
    assert float(entropy) == pytest.approx(stats.entropy(share), rel=1e-5)
    assert int(best) == 1
    np.testing.assert_allclose(np.bincount(drawn, minlength=4) / 2000, [0.0, share[0], 0.0, share[1]], atol=0.04)


@pytest.mark.parametrize("uniform", [0.0, 0.1])
def test_masked_choices_have_finite_gradients(uniform):
    policy, open = policies.over(Discrete(n=3), uniform=uniform), jnp.array([True, False, True])

    def loss(outputs):
        shut = policies.masked(outputs, open)
        return policy.log_prob(shut, jnp.array(2)) + policy.entropy(KEY, shut)

    slope = np.asarray(jax.jit(jax.grad(loss))(np.array([0.3, 5.0, -0.2], np.float32)))
    assert np.isfinite(slope).all()
    assert slope[1] == 0.0
    assert abs(slope[0]) > 0.01


def test_masked_leaves_a_row_without_any_open_choice():
    outputs = jnp.array([[1.0, 2.0], [1.0, 2.0]])
    found = policies.masked(outputs, jnp.array([[False, False], [True, False]]))
    np.testing.assert_array_equal(found, [[1.0, 2.0], [1.0, policies.CLOSED]])
    assert policies.masked(outputs, None) is outputs


def test_form_finds_the_open_choices_at_any_depth():
    mask = Box(shape=(3,), low=0, high=1, dtype="uint8")
    space = {"seen": {"open": mask, "where": Box(shape=(2,))}, "task": Discrete(n=2)}
    observation = {"seen": {"open": jnp.array([[1, 0, 1]], jnp.uint8), "where": jnp.zeros((1, 2))}, "task": jnp.array([1])}
    found = form(space).open(observation)
    assert found is not None
    assert found.tolist() == [[True, False, True]]
    assert form({"where": Box(shape=(2,))}).open({"where": jnp.zeros((1, 2))}) is None
    assert form(space).under(("task", "where")).tolist() == [False, False, False, True, True, True, True]


def test_optimiser_clips_decays_and_shares_by_hand():
    """One step of Adam moves each weight by the rate, whatever its gradient; decay and shares come after it."""
    weights, gradient = {"a": jnp.array([1.0, -2.0]), "b": jnp.array([4.0])}, {"a": jnp.array([3.0, -4.0]), "b": jnp.array([0.0])}
    made = optimise.optimiser(0.1, shares=lambda steps: {"a": 0.5, "b": 1.0})
    steps, _ = made.update(gradient, made.init(weights), weights)
    np.testing.assert_allclose(steps["a"], [-0.05, 0.05], rtol=1e-4)
    made = optimise.optimiser(0.1, decay=0.3, decays=lambda weights: {"a": False, "b": True})
    steps, _ = made.update(gradient, made.init(weights), weights)
    np.testing.assert_allclose(steps["a"], [-0.1, 0.1], rtol=1e-4)
    np.testing.assert_allclose(steps["b"], [-0.1 * 0.3 * 4.0], rtol=1e-4)
    # a gradient of norm 5 is clipped to 1: where epsilon is as large as what is left, a step is half the rate
    made = optimise.optimiser(0.1, clip=1.0, epsilon=0.6)
    steps, _ = made.update(gradient, made.init(weights), weights)
    np.testing.assert_allclose(steps["a"], [-0.1 * 0.6 / 1.2, 0.1 * 0.8 / 1.4], rtol=1e-4)


def test_optimiser_puts_the_protection_before_the_clipping():
    class Doubling:
        def around(self, inner):
            return optimise.behind(optax.scale(2.0), inner)

    gradient = jnp.array([0.3])
    made = optimise.optimiser(0.1, clip=0.4, epsilon=0.4, protection=Doubling())
    step, _ = made.update(gradient, made.init(gradient), gradient, slope=lambda weights: weights)
    np.testing.assert_allclose(step, [-0.1 * 0.4 / 0.8], rtol=1e-4)
    assert made.update(gradient, made.init(gradient), gradient)[0].shape == (1,)


def test_announcements_are_read_left_out_and_put_back():
    space = {"seen": Box(shape=(2,)), "task": {"goal": Box(shape=(2,), low=-1.0, high=1.0), "kind": Discrete(n=2)}}
    found = known_tasks.announcement(space)
    task = {"goal": jnp.array([[0.5, -1.0]]), "kind": jnp.array([1], jnp.int32)}
    observation = {"seen": jnp.array([[3.0, 4.0]]), "task": task}
    np.testing.assert_array_equal(found.tasks(observation), [[0.5, -1.0, 0.0, 1.0]])
    sequences = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf], axis=1), observation)
    assert found.tasks(sequences).shape == (1, 2, 4)
    np.testing.assert_array_equal(found.without(observation), [[3.0, 4.0]])
    again = found.joined(found.without(observation), found.tasks(observation))
    jax.tree.map(np.testing.assert_array_equal, again, observation)
    plain = known_tasks.announcement(Box(shape=(2,)))
    assert plain.width == 0
    assert plain.tasks(jnp.zeros((3, 5, 2))).shape == (3, 5, 0)
    beside = known_tasks.announcement({**space, "signal": Box()})
    assert set(beside.without({**observation, "signal": jnp.zeros(1)})) == {"seen", "signal"}
