"""Denoising against closed forms: of normal data, the best prediction of the noise is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.networks import denoising
from umwelt.networks.denoising import Schedule

KEY = jax.random.key(5)
MEAN, DEVIATION = 0.4, 0.3


def best(schedule: Schedule) -> denoising.Predict:
    """The noise that is to be expected in a vector whose entries are normal: linear in it."""

    def predict(noisy: jax.Array, step: jax.Array) -> jax.Array:
        kept = schedule.kept[step][:, None]
        variance = kept * DEVIATION**2 + 1.0 - kept
        return jnp.sqrt(1.0 - kept) * (noisy - jnp.sqrt(kept) * MEAN) / variance

    return predict


@pytest.mark.parametrize("schedule", [denoising.linear(50), denoising.cosine(50)], ids=["linear", "cosine"])
def test_noise_replaces_the_data_as_the_schedule_says(schedule: Schedule) -> None:
    left, kept = 1.0, []
    for rate in np.asarray(schedule.rates, np.float64):
        left *= 1.0 - rate
        kept.append(left)
    np.testing.assert_allclose(schedule.kept, kept, rtol=1e-4)
    assert kept[0] > 0.95
    assert kept[-1] < 1e-4, "the last step still shows the data"
    drawn, noise = jax.random.split(KEY)
    clean = MEAN + DEVIATION * jax.random.normal(drawn, (20_000, 1))
    for step in (0, 20, 49):
        noisy = denoising.noised(schedule, clean, jax.random.normal(noise, clean.shape), jnp.full(20_000, step))
        assert float(noisy.var()) == pytest.approx(kept[step] * DEVIATION**2 + 1.0 - kept[step], rel=0.03)


def test_rates_of_a_thousand_steps_are_the_published_ones() -> None:
    rates = denoising.linear(1000).rates
    np.testing.assert_allclose(rates, np.linspace(1e-4, 0.02, 1000), rtol=1e-5)
    published = denoising.linear(50, 1e-4, 0.02)
    assert float(published.kept[-1]) == pytest.approx(0.6, abs=0.01), "fifty such steps leave most of the data"


def test_five_steps_keep_what_the_published_schedule_of_few_steps_keeps() -> None:
    at = np.arange(1, 6)
    rates = 1.0 - np.exp(-0.1 / 5 - 0.5 * 9.9 * (2 * at - 1) / 25)
    np.testing.assert_allclose(denoising.preserving(5).rates, rates, rtol=1e-5)


def test_the_least_error_of_predicted_noise_is_that_of_the_closed_form() -> None:
    schedule = denoising.linear(10)
    clean = MEAN + DEVIATION * jax.random.normal(KEY, (50_000, 1))
    found = denoising.noise_loss(KEY, schedule, best(schedule), clean).mean()
    kept = np.asarray(schedule.kept)
    # what remains of the noise's variance when the sum of both is known
    least = np.mean(kept * DEVIATION**2 / (kept * DEVIATION**2 + 1.0 - kept))
    assert float(found) == pytest.approx(least, rel=0.02)
    for other in (0.9, 1.1):
        worse = denoising.noise_loss(KEY, schedule, lambda noisy, step: other * best(schedule)(noisy, step), clean)  # noqa: B023
        assert float(worse.mean()) > float(found)


@pytest.mark.parametrize("schedule", [denoising.linear(1000), denoising.cosine(1000)], ids=["linear", "cosine"])
def test_draws_have_the_mean_and_the_deviation_of_the_data(schedule: Schedule) -> None:
    # each step draws as if the clean vector were known, so a few steps spread too little: by a tenth at a hundred
    shape = (10_000, 1)
    draws = {
        "ddpm": jax.jit(lambda: denoising.ddpm(KEY, schedule, best(schedule), shape, bound=None))(),
        "ddim": jax.jit(lambda: denoising.ddim(KEY, schedule, best(schedule), shape, 1000, bound=None))(),
    }
    for name, drawn in draws.items():
        assert float(drawn.mean()) == pytest.approx(MEAN, rel=0.02), name
        assert float(drawn.std()) == pytest.approx(DEVIATION, rel=0.02), name


def test_what_is_drawn_lies_in_the_unit_box_and_keeps_two_modes_apart() -> None:
    schedule = denoising.linear(50)

    def two(noisy: jax.Array, step: jax.Array) -> jax.Array:
        """The noise to be expected in data of which half are -0.8 and half 0.8."""
        kept = schedule.kept[step][:, None]
        clean = 0.8 * jnp.tanh(jnp.sqrt(kept) * noisy * 0.8 / (1.0 - kept))
        return (noisy - jnp.sqrt(kept) * clean) / jnp.sqrt(1.0 - kept)

    drawn = denoising.ddpm(KEY, schedule, two, (2000, 1), extra=2)
    assert float(jnp.mean(jnp.abs(jnp.abs(drawn) - 0.8) < 0.05)) > 0.98, "means of two modes are drawn"
    assert float(jnp.mean(drawn > 0)) == pytest.approx(0.5, abs=0.05)
    wild = denoising.ddpm(KEY, schedule, lambda noisy, step: 5.0 * noisy, (200, 1))
    assert float(jnp.abs(wild).max()) <= 1.0


def test_levels_are_those_of_the_closed_form() -> None:
    found = denoising.level(jnp.arange(10), 10)
    wanted = [(0.002 ** (1 / 7) + i / 9 * (80 ** (1 / 7) - 0.002 ** (1 / 7))) ** 7 for i in range(10)]
    np.testing.assert_allclose(found, wanted, rtol=1e-4)
    assert [int(denoising.levels_at(jnp.float32(share))) for share in (0.0, 1.0)] == [2, 151]


def test_at_the_lowest_level_nothing_is_cleaned_whatever_the_network_says() -> None:
    noisy = jax.random.normal(KEY, (4, 2))
    low = denoising.consistent(lambda rows, level: 100.0 + rows, noisy, jnp.full(4, denoising.LEAST))
    np.testing.assert_array_equal(low, noisy)
    high = denoising.consistent(lambda rows, level: rows, 80.0 * noisy, jnp.full(4, 80.0))
    # far from the data only the network counts: skip is 4e-5 and out 0.5
    np.testing.assert_allclose(high, 0.5 * noisy, atol=0.01)


def test_a_consistent_network_of_two_points_draws_them_in_one_step() -> None:
    def two(rows: jax.Array, level: jax.Array) -> jax.Array:
        """What `consistent` turns into the nearer of -0.8 and 0.8."""
        at = jnp.exp(4.0 * level)[:, None]
        noisy = rows * jnp.sqrt(at**2 + 0.25)
        skip, out = 0.25 / ((at - 0.002) ** 2 + 0.25), 0.5 * (at - 0.002) / jnp.sqrt(at**2 + 0.25)
        return (0.8 * jnp.sign(noisy) - skip * noisy) / jnp.maximum(out, 1e-9)

    drawn = denoising.consistency(KEY, two, (1000, 1), steps=1)
    np.testing.assert_allclose(jnp.abs(drawn), 0.8, atol=1e-3)
    assert float(jnp.mean(drawn > 0)) == pytest.approx(0.5, abs=0.05)
    # two neighbouring levels of such data are cleaned alike but where noise carries a row across the middle
    clean = 0.8 * jnp.sign(jax.random.normal(KEY, (1000, 1)))
    assert float(jnp.median(denoising.consistency_loss(KEY, two, two, clean, 20))) < 1e-6
    worse = denoising.consistency_loss(KEY, lambda rows, level: two(rows, level) + 1.0, two, clean, 20)
    assert float(jnp.median(worse)) > 1e-4


def test_the_target_of_consistency_gets_no_gradient() -> None:
    clean = jnp.ones((8, 1))

    def loss(both: tuple[jax.Array, jax.Array]) -> jax.Array:
        one, other = ((lambda rows, level, by=by: by * rows) for by in both)
        return denoising.consistency_loss(KEY, one, other, clean, 5).sum()

    mine, target = jax.grad(loss)((jnp.float32(0.3), jnp.float32(0.4)))
    assert abs(float(mine)) > 0
    assert float(target) == 0


def test_waves_tell_all_steps_apart() -> None:
    found = np.asarray(denoising.waves(jnp.arange(50), 16))
    apart = np.linalg.norm(found[:, None] - found, axis=-1) + np.eye(50)
    assert apart.min() > 0.05
