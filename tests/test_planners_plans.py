"""Distributions over plans and coloured noise, against NumPy and closed forms."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from umwelt.core import Box, Discrete
from umwelt.planners.lookahead import decide, elite_weights, share_of
from umwelt.planners.noise import coloured
from umwelt.planners.plans import blank, evens, normal

BOX = Box(shape=(2,), low=(-1.0, 0.0), high=(3.0, 0.5))


def draws(*shape: int) -> jax.Array:
    return jax.random.normal(jax.random.key(1), shape)


def test_elites_of_a_box_are_fitted_with_their_mean_and_standard_deviation() -> None:
    candidates = np.array(jax.random.uniform(jax.random.key(0), (4, 3, 50, 2), minval=-1, maxval=1))
    scores = np.array(draws(3, 50))
    plans = blank(BOX, 3, 4).refit(jnp.asarray(candidates), elite_weights(jnp.asarray(scores), 7), 0.0, 0.0)
    for row in range(3):
        elites = candidates[:, row, np.argsort(-scores[row])[:7]]
        np.testing.assert_allclose(plans.mean[row], elites.mean(axis=1), atol=1e-6)
        np.testing.assert_allclose(plans.spread[row], elites.std(axis=1), atol=1e-5)


def test_elites_of_choices_are_fitted_with_their_frequencies() -> None:
    candidates = np.array(jax.random.randint(jax.random.key(0), (4, 3, 50), 0, 5))
    scores = np.array(draws(3, 50))
    weights = elite_weights(jnp.asarray(scores), 10)
    plans = blank(Discrete(n=5), 3, 4).refit(jnp.asarray(candidates), weights, 0.25, 0.1)
    for row in range(3):
        elites = candidates[:, row, np.argsort(-scores[row])[:10]]
        frequency = np.stack([np.bincount(step, minlength=5) / 10 for step in elites])
        expected = 0.25 * 0.2 + 0.75 * (0.9 * frequency + 0.1 / 5)
        np.testing.assert_allclose(plans.probability[row], expected, atol=1e-6)


@pytest.mark.parametrize("spread", [0.0, 0.3, 1.0, 2.0])
def test_choices_stay_probabilities_however_wide_the_search_is(spread: float) -> None:
    fitted = dataclasses.replace(blank(Discrete(n=3), 1, 2), probability=jnp.array([[[0.98, 0.01, 0.01], [0.2, 0.5, 0.3]]]))
    wide = fitted.wide(spread).probability
    share = min(spread, 1.0)
    np.testing.assert_allclose(wide, (1 - share) * fitted.probability + share / 3, rtol=1e-6)
    # all of a search that is as wide as can be finds every choice about as often
    counts = np.bincount(np.ravel(fitted.wide(spread).sample(draws(2, 1, 3000, 3))), minlength=3)
    assert spread < 1.0 or abs(counts / counts.sum() - 1 / 3).max() < 0.03


def test_momentum_and_least_spread_of_a_box() -> None:
    plans = dataclasses.replace(blank(BOX, 1, 1), mean=jnp.full((1, 1, 2), 0.5))
    same = jnp.full((1, 1, 8, 2), -0.5)
    fitted = plans.refit(same, jnp.full((1, 8), 1 / 8), 0.1, 0.3)
    np.testing.assert_allclose(fitted.mean, 0.1 * 0.5 - 0.9 * 0.5, atol=1e-6)
    np.testing.assert_allclose(fitted.spread, 0.3)
    np.testing.assert_allclose(plans.refit(same, jnp.full((1, 8), 1 / 8), 0.9, 0.3).spread, 0.9)


def test_a_noisy_choice_scatters_around_the_drawn_candidate_as_widely_as_the_plans() -> None:
    rows = 20_000
    scores = weights = jnp.broadcast_to(jnp.asarray([1.0, 0.0]), (rows, 2))
    box = blank(BOX, rows, 1).wide(0.1)
    candidates = jnp.broadcast_to(jnp.asarray([0.3, -0.9]).reshape(1, 1, 2, 1), (1, rows, 2, 2))
    chosen = np.asarray(decide(jax.random.key(2), box, candidates, scores, weights, "noisy"))
    np.testing.assert_allclose(chosen.mean(axis=0), 0.3, atol=4e-3)
    np.testing.assert_allclose(chosen.std(axis=0), 0.1, atol=4e-3)
    assert np.abs(decide(jax.random.key(2), box.wide(9.0), candidates, scores, weights, "noisy")).max() == 1.0
    choices = dataclasses.replace(blank(Discrete(n=3), rows, 1), probability=jnp.full((rows, 1, 3), jnp.asarray([0.7, 0.2, 0.1])))
    drawn = decide(jax.random.key(2), choices, jnp.zeros((1, rows, 2), jnp.int32), scores, weights, "noisy")
    np.testing.assert_allclose(np.bincount(np.asarray(drawn), minlength=3) / rows, [0.7, 0.2, 0.1], atol=1e-2)


def test_samples_have_the_moments_of_the_plans() -> None:
    box = dataclasses.replace(blank(BOX, 1, 1), mean=jnp.full((1, 1, 2), 0.2)).wide(0.1)
    candidates = np.asarray(box.sample(draws(1, 1, 100_000, 2)))
    np.testing.assert_allclose(candidates.mean(axis=2), 0.2, atol=2e-3)
    np.testing.assert_allclose(candidates.std(axis=2), 0.1, atol=2e-3)
    probability = jnp.asarray([0.7, 0.2, 0.1]).reshape(1, 1, 3)
    choices = dataclasses.replace(blank(Discrete(n=3), 1, 1), probability=probability)
    counts = np.bincount(np.asarray(choices.sample(draws(1, 1, 100_000, 3))).reshape(-1), minlength=3) / 100_000
    np.testing.assert_allclose(counts, [0.7, 0.2, 0.1], atol=6e-3)


def test_coloured_noise_holds_choices_for_longer_and_keeps_their_frequencies() -> None:
    plans = blank(Discrete(n=4), 1, 16)
    white = draws(16, 1, 20_000, 4)
    repeats = {}
    for beta in (0.0, 2.0):
        choices = np.asarray(plans.sample(coloured(white, beta)))
        np.testing.assert_allclose(np.bincount(choices[5].reshape(-1)) / 20_000, 0.25, atol=0.015)
        repeats[beta] = np.mean(choices[1:] == choices[:-1])
    assert abs(repeats[0.0] - 0.25) < 0.01
    assert repeats[2.0] > 0.5


def test_even_numbers_become_standard_normal() -> None:
    (even,) = evens(jax.random.key(0), blank(BOX, 1, 10), 20_000)
    made = np.sort(np.asarray(normal(even)).reshape(-1))
    assert np.all(np.isfinite(made))
    for quantile, expected in ((0.025, -1.959964), (0.25, -0.67449), (0.5, 0.0), (0.9, 1.281552), (0.999, 3.090232)):
        assert abs(made[int(quantile * made.size)] - expected) < 0.03


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 2.0, 3.0])
def test_the_spectrum_of_coloured_noise_falls_with_beta(beta: float) -> None:
    made = np.asarray(coloured(draws(64, 4000), beta), np.float64)
    power = np.mean(np.abs(np.fft.rfft(made, axis=0)) ** 2, axis=1)[1:-1]
    frequency = np.fft.rfftfreq(64)[1:-1]
    slope = np.polyfit(np.log(frequency), np.log(power), 1)[0]
    assert abs(slope + beta) < 0.05
    np.testing.assert_allclose(made.std(axis=1), 1.0, atol=0.05)


def test_noise_of_beta_zero_is_the_white_noise_itself() -> None:
    white = draws(16, 3)
    np.testing.assert_array_equal(coloured(white, 0.0), white)
    np.testing.assert_array_equal(coloured(white[:1], 2.0), white[:1])


def test_a_plan_shifts_by_one_and_holds_its_last_step() -> None:
    mean = jnp.arange(6.0).reshape(1, 3, 2)
    np.testing.assert_array_equal(dataclasses.replace(blank(BOX, 1, 3), mean=mean).shift().mean[0], [[2, 3], [4, 5], [4, 5]])
    probability = jnp.eye(3)[None]
    shifted = dataclasses.replace(blank(Discrete(n=3), 1, 3), probability=probability).shift()
    np.testing.assert_array_equal(shifted.mode()[:, 0, 0], [1, 2, 2])


def test_uniform_draws_cover_the_space() -> None:
    plans = blank(BOX, 1, 1)
    (even,) = evens(jax.random.key(0), plans, 50_000)
    actions = np.asarray(plans.decode(plans.uniform(even))).reshape(-1, 2)
    for entry, (low, high) in enumerate(((-1.0, 3.0), (0.0, 0.5))):
        np.testing.assert_allclose(np.quantile(actions[:, entry], [0.0, 0.25, 1.0]),
                                   [low, low + (high - low) / 4, high], atol=0.01 * (high - low))  # fmt: skip
    choices = blank(Discrete(n=3), 1, 1)
    (even,) = evens(jax.random.key(0), choices, 50_000)
    np.testing.assert_allclose(np.bincount(np.asarray(choices.uniform(even)).reshape(-1)) / 50_000, 1 / 3, atol=0.01)


bound = st.floats(-1e6, 1e6, width=32, allow_subnormal=False)


@settings(max_examples=60, deadline=None)
@given(st.tuples(bound, bound), st.tuples(bound, bound), st.floats(-1, 1, width=32))
def test_decoded_actions_lie_inside_any_bounds_and_encode_back(first, second, unit) -> None:
    low, high = np.minimum(first, second), np.maximum(first, second)
    plans = blank(Box(shape=(2,), low=tuple(map(float, low)), high=tuple(map(float, high))), 1, 1)
    action = np.asarray(plans.decode(jnp.full((1, 1, 1, 2), unit, jnp.float32)))[0, 0, 0]
    assert np.all(action >= low.astype(np.float32))
    assert np.all(action <= high.astype(np.float32))
    wide = (high - low) > 1e-3 * np.maximum(1, np.abs(high) + np.abs(low))
    back = np.asarray(plans.encode(action[None]))[0]
    np.testing.assert_allclose(back[wide], unit, atol=2e-3)


def test_elites_share_the_weight_whatever_the_scores_are() -> None:
    inf = np.inf
    scores = jnp.asarray([[1.0, 3.0, 2.0], [-inf, 5.0, -inf], [-inf, -inf, -inf]])
    expected = [[0, 0.5, 0.5], [0, 1, 0], [1 / 3, 1 / 3, 1 / 3]]
    np.testing.assert_allclose(elite_weights(scores, 2), expected, rtol=1e-6)


def test_a_share_is_at_least_one_and_never_all() -> None:
    assert [share_of(100, 0.05), share_of(100, 0.0), share_of(4, 0.01), share_of(4, 1.0), share_of(1, 0.5)] == [5, 0, 1, 3, 0]


@pytest.mark.parametrize(
    ("space", "error", "mend"),
    [
        (Box(shape=(2,)), ValueError, r"finite `low` and `high`"),
        (Box(shape=(2,), low=(0.0, -np.inf), high=1.0), ValueError, "unbounded"),
        (Box(shape=(1,), low=-3.4e38, high=3.4e38), ValueError, "unbounded"),
        (Box(shape=(1,), low=0, high=3, dtype="int32"), ValueError, "Discrete"),
        ({"arm": Discrete(n=2)}, ValueError, "flatten"),
    ],
)
def test_spaces_that_cannot_be_searched_are_refused_with_the_mend(space, error, mend) -> None:
    with pytest.raises(error, match=mend):
        blank(space, 1, 2)
