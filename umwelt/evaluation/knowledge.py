"""What a world model knows: how far its predictions reach, whether its doubt is right, and how fast its agent decides.

The agent acts as well as it can in the real world. Afterwards the model imagines the same actions from many moments on
that way. Errors are shares of what there was to explain: 0 is perfect, 1 is as good as always guessing the mean.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Prediction, part, spaces, struct
from umwelt.core.contracts import Model
from umwelt.evaluation.proctor import Journey
from umwelt.networks.form import numbers

HORIZONS = (1, 5, 15, 50)
"""Imagined steps after which a prediction is compared."""
EVERY = 4
"""Ticks from one moment at which imagination begins to the next."""
BINS = 10
"""Groups of equally many predictions, from the surest to the least sure, in which doubt is calibrated."""


@struct
class Foreseen:
    """Imagination from R moments, beside what came. H horizons.

    guess, found, before: float32 [H, R, width], imagined, real, and real at the beginning. whole: bool [H, R],
    the episode lasted as long. reward, real_reward: float32 [R] of the first step. returns, real_returns:
    float32 [H, R], summed up to each horizon. doubt: float32 [R] of the first step.
    """

    guess: jax.Array
    found: jax.Array
    before: jax.Array
    whole: jax.Array
    reward: jax.Array
    real_reward: jax.Array
    returns: jax.Array
    real_returns: jax.Array
    doubt: jax.Array


@part
class Knowledge:
    """One row of the table that `umwelt probe --model` prints. A number that is not known is NaN.

    compared: what was compared, `observation`, or `belief` where the model has no decoder. error: the unexplained
    share of the change after each of HORIZONS. reward_error: that of the next reward. doubt_rank: the rank
    correlation of doubt with the real error. doubt_error: how far doubt, scaled as a whole, is from the error in
    groups of equal doubt, as a share of the error. doubt_groups: (scaled doubt, error) of those groups, the surest
    first, empty where they are not known. horizons: those of `error`. by_number: the error of each number of an observation
    after one step, NaN where it never changes; empty where beliefs were compared. imagined_return, real_return: means
    over `return_steps` steps. decisions: a second, for one row.
    """

    compared: str
    error: tuple[float, ...]
    reward_error: float
    doubt_rank: float
    doubt_error: float
    return_steps: int
    imagined_return: float
    real_return: float
    doubt_groups: tuple[tuple[float, float], ...] = ()
    horizons: tuple[int, ...] = HORIZONS
    by_number: tuple[float, ...] = ()
    decisions: float = np.nan


@struct
class Rolled:
    """What a model imagines from R beliefs. H horizons, of which the longest has L steps.

    shown: float32 [H, R, width], what was read after each horizon. reward, continues, doubt: float32 [L, R].
    """

    shown: jax.Array
    reward: jax.Array
    continues: jax.Array
    doubt: jax.Array


def roll(
    key: jax.Array,
    model: Model,
    state: Any,
    belief: Any,
    action: Callable[[jax.Array], Any],
    read: Callable[[Any, Prediction], jax.Array],
    horizons: tuple[int, ...] = HORIZONS,
) -> Rolled:
    """Imagine from beliefs [R] without a look. action: step int32 -> actions [R]. read: belief and prediction -> [R, width]."""

    def onward(carry: tuple[Any, jax.Array], ahead: jax.Array) -> tuple[Any, Any]:
        after, prediction = model.imagine(jax.random.fold_in(key, ahead), state, carry[0], action(ahead))
        said = (prediction.reward, prediction.continues, prediction.doubt)
        return (after, read(after, prediction)), tuple(jnp.asarray(each, jnp.float32) for each in said)

    form = jax.eval_shape(lambda: onward((belief, jnp.zeros(())), jnp.zeros((), jnp.int32))[0][1])
    carry, shown, said, done = (belief, jnp.zeros(form.shape, form.dtype)), [], [], 0
    for horizon in horizons:
        carry, each = jax.lax.scan(onward, carry, jnp.arange(done, horizon))
        shown.append(carry[1])
        said.append(each)
        done = horizon
    reward, continues, doubt = (jnp.concatenate(leaves) for leaves in zip(*said, strict=True))
    return Rolled(shown=jnp.stack(shown), reward=reward, continues=continues, doubt=doubt)


def foresee(
    key: jax.Array,
    model: Model,
    state: Any,
    journey: Journey,
    space: Any,
    decoded: bool,
    horizons: tuple[int, ...] = HORIZONS,
) -> Foreseen:
    """Imagine from every EVERY-th moment of a journey. decoded: compare observations of `space`, not beliefs."""
    ticks, _ = journey.reward.shape
    starts = np.arange(0, ticks, EVERY)
    begin = jax.tree.map(lambda leaf: _merge(leaf[starts]), journey.belief)
    flatten = partial(spaces.features, space) if decoded else numbers
    real = jax.vmap(flatten)(journey.observation if decoded else journey.belief)
    steps = np.arange(horizons[-1])
    # [L, S]: the tick of each imagined step; [L, R]: whether the episode has lasted until it
    at = np.minimum(starts + steps[:, None], ticks - 1)
    inside = journey.inside[at] & (starts + steps[:, None] < ticks)[..., None]
    whole = jnp.cumprod(inside.reshape(len(steps), -1), axis=0).astype(bool)

    def taken(ahead: jax.Array) -> Any:
        return jax.tree.map(lambda leaf: _merge(leaf[jnp.asarray(at)[ahead]]), journey.action)

    rolled = roll(
        key, model, state, begin, taken, lambda belief, told: flatten(told.observation if decoded else belief), horizons
    )
    living = jnp.concatenate([jnp.ones_like(rolled.reward[:1]), jnp.cumprod(rolled.continues, axis=0)[:-1]])
    real_reward = jnp.where(whole, journey.reward[at].reshape(len(steps), -1), 0.0)
    last, after = np.array(horizons) - 1, np.minimum(starts + np.array(horizons)[:, None], ticks)
    found = real[after].reshape(rolled.shown.shape)
    return Foreseen(
        guess=rolled.shown,
        found=found,
        before=jnp.broadcast_to(_merge(real[starts]), found.shape),
        whole=whole[last],
        reward=rolled.reward[0],
        real_reward=_merge(journey.reward[starts]),
        returns=jnp.cumsum(living * rolled.reward, axis=0)[last],
        real_returns=jnp.cumsum(real_reward, axis=0)[last],
        doubt=rolled.doubt[0],
    )


def knowledge(seen: Foreseen, compared: str, horizons: tuple[int, ...] = HORIZONS) -> Knowledge:
    """The figures of a journey foreseen."""
    decoded = compared == "observation"
    arrays = {name: np.asarray(leaf, np.float64) for name, leaf in vars(seen).items() if name != "whole"}
    guess, found, before, whole = arrays["guess"], arrays["found"], arrays["before"], np.asarray(seen.whole)
    errors = [unexplained(guess[h][whole[h]], found[h][whole[h]], before[h][whole[h]]) for h in range(len(horizons))]
    first = whole[0]
    real, doubt = arrays["real_reward"][first], arrays["doubt"][first]
    spread = (found[0] - before[0])[first].std(axis=0) if first.any() else np.zeros(found.shape[-1])
    size = np.sqrt((((guess[0] - found[0])[first] / np.where(spread > 1e-9, spread, np.inf)) ** 2).mean(axis=1))
    longest = max((h for h in range(len(horizons)) if whole[h].any()), default=0)
    return Knowledge(
        compared=compared,
        error=tuple(errors),
        reward_error=unexplained(arrays["reward"][first, None], real[:, None], np.zeros((len(real), 1))),
        doubt_rank=rank_correlation(doubt, size),
        doubt_error=calibration_error(doubt, size),
        doubt_groups=doubt_groups(doubt, size),
        horizons=horizons,
        by_number=tuple(shares(guess[0][first], found[0][first], before[0][first]).tolist()) if decoded else (),
        return_steps=horizons[longest],
        imagined_return=_mean(arrays["returns"][longest][whole[longest]]),
        real_return=_mean(arrays["real_returns"][longest][whole[longest]]),
    )


def unexplained(guess: np.ndarray, found: np.ndarray, before: np.ndarray) -> float:
    """Mean over dimensions of squared error / variance of the change, over rows [R, width]; dimensions that
    never change do not count."""
    each = shares(guess, found, before)
    return float(each[~np.isnan(each)].mean()) if not np.isnan(each).all() else float("nan")


def shares(guess: np.ndarray, found: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Squared error / variance of the change of each dimension, over rows [R, width]; NaN where it never changes."""
    if len(found) < 2:
        return np.full(found.shape[-1], np.nan)
    variance, error = (found - before).var(axis=0), ((guess - found) ** 2).mean(axis=0)
    moving = variance > 1e-9
    return np.where(moving, error / np.where(moving, variance, 1.0), np.nan)


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's, ties sharing their ranks; NaN where one of both does not vary."""
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(_ranks(first), _ranks(second))[0, 1])


def calibration_error(doubt: np.ndarray, error: np.ndarray) -> float:
    """Of rows [R]: the mean gap between doubt and error in `doubt_groups`, as a share of the error of all rows."""
    groups = np.array(doubt_groups(doubt, error))
    return float(np.abs(groups[:, 0] - groups[:, 1]).mean() / np.sqrt(np.mean(error**2))) if groups.size else float("nan")


def doubt_groups(doubt: np.ndarray, error: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Rows [R] sorted by doubt into BINS groups: the root mean square of each group's doubt, and that of its error.

    Doubt is scaled to be as large as the error on the whole. Empty where one of both says nothing.
    """
    if len(doubt) < BINS or not np.any(doubt) or not np.any(error):
        return ()
    scaled = doubt * np.sqrt(np.mean(error**2) / np.mean(doubt**2))
    groups = np.array_split(np.argsort(doubt, kind="stable"), BINS)
    return tuple((float(np.sqrt(np.mean(scaled[group] ** 2))), float(np.sqrt(np.mean(error[group] ** 2)))) for group in groups)


def decisions_a_second(decide: Callable[[], Any], seconds: float = 1.0) -> float:
    """How often `decide` can be called, from its median time over about `seconds`."""
    jax.block_until_ready(decide())
    times: list[float] = []
    while (sum(times) < seconds and len(times) < 1000) or len(times) < 3:
        begin = time.perf_counter()
        jax.block_until_ready(decide())
        times.append(time.perf_counter() - begin)
    return 1.0 / float(np.median(times))


def has_observation(prediction: Prediction) -> bool:
    """True where predictions hold observations."""
    return prediction.observation is not None


def _ranks(values: np.ndarray) -> np.ndarray:
    _, group, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[group]


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _merge(leaf: jax.Array) -> jax.Array:
    """[S, N, ...] -> [S * N, ...]."""
    return leaf.reshape(leaf.shape[0] * leaf.shape[1], *leaf.shape[2:])
