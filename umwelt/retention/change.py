"""Change detection: tests that watch a number, most often surprise, one value at a time.

    init() -> state
    watch(state, value) -> (state, alarm)

A value and its alarm may be a scalar or have any shape; each entry is then watched by itself, and `init` takes that
shape. A NaN is no value. An alarm resets the test.
"""

from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.core import part, struct


@struct
class PageHinkleyState:
    """count: int32. mean: of all values. up, down: float32, the sums of deviations. least, most: the lowest `up` and
    the highest `down` so far. All of one shape."""

    count: jax.Array
    mean: jax.Array
    up: jax.Array
    down: jax.Array
    least: jax.Array
    most: jax.Array


@part
class PageHinkley:
    """Alarms when the sum of deviations from the mean of all values has come far from its extreme.

    "Continuous inspection schemes" (1954); with the fading sums and the defaults that stream-learning libraries share.

    >>> test, alarms = PageHinkley(threshold=5.0, warm=1), []
    >>> state, watch = test.init(), jax.jit(test.watch)
    >>> for value in (0.0, 0.0, 0.0, 10.0):
    ...     state, alarm = watch(state, jnp.float32(value))
    ...     alarms.append(int(alarm))
    >>> alarms
    [0, 0, 0, 1]
    """

    threshold: float = 50.0
    """How far the sum may come from its extreme, in units of the values."""
    slack: float = 0.005
    """A deviation that is too small to count."""
    fading: float = 0.9999
    """Share of the sums that stays at each value."""
    warm: int = 30
    """Values before the first alarm."""
    direction: Literal["up", "down", "both"] = "up"
    """Which changes alarm."""

    cites = ("continuous_inspection_1954",)

    def init(self, shape: tuple[int, ...] = ()) -> PageHinkleyState:
        """Begin before any value."""
        _known(self.direction)
        begin = {name: jnp.zeros(shape, jnp.float32) for name in ("mean", "up", "down")}
        far = jnp.full(shape, jnp.inf, jnp.float32)
        return PageHinkleyState(count=jnp.zeros(shape, jnp.int32), least=far, most=-far, **begin)

    def watch(self, state: PageHinkleyState, value: jax.Array) -> tuple[PageHinkleyState, jax.Array]:
        """Add a value; also where it alarms, bool."""
        given = ~jnp.isnan(value)
        count = state.count + 1
        mean = state.mean + (value - state.mean) / count
        up = self.fading * state.up + (value - mean - self.slack)
        down = self.fading * state.down + (value - mean + self.slack)
        least, most = jnp.minimum(state.least, up), jnp.maximum(state.most, down)
        rises, falls = up - least > self.threshold, most - down > self.threshold
        alarm = given & (count >= self.warm) & _either(self.direction, rises, falls)
        after = PageHinkleyState(count=count, mean=mean, up=up, down=down, least=least, most=most)
        return _chosen(given, alarm, after, state, self.init(value.shape)), alarm


@struct
class CusumState:
    """count: int32. mean, square: of the first values. high, low: float32, the two sums. All of one shape."""

    count: jax.Array
    mean: jax.Array
    square: jax.Array
    high: jax.Array
    low: jax.Array


@part
class Cusum:
    """Alarms when values have been too high for too long, in deviations of the first `warm` of them.

    With a slack of half a deviation and a threshold of 5, normal values alarm about once in 930. A rise by one deviation
    alarms after about 10.

    >>> test, alarms = Cusum(warm=0), []
    >>> state, watch = test.init(), jax.jit(test.watch)
    >>> for value in (3.0, 3.0, 3.0):  # each adds 2.5 to a sum that may grow to 5
    ...     state, alarm = watch(state, jnp.float32(value))
    ...     alarms.append(int(alarm))
    >>> alarms
    [0, 0, 1]
    """

    threshold: float = 5.0
    """How large a sum may grow, in standard deviations."""
    slack: float = 0.5
    """Half the smallest change worth noticing, in standard deviations."""
    warm: int = 100
    """Values that set the mean and the deviation, before any counts; 0 where they are known: 0 and 1."""
    direction: Literal["up", "down", "both"] = "up"
    """Which changes alarm."""
    floor: float = 1e-6
    """The least deviation, for values that do not vary at first."""

    def init(self, shape: tuple[int, ...] = ()) -> CusumState:
        """Begin before any value."""
        _known(self.direction)
        begin = {name: jnp.zeros(shape, jnp.float32) for name in ("mean", "square", "high", "low")}
        return CusumState(count=jnp.zeros(shape, jnp.int32), **begin)

    def watch(self, state: CusumState, value: jax.Array) -> tuple[CusumState, jax.Array]:
        """Add a value; also where it alarms, bool."""
        given, learning = ~jnp.isnan(value), state.count < self.warm
        count = jnp.minimum(state.count + 1, self.warm + 1)
        # Welford's sums, while learning
        mean = jnp.where(learning, state.mean + (value - state.mean) / count, state.mean)
        square = jnp.where(learning, state.square + (value - state.mean) * (value - mean), state.square)
        deviation = jnp.maximum(jnp.sqrt(square / max(self.warm - 1, 1)), self.floor) if self.warm else 1.0
        apart = (value - mean) / deviation
        high = jnp.where(learning, 0.0, jnp.maximum(0.0, state.high + apart - self.slack))
        low = jnp.where(learning, 0.0, jnp.maximum(0.0, state.low - apart - self.slack))
        alarm = given & ~learning & _either(self.direction, high > self.threshold, low > self.threshold)
        after = CusumState(count=count, mean=mean, square=square, high=high, low=low)
        return _chosen(given, alarm, after, state, self.init(value.shape)), alarm


Test = PageHinkley | Cusum


def _known(direction: str) -> None:
    if direction not in ("up", "down", "both"):
        raise ValueError(f"direction={direction!r}: it is 'up', 'down' or 'both'")


def _either(direction: str, rises: jax.Array, falls: jax.Array) -> jax.Array:
    return rises | falls if direction == "both" else rises if direction == "up" else falls


def _chosen(given: jax.Array, alarm: jax.Array, after: Any, before: Any, fresh: Any) -> Any:
    """Take, entry by entry, the new state, the old one where there was no value, a fresh one after an alarm."""
    return jax.tree.map(
        lambda new, old, begun: jnp.where(alarm, begun, jnp.where(given, new, old)).astype(old.dtype), after, before, fresh
    )
