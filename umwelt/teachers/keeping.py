"""A teacher around a teacher: it asks for tasks again that the student is about to lose."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Feedback, Info, capability, keys, part, select, struct
from umwelt.teachers.cube import Cube, Range, cube_of
from umwelt.teachers.outcomes import Of, result_of

LN2 = 0.6931472


@struct
class Kept:
    """What is known of each of K regions. centre, place: float32 [K, D], its middle and its newest task. best, last:
    float32 [K], smoothed results. when: int32 [K], the episode of the newest task. used: int32, regions so far. clock:
    int32, episodes so far. low, high: float32, the range of results. sums: float32 [5], of the regression of losses."""

    centre: jax.Array
    place: jax.Array
    best: jax.Array
    last: jax.Array
    when: jax.Array
    used: jax.Array
    clock: jax.Array
    low: jax.Array
    high: jax.Array
    sums: jax.Array


@struct
class KeepingState:
    """inner: the state of the teacher inside. cube: where tasks lie. kept: what is known of each region."""

    inner: Any
    cube: Cube
    kept: Kept


@part
class Keeping:
    """Ask for a task that is predicted to be lost, with a chance equal to the sum of the losses, else ask the teacher inside.

    Tasks that lie near each other are one region. Its predicted loss is its best result less the last one, which halves
    with time at a rate of the whole space. That rate is the slope of losses over pauses, as in half-life regression. So
    nothing is asked again where nothing is forgotten.

    >>> losses = lost(jnp.array([1.0]), jnp.array([1.0]), jnp.array([300]), rate=1 / 300)
    >>> float(losses[0])
    0.5
    """

    teacher: Any
    """Chooses all other tasks."""
    share: float = 0.5
    """The highest chance of a task that is asked for again."""
    radius: float = 0.1
    """How far from the middle of a region its tasks lie, in the unit cube."""
    regions: int = 128
    """Regions that are kept; once there are so many, tasks elsewhere belong to the nearest one."""
    half_life: float = 5000.0
    """Episodes in which a result is assumed to halve, until pauses say more."""
    smooth: float = 0.2
    """The weight of a new result in the smoothed one."""
    scale: tuple[float, float] | None = None
    """The lowest and highest result; None for the range so far."""
    of: Of = "returns"
    """The result of an episode: its return, or the surprise or doubt of the student's model."""
    within: tuple[Range, ...] = ()
    """(field of the task, lowest, highest) of what varies; empty for all fields of the task space."""

    cites = ("half_life_regression_2016",)

    def init(self, key: jax.Array, task_space: Any, named: dict[str, Any]) -> KeepingState:
        """Know no region yet."""
        self._checked()
        cube, number = cube_of(task_space, named, self.within), self.regions
        low, high = self.scale or (jnp.inf, -jnp.inf)
        kept = Kept(
            centre=jnp.full((number, cube.width), jnp.inf),
            place=jnp.zeros((number, cube.width)),
            best=jnp.zeros(number),
            last=jnp.zeros(number),
            when=jnp.zeros(number, jnp.int32),
            used=jnp.int32(0),
            clock=jnp.int32(0),
            low=jnp.float32(low),
            high=jnp.float32(high),
            sums=jnp.zeros(5),
        )
        return KeepingState(inner=self.teacher.init(key, task_space, named), cube=cube, kept=kept)

    def ask(self, key: jax.Array, state: KeepingState, n: int) -> tuple[KeepingState, Any]:
        """Ask the teacher inside for n tasks, and replace some by tasks that would be lost."""
        asking, choosing, drawing, shaking = keys.split(key, "inner", "choose", "region", "jitter")
        inner, tasks = self.teacher.ask(asking, state.inner, n)
        losses = self.losses(state.kept)
        chance = jnp.minimum(self.share, jnp.sum(losses))
        region = jax.random.categorical(drawing, jnp.log(jnp.maximum(losses, 1e-12)), shape=(n,))
        jitter = jax.random.uniform(shaking, (n, state.cube.width), minval=-0.5, maxval=0.5) * self.radius
        again = state.cube.tasks(state.kept.place[region] + jitter)
        chosen = jax.random.uniform(choosing, (n,)) < chance
        return replace(state, inner=inner), select(chosen, again, tasks)

    def tell(self, key: jax.Array, state: KeepingState, tasks: Any, feedback: Feedback) -> KeepingState:
        """Take in the results of the episodes that have ended, and hand them to the teacher inside."""
        values, rows = result_of(feedback, self.of)

        def heard(kept: Kept, given: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[Kept, None]:
            place, value, ended = given
            return select(ended, self._heard(kept, place, jnp.where(ended, value, 0.0)), kept), None

        kept, _ = jax.lax.scan(heard, state.kept, (state.cube.places(tasks), values, rows))
        return replace(state, inner=self.teacher.tell(key, state.inner, tasks, feedback), kept=kept)

    def reflect(self, key: jax.Array, state: KeepingState) -> tuple[KeepingState, Info]:
        """Let the teacher inside reflect, if it can."""
        reflect = capability(self.teacher, "reflect")
        if reflect is None:
            return state, {}
        inner, info = reflect(key, state.inner)
        return replace(state, inner=inner), info

    def panel(self, named: dict[str, Any]) -> dict[str, Any]:
        """Examine what the teacher inside examines."""
        return self.teacher.panel(named)

    def losses(self, kept: Kept) -> jax.Array:
        """How much of its best result each region is predicted to have lost by now: float32 [K]."""
        unit = jnp.maximum(kept.high - kept.low, 1e-6)
        best, last = (jnp.maximum(each - kept.low, 0.0) / unit for each in (kept.best, kept.last))
        found = lost(best, last, kept.clock - kept.when, rate_of(kept.sums, self.half_life))
        return jnp.where(jnp.arange(self.regions) < kept.used, found, 0.0)

    def _heard(self, kept: Kept, place: jax.Array, value: jax.Array) -> Kept:
        """Take in one result."""
        apart = jnp.sum((kept.centre - place) ** 2, axis=1)
        nearest = jnp.argmin(apart)
        fresh = (apart[nearest] > self.radius**2) & (kept.used < self.regions)
        index = jnp.where(fresh, kept.used, nearest)
        low, high = (kept.low, kept.high) if self.scale else (jnp.minimum(kept.low, value), jnp.maximum(kept.high, value))
        pause = (kept.clock - kept.when[index]).astype(jnp.float32)
        unit = jnp.maximum(high - low, 1e-6)
        before, now = (kept.last[index] - low) / unit, (value - low) / unit
        across, loss = before * pause, before - now
        sums = 0.999 * kept.sums + jnp.array([1.0, across, loss, across**2, across * loss])
        expected = low + (kept.last[index] - low) * 2.0 ** -(rate_of(kept.sums, self.half_life) * pause)
        last = jnp.where(fresh, value, expected + self.smooth * (value - expected))
        best = jnp.where(fresh, value, jnp.maximum(kept.best[index], last))
        return Kept(
            centre=kept.centre.at[index].set(jnp.where(fresh, place, kept.centre[index])),
            place=kept.place.at[index].set(place),
            best=kept.best.at[index].set(best),
            last=kept.last.at[index].set(last),
            when=kept.when.at[index].set(kept.clock),
            used=kept.used + fresh,
            clock=kept.clock + 1,
            low=low,
            high=high,
            sums=jnp.where(fresh, kept.sums, sums),
        )

    def _checked(self) -> None:
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"share={self.share} must lie between 0 and 1")
        if self.radius <= 0.0 or self.regions < 1:
            raise ValueError(f"radius={self.radius}, regions={self.regions}: give a positive radius, and 1 region at least")
        if self.half_life <= 0.0:
            raise ValueError(f"half_life={self.half_life} must be above 0; give a large one where little is forgotten")
        if not 0.0 < self.smooth <= 1.0:
            raise ValueError(f"smooth={self.smooth} must lie above 0, and at 1 at most")


def lost(best: jax.Array, last: jax.Array, pause: jax.Array, rate: Any) -> jax.Array:
    """The predicted loss float32 [K] where `last` halves at `rate` in each episode of a pause."""
    return jnp.maximum(0.0, best - last * 2.0 ** -(rate * pause))


def rate_of(sums: jax.Array, half_life: float) -> jax.Array:
    """Halvings in one episode, float32 []: the slope of losses over last result times pause, never negative.

    sums: float32 [5], of 1, the result times its pause, the loss, and the products of the second with itself and the third.
    The slope that `half_life` stands for counts as ten pauses of a tenth of it.
    """
    number, across, loss, square, product = sums
    seen = jnp.maximum(number, 1.0)
    prior = 10.0 * (0.1 * half_life) ** 2
    slope = product - across * loss / seen + prior * LN2 / half_life
    return jnp.maximum(slope / (jnp.maximum(square - across**2 / seen, 0.0) + prior), 0.0) / LN2
