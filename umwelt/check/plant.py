"""Short lives for the checker of models: in a linear plant that can be learned, or of random values."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.check.base import compiled
from umwelt.core import FIRST, MID, TERMINATED, TRUNCATED, Box, Discrete, Experience, TimeStep, WorldSpec, lived, part, spaces

ROWS = 4
"""How many episodes run in parallel."""
EPISODE = 12
"""Steps until an episode is cut off."""
WIDTH = 3
NOISE = 0.01
BOXES = WorldSpec(
    name="plant pushed by boxes",
    observation=Box(shape=(WIDTH,)),
    action=Box(shape=(2,), low=-1.0, high=1.0),
    task=Box(),
    batch=ROWS,
)
CHOICES = WorldSpec(name="plant pushed by choices", observation=Box(shape=(WIDTH,)), action=Discrete(n=3), task=Box(), batch=ROWS)


@part
class Subject:
    """A model under examination, and the lives that it is examined with, Experience [T, B] in NumPy arrays.

    init, observe, imagine, learn: the model's methods, compiled where it is not hosted.
    length: how long the sequences are that a replay model learns from; None for transitions.
    """

    model: Any
    init: Callable[..., Any]
    observe: Callable[..., Any]
    imagine: Callable[..., Any]
    learn: Callable[..., Any]
    spec: WorldSpec
    key: Any
    life: Experience
    other: Experience
    length: int | None = None

    @property
    def suffix(self) -> str:
        """The end of a rule's name: in which world the model was examined."""
        return f", {self.spec.name}"

    def state(self) -> Any:
        """Make a model without data."""
        return self.init(self.key)

    def moment(self, tick: int) -> Experience:
        """Take experience [B] at one tick of the life."""
        return jax.tree.map(jnp.asarray, self._cut(tick))

    def batch(self, index: int = 0) -> Experience:
        """Make what `learn` reads in one call."""
        return jax.tree.map(lambda leaf: jnp.asarray(leaf[index]), self.batches(index + 1))

    def batches(self, number: int, rows: int = 160) -> Experience:
        """Make what `learn` reads in `number` calls, as NumPy arrays: leaves [number, ...], in the model's diet."""
        if self.model.diet == "stream":
            ticks = np.arange(number) % self.life.origin.shape[0]
            return self._cut(ticks)
        length = self.length or 1
        whole = _whole(np.asarray(self.life.valid), length)
        drawn = whole[np.random.default_rng(0).integers(len(whole), size=(number, -(-rows // length)))]
        ticks = drawn[..., :1] + np.arange(length)
        rows_of = np.broadcast_to(drawn[..., 1:], ticks.shape)
        if self.length is None:
            ticks, rows_of = ticks[..., 0], rows_of[..., 0]
        return self._cut((ticks, rows_of))

    def sequences(self, length: int) -> Experience:
        """Take the first ticks of the life, with its seams, as sequences [B, length]."""
        return jax.tree.map(lambda leaf: jnp.asarray(np.swapaxes(leaf[:length], 0, 1)), self.life)

    def _cut(self, index: Any) -> Experience:
        """Take some of the life. NumPy cuts it, which compiles nothing for each new shape."""
        return jax.tree.map(lambda leaf: leaf[index], self.life)


def subject(
    model: Any, spec: WorldSpec, key: jax.Array, ticks: int, length: int | None, learnable: bool, hosted: bool
) -> Subject:
    """Put a model into two lives of `ticks` steps: of the plant where that is `learnable`, or of random values."""
    live, world = (plant_life if learnable else random_life), spec
    ready: Any = (lambda function: function) if hosted else compiled
    return Subject(
        model=model,
        init=ready(lambda key: model.init(key, world)),
        observe=ready(model.observe),
        imagine=ready(model.imagine),
        learn=ready(model.learn),
        spec=spec,
        key=key,
        life=jax.device_get(live(1, spec, ticks)),
        other=jax.device_get(live(2, spec, ticks)),
        length=length,
    )


def _whole(valid: np.ndarray, length: int) -> np.ndarray:
    """[K, 2]: the ticks and rows at which `length` transitions without a seam begin."""
    starts = np.lib.stride_tricks.sliding_window_view(valid, length, axis=0).all(-1)
    return np.argwhere(starts)


def altered(tree: Any, into: Any, source: Any, shift: int = 0) -> Any:
    """Put the contents of one place of every leaf, shifted, into another. NumPy does it, which compiles nothing, but for
    random keys, which are put as they are."""

    def put(leaf: Any) -> jax.Array:
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return leaf.at[into].set(leaf[source])
        leaf = np.array(leaf)
        leaf[into] = leaf[source] + shift
        return jnp.asarray(leaf)

    return jax.tree.map(put, tree)


def plant_life(seed: int, spec: WorldSpec, ticks: int) -> Experience:
    """Make experience [T, B] of random actions in a rotating, pushed, slightly noisy linear system.

    The change of the observation and the reward are linear in observation and action.
    """
    fixed, random = np.random.default_rng(7), np.random.default_rng(seed)
    turn, _ = np.linalg.qr(fixed.normal(size=(WIDTH, WIDTH)))
    push = fixed.normal(size=(spaces.width(spec.action), WIDTH))
    actions = spaces.sample(jax.random.key(seed), spec.action, ticks, ROWS)
    flat = np.asarray(jax.vmap(lambda action: spaces.features(spec.action, action))(actions))
    now = random.normal(size=(ROWS, WIDTH))
    age, kind = np.arange(ROWS) * 3, np.full(ROWS, FIRST, np.int8)
    steps = [(kind, now, np.zeros(ROWS))]
    for tick in range(ticks):
        after = 0.8 * now @ turn + 0.5 * flat[tick] @ push + NOISE * random.normal(size=now.shape)
        age = age + 1
        ended = kind >= TERMINATED
        kind = np.where(after[:, 0] > 1.8, TERMINATED, np.where(age >= EPISODE, TRUNCATED, MID))
        kind = np.where(ended, FIRST, kind).astype(np.int8)
        age = np.where(ended, 0, age)
        now = np.where(ended[:, None], random.normal(size=now.shape), after)
        steps.append((kind, now, np.where(ended, 0.0, after.sum(1))))
    kinds, seen, rewards = (np.stack(part) for part in zip(*steps, strict=True))
    return _experience(kinds, seen.astype(np.float32), rewards, actions)


def random_life(seed: int, spec: WorldSpec, ticks: int) -> Experience:
    """Make experience [T, B] of random values from the spaces of `spec`, in episodes of several lengths."""
    age = (np.arange(ticks + 1)[:, None] + 3 * np.arange(ROWS)) % (EPISODE + 1)
    ends = np.where(np.arange(ROWS) % 2, TERMINATED, TRUNCATED)
    kinds = np.where(age == 0, FIRST, np.where(age == EPISODE, ends, MID)).astype(np.int8)
    kinds[0] = FIRST
    keys = jax.random.split(jax.random.key(seed), 2)
    rewards = np.random.default_rng(seed).normal(size=kinds.shape) * (kinds != FIRST)
    seen = spaces.sample(keys[0], spec.observation, ticks + 1, ROWS)
    return _experience(kinds, seen, rewards, spaces.sample(keys[1], spec.action, ticks, ROWS))


def _experience(kinds: np.ndarray, seen: Any, rewards: np.ndarray, actions: Any) -> Experience:
    steps = TimeStep(kind=kinds, observation=seen, reward=rewards.astype(np.float32))
    before, after = (jax.tree.map(lambda leaf, cut=cut: jnp.asarray(leaf[cut]), steps) for cut in (slice(-1), slice(1, None)))
    return lived(before, actions, after)
