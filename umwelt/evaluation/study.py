"""Study a model on data, without a life: teach it what was recorded, and ask how far it then foresees.

Everything is pure, so one compiled program serves many seeds (`jax.vmap`). Data are experience [T, B]: T transitions of B
rows, in the order in which they came. Errors are shares of what there was to explain: 0 is perfect, and 1 is as good as
always guessing the mean.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Experience, Prediction, keys, spaces, struct
from umwelt.core.contracts import Model
from umwelt.evaluation.knowledge import roll
from umwelt.networks import beliefs
from umwelt.networks.form import numbers

Draw = Callable[[jax.Array, jax.Array], Experience]
"""(key, number of the update int32) -> experience [N] or [N, L] for one update."""


@struct
class OpenLoop:
    """How far a model foresees.

    error: float32 [H], the unexplained share of the change of the observation, or of the belief where the model has no
    decoder. reward_error: float32 [H], that of the reward of the last step of each horizon. doubt_rank: float32, the rank
    correlation of the first step's doubt with its error.
    """

    error: jax.Array
    reward_error: jax.Array
    doubt_rank: jax.Array


def study(key: jax.Array, model: Model, state: Any, data: Experience, updates: int, batch: int, length: int = 0) -> Any:
    """Teach a model from data [T, B], and return its state.

    A model that replays makes `updates` updates, each from `batch` draws of `drawn`. One that reads a stream reads all data
    once, in order, and the three numbers do not count.
    """
    if model.diet == "stream":
        return read(key, model, state, data)
    return practise(key, model, state, lambda draw, _: drawn(draw, data, batch, length), updates)


def practise(key: jax.Array, model: Model, state: Any, draw: Draw, updates: int) -> Any:
    """Make updates, each from what `draw` returns."""

    def update(state: Any, index: jax.Array) -> tuple[Any, None]:
        drawing, learning = keys.split(jax.random.fold_in(key, index), "draw", "learn")
        return model.learn(learning, state, draw(drawing, index))[0], None

    return jax.lax.scan(update, state, jnp.arange(updates))[0]


def read(key: jax.Array, model: Model, state: Any, data: Experience) -> Any:
    """Learn from each of T moments of data [T, B] once, in order."""

    def update(state: Any, moment: tuple[jax.Array, Experience]) -> tuple[Any, None]:
        return model.learn(moment[0], state, moment[1])[0], None

    return jax.lax.scan(update, state, (jax.random.split(key, data.origin.shape[0]), data))[0]


def drawn(key: jax.Array, data: Experience, batch: int, length: int = 0) -> Experience:
    """Draw evenly from data [T, B]: transitions [batch], or with a length sequences [batch, length] of one row each.

    A sequence may hold seams, as those of a memory that goes across episodes do.
    """
    moments, rows = data.origin.shape
    if not 0 <= length <= moments:
        raise ValueError(f"length={length}: the data have {moments} moments in order")
    for_time, for_row = keys.split(key, "time", "row")
    time = jax.random.randint(for_time, (batch,), 0, moments - max(length, 1) + 1)
    row = jax.random.randint(for_row, (batch,), 0, rows)
    if length:
        time, row = time[:, None] + jnp.arange(length), row[:, None]
    return jax.tree.map(lambda leaf: leaf[time, row], data)


def windows(data: Experience, length: int) -> Experience:
    """Cut data [T, B] into stretches that do not overlap: sequences [N, length]. What is left at the end is dropped."""
    number, rows = data.origin.shape[0] // length, data.origin.shape[1]

    def cut(leaf: jax.Array) -> jax.Array:
        stretches = leaf[: number * length].reshape(number, length, *leaf.shape[1:])
        return jnp.swapaxes(stretches, 1, 2).reshape(number * rows, length, *leaf.shape[2:])

    return jax.tree.map(cut, data)


def open_loop(
    key: jax.Array,
    model: Model,
    state: Any,
    space: Any,
    experience: Experience,
    context: int = 0,
    horizons: tuple[int, ...] = (1,),
) -> OpenLoop:
    """Observe `context` transitions of experience [N, L], imagine the actions that follow, and compare.

    space: that of the observation. A sequence counts at a horizon where it holds no seam until then.
    """
    number, length = experience.origin.shape
    if context + horizons[-1] > length:
        raise ValueError(f"context={context} and horizons={horizons} need longer sequences than {length}")
    observing, imagining = keys.split(key, "observe", "imagine")
    decoded = _decodes(model, state, experience)
    seen = jax.tree.map(lambda leaf: leaf[:, :context], experience) if decoded else experience
    if decoded and not context:
        first, action = jax.tree.map(lambda leaf: leaf[:, 0], (experience.step, experience.action))
        opening, _ = model.observe(observing, state, model.start(state, number), action, first.opening)
        believed = jax.tree.map(lambda leaf: leaf[None], opening)
    else:
        believed = beliefs.recalled(observing, model, state, seen)
    begin = jax.tree.map(lambda leaf: leaf[context], believed)
    after = context + jnp.array(horizons)

    def flatten(belief: Any, told: Prediction) -> jax.Array:
        return spaces.features(space, told.observation) if decoded else numbers(belief)

    def taken(ahead: jax.Array) -> Any:
        return jax.tree.map(lambda leaf: leaf[:, context + ahead], experience.action)

    rolled = roll(imagining, model, state, begin, taken, flatten, horizons)
    if decoded:
        before = spaces.features(space, jax.tree.map(lambda leaf: leaf[:, context], experience.step.observation))
        later = jax.tree.map(lambda leaf: jnp.moveaxis(leaf[:, after - 1], 1, 0), experience.next.observation)
        found = jax.vmap(lambda each: spaces.features(space, each))(later)
    else:
        before, found = numbers(begin), jax.vmap(numbers)(jax.tree.map(lambda leaf: leaf[after], believed))
    whole = jnp.cumprod(experience.acted, axis=1).astype(bool)[:, after - 1].T
    rewards = experience.next.reward[:, after - 1].T[..., None]
    guessed = rolled.reward[after - context - 1][..., None]
    share = jax.vmap(unexplained_share, (0, 0, None, 0))
    return OpenLoop(
        error=share(rolled.shown, found, before, whole),
        reward_error=share(guessed, rewards, jnp.zeros((number, 1)), whole),
        doubt_rank=rank_share(rolled.doubt[0], _size(rolled.shown[0], found[0], before, whole[0]), whole[0]),
    )


def unexplained_share(guess: jax.Array, found: jax.Array, before: jax.Array, whole: jax.Array) -> jax.Array:
    """Compute `knowledge.unexplained` of those of the rows [R, width] that are `whole` [R]: float32, for compiled programs."""
    moving, variance = _variance(found, before, whole)
    error = _mean((guess - found) ** 2, whole)
    share = jnp.sum(jnp.where(moving, error / variance, 0.0)) / jnp.maximum(jnp.sum(moving), 1)
    return jnp.where(jnp.any(moving) & (jnp.sum(whole) > 1), share, jnp.nan)


def rank_share(first: jax.Array, second: jax.Array, whole: jax.Array) -> jax.Array:
    """Compute Spearman's rank correlation of two vectors [R] over the rows that are `whole`; NaN where one does not vary."""

    def ranks(values: jax.Array) -> jax.Array:
        below = jnp.sum((values[None] < values[:, None]) & whole, axis=1)
        return below + 0.5 * jnp.sum((values[None] == values[:, None]) & whole, axis=1)

    def centred(values: jax.Array) -> jax.Array:
        ranked = ranks(values).astype(jnp.float32)
        return jnp.where(whole, ranked - jnp.sum(jnp.where(whole, ranked, 0.0)) / jnp.sum(whole), 0.0)

    one, other = centred(first), centred(second)
    return jnp.sum(one * other) / jnp.sqrt(jnp.sum(one**2) * jnp.sum(other**2))


def _size(guess: jax.Array, found: jax.Array, before: jax.Array, whole: jax.Array) -> jax.Array:
    """The size float32 [R] of each row's error, in deviations of the change."""
    moving, variance = _variance(found, before, whole)
    return jnp.sqrt(jnp.mean(jnp.where(moving, (guess - found) ** 2 / variance, 0.0), axis=1))


def _variance(found: jax.Array, before: jax.Array, whole: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Which numbers change, bool [width], and the variance of their change, 1 where they do not."""
    change = found - before
    variance = _mean((change - _mean(change, whole)) ** 2, whole)
    moving = variance > 1e-9
    return moving, jnp.where(moving, variance, 1.0)


def _mean(values: jax.Array, whole: jax.Array) -> jax.Array:
    """The mean [width] of those of the rows [R, width] that are `whole`."""
    return jnp.sum(jnp.where(whole[:, None], values, 0.0), axis=0) / jnp.maximum(jnp.sum(whole), 1)


def _decodes(model: Model, state: Any, experience: Experience) -> bool:
    """True where the model's predictions hold observations."""

    def told(first: Any, action: Any) -> Prediction:
        return model.imagine(jax.random.key(0), state, model.start(state, experience.origin.shape[0]), action)[1]

    moment = jax.tree.map(lambda leaf: leaf[:, 0], (experience.step, experience.action))
    return jax.eval_shape(told, *moment).observation is not None
