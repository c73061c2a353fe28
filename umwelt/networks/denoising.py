"""Denoising: draw vectors by cleaning noise step by step, with any network that predicts the noise; and in a step or two.

"Denoising diffusion probabilistic models" (2020): a schedule adds noise to a vector in steps; a network learns to predict
it; sampling takes it away again, with fresh noise at each step (DDPM) or without (DDIM, 2021). "Consistency models" (2023)
map every level of noise to what is clean at once. What is sampled lies in the unit box, so what is denoised is cut to it.

A network comes in as a function `predict(noisy [N, D], step or level [N]) -> float32 [N, D]`, which holds the condition.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from umwelt.core import keys, struct

Predict = Callable[[jax.Array, jax.Array], jax.Array]
"""(noisy [N, D], step int32 [N] or level float32 [N]) -> float32 [N, D]."""
LEAST, MOST, DATA = 0.002, 80.0, 0.5
"""The lowest and the highest level of noise of a consistency model, and the deviation of its data."""
AGAIN = 0.8
"""The level of noise that is added before the last step, where there are several."""
RHO = 7.0
"""How densely levels stand near the lowest."""


@struct
class Schedule:
    """rates: float32 [T], the share of variance that each step replaces by noise. kept: float32 [T], the share of the
    data's variance that is left after it."""

    rates: jax.Array
    kept: jax.Array


def linear(steps: int, first: float = 0.0, last: float = 0.0) -> Schedule:
    """Let the rate rise in a line, by default from 0.1 / steps to 20 / steps: for 1,000 steps the published 1e-4 and 0.02.
    So hardly any of the data is left, whatever the number of steps."""
    return _schedule(jnp.linspace(first or 0.1 / steps, last or 20.0 / steps, steps))


def cosine(steps: int, offset: float = 0.008) -> Schedule:
    """Let what is kept fall as a squared cosine ("Improved denoising diffusion", 2021)."""
    at = (jnp.arange(steps + 1) / steps + offset) / (1.0 + offset)
    kept = jnp.cos(0.5 * jnp.pi * at) ** 2
    return _schedule(1.0 - kept[1:] / kept[:-1])


def preserving(steps: int, first: float = 0.1, last: float = 10.0) -> Schedule:
    """Let what is kept fall as in a diffusion without steps, whose rate rises in a line ("variance preserving"). A handful of
    steps share its noise well ("Tackling the generative learning trilemma", 2022)."""
    edges = jnp.arange(steps + 1) / steps
    gone = first * edges + 0.5 * (last - first) * edges**2
    return _schedule(1.0 - jnp.exp(gone[:-1] - gone[1:]))


def noised(schedule: Schedule, clean: jax.Array, noise: jax.Array, step: jax.Array) -> jax.Array:
    """Add unit noise to clean vectors [N, D], up to the steps [N]."""
    kept = _column(schedule.kept[step], clean)
    return jnp.sqrt(kept) * clean + jnp.sqrt(1.0 - kept) * noise


def cleaned(schedule: Schedule, noisy: jax.Array, noise: jax.Array, step: jax.Array, bound: float | None = 1.0) -> jax.Array:
    """Take predicted noise from noisy vectors [N, D] of steps [N]; cut to [-bound, bound], None for no bound."""
    kept = _column(schedule.kept[step], noisy)
    clean = (noisy - jnp.sqrt(1.0 - kept) * noise) * jax.lax.rsqrt(kept)
    return clean if bound is None else jnp.clip(clean, -bound, bound)


def noise_loss(key: jax.Array, schedule: Schedule, predict: Predict, clean: jax.Array) -> jax.Array:
    """The mean squared error of the predicted noise, each of clean vectors [N, D] at a step of its own: float32 [N]."""
    stepping, noising = keys.split(key, "step", "noise")
    step = jax.random.randint(stepping, clean.shape[:1], 0, schedule.kept.shape[0])
    noise = jax.random.normal(noising, clean.shape)
    missed = (predict(noised(schedule, clean, noise, step), step) - noise) ** 2
    return jnp.mean(missed, axis=tuple(range(1, clean.ndim)))


def back(
    key: jax.Array, schedule: Schedule, noisy: jax.Array, noise: jax.Array, step: jax.Array, bound: float | None = 1.0
) -> jax.Array:
    """Go one step back from steps [N] (DDPM): a draw of what the vectors [N, D] were before; the clean ones from step 0."""
    clean = cleaned(schedule, noisy, noise, step, bound)
    rate = _column(schedule.rates[step], noisy)
    kept = _column(schedule.kept[step], noisy)
    before = jnp.where(_column(step, noisy) > 0, _column(schedule.kept[step - 1], noisy), 1.0)
    mean = (jnp.sqrt(before) * rate * clean + jnp.sqrt(1.0 - rate) * (1.0 - before) * noisy) / (1.0 - kept)
    return mean + jnp.sqrt(rate * (1.0 - before) / (1.0 - kept)) * jax.random.normal(key, noisy.shape)


def skipped(
    schedule: Schedule, noisy: jax.Array, noise: jax.Array, step: jax.Array, to: jax.Array, bound: float | None = 1.0
) -> jax.Array:
    """Go from steps [N] back to steps `to` [N] at once, without fresh noise (DDIM); -1 is clean."""
    clean = cleaned(schedule, noisy, noise, step, bound)
    kept, before = _column(schedule.kept[step], noisy), _column(jnp.where(to < 0, 1.0, schedule.kept[to]), noisy)
    # the noise that fits to what was cut
    left = (noisy - jnp.sqrt(kept) * clean) * jax.lax.rsqrt(1.0 - kept)
    return jnp.sqrt(before) * clean + jnp.sqrt(1.0 - before) * left


def ddpm(
    key: jax.Array,
    schedule: Schedule,
    predict: Predict,
    shape: tuple[int, ...],
    extra: int = 0,
    bound: float | None = 1.0,
) -> jax.Array:
    """Draw vectors of `shape` [N, D] in all steps of the schedule, and in `extra` more at the lowest noise."""
    begin, going = keys.split(key, "begin", "steps")
    number = schedule.kept.shape[0]
    steps = jnp.concatenate([jnp.arange(number - 1, -1, -1), jnp.zeros(extra, jnp.int32)])

    def onward(noisy: jax.Array, given: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        key, at = given
        step = jnp.full(shape[:1], at)
        return back(key, schedule, noisy, predict(noisy, step), step, bound), None

    split = jax.random.split(going, number + extra)
    return jax.lax.scan(onward, jax.random.normal(begin, shape), (split, steps))[0]


def ddim(
    key: jax.Array, schedule: Schedule, predict: Predict, shape: tuple[int, ...], steps: int, bound: float | None = 1.0
) -> jax.Array:
    """Draw vectors of `shape` [N, D] in `steps` steps, spread evenly over those of the schedule."""
    places = jnp.round(jnp.linspace(schedule.kept.shape[0] - 1, -1, steps + 1)).astype(jnp.int32)

    def onward(noisy: jax.Array, given: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        step, to = (jnp.full(shape[:1], at) for at in given)
        return skipped(schedule, noisy, predict(noisy, step), step, to, bound), None

    return jax.lax.scan(onward, jax.random.normal(key, shape), (places[:-1], places[1:]))[0]


def waves(values: jax.Array, width: int, longest: float = 1000.0) -> jax.Array:
    """Embed numbers [N], such as steps, as sines and cosines of periods from 1 to `longest`: float32 [N, width]."""
    half = width // 2
    rates = longest ** (-jnp.arange(half) / max(half - 1, 1))
    turned = values.astype(jnp.float32)[:, None] * rates
    return jnp.concatenate([jnp.sin(turned), jnp.cos(turned)], axis=-1)


def level(index: jax.Array, number: jax.Array | int) -> jax.Array:
    """The level of noise that stands at `index` among `number` levels, from LEAST at 0 to MOST at number - 1."""
    share = index / jnp.maximum(number - 1, 1)
    low, high = LEAST ** (1.0 / RHO), MOST ** (1.0 / RHO)
    return (low + share * (high - low)) ** RHO


def levels_at(share: jax.Array, first: int = 2, last: int = 150) -> jax.Array:
    """How many levels there are when a share of training is over, int32: their square grows evenly."""
    square = share * ((last + 1.0) ** 2 - first**2) + first**2
    return jnp.ceil(jnp.sqrt(square) - 1.0).astype(jnp.int32) + 1


def consistent(predict: Predict, noisy: jax.Array, level: jax.Array) -> jax.Array:
    """What is clean of noisy vectors [N, D] of levels [N], by a network of any outputs. At the lowest level it is the
    vector itself, whatever the network says."""
    at = _column(level, noisy)
    skip = DATA**2 / ((at - LEAST) ** 2 + DATA**2)
    out = DATA * (at - LEAST) * jax.lax.rsqrt(at**2 + DATA**2)
    return skip * noisy + out * predict(noisy * jax.lax.rsqrt(at**2 + DATA**2), 0.25 * jnp.log(level))


def consistency_loss(key: jax.Array, predict: Predict, target: Predict, clean: jax.Array, number: jax.Array | int) -> jax.Array:
    """How far one vector at two neighbouring levels of noise is from being cleaned alike, over how far the levels are apart:
    float32 [N].

    target: what cleans the lower level, the network itself or a running mean of it. number: how many levels there are now.
    """
    choosing, noising = keys.split(key, "level", "noise")
    index = jax.random.randint(choosing, clean.shape[:1], 0, number - 1)
    noise = jax.random.normal(noising, clean.shape)
    low, high = level(index, number), level(index + 1, number)
    wanted = jax.lax.stop_gradient(consistent(target, clean + _column(low, clean) * noise, low))
    missed = (consistent(predict, clean + _column(high, clean) * noise, high) - wanted) ** 2
    return jnp.mean(missed, axis=tuple(range(1, clean.ndim))) / (high - low)


def consistency(key: jax.Array, predict: Predict, shape: tuple[int, ...], steps: int = 2, bound: float | None = 1.0) -> jax.Array:
    """Draw vectors of `shape` [N, D] in a few steps: clean pure noise at once, add less noise, clean again. The levels fall
    evenly in their logarithms, to that of the published second step ("Improved techniques for training consistency models",
    2024)."""
    found = jnp.zeros(shape)
    for index in range(steps):
        at = jnp.float32(MOST * (AGAIN / MOST) ** (index / max(steps - 1, 1)))
        noise = jax.random.normal(keys.fold(key, f"step{index}"), shape)
        noisy = at * noise if index == 0 else found + jnp.sqrt(at**2 - LEAST**2) * noise
        found = consistent(predict, noisy, jnp.full(shape[:1], at))
        found = found if bound is None else jnp.clip(found, -bound, bound)
    return found


def _schedule(rates: jax.Array) -> Schedule:
    rates = jnp.clip(rates, 1e-6, 0.999)
    return Schedule(rates=rates, kept=jnp.cumprod(1.0 - rates))


def _column(values: jax.Array, rows: jax.Array) -> jax.Array:
    """Values [N] that fit beside rows [N, ...]."""
    return values.reshape(values.shape[0], *(1,) * (rows.ndim - 1))
