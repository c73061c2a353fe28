"""Learning progress by mixtures of Gaussians over tasks and results.

"Teacher algorithms for curriculum learning of Deep RL in continuously parameterized environments" (2019) has both
kinds of progress. Asked with `of="surprise"`, the progress is that of the student's model and needs no reward.
"""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.core import Feedback, Info, keys, part, struct
from umwelt.teachers.cube import Cube, Range, cube_of
from umwelt.teachers.em import Gaussians, best_fit, drawn
from umwelt.teachers.outcomes import Of, Outcomes, nearest_change, no_outcomes, rescaled, result_of


@struct
class MixtureState:
    """cube: where tasks lie. outcomes: finished episodes. mixture: of the last fit, over places and progress. weights:
    float32 [K], how much progress each component has made. fitted: int32, episodes at the last fit, 0 before the first."""

    cube: Cube
    outcomes: Outcomes
    mixture: Gaussians
    weights: jax.Array
    fitted: jax.Array


@part
class Mixture:
    """Draw tasks where results change most, as a mixture of Gaussians over the last episodes says.

    ALP-GMM: the progress of an episode is the distance of its result from that of the nearest earlier task. A
    component is drawn by its mean progress. Covar-GMM, `progress="covariance"`: a component is drawn by the covariance
    of time and result in it. Mixtures are fitted between two stretches of a life, from `every` new episodes on.

    >>> from umwelt.core import Box
    >>> teacher = Mixture()
    >>> state = teacher.init(jax.random.key(0), Box(low=0.0, high=1.0), {"first": 0.0})
    >>> round(float(teacher.ask(jax.random.key(0), state, n=2000)[1].mean()), 1)  # even, before the first fit
    0.5
    """

    of: Of = "returns"
    """The result of an episode: its return, or the surprise or doubt of the student's model."""
    progress: Literal["nearest", "covariance"] = "nearest"
    """Absolute distance from the result of the nearest earlier task, or covariance with time."""
    every: int = 250
    """Episodes of a fit, and between two fits; tasks are even before the first."""
    most: int = 10
    """Components of the largest mixture; the Akaike criterion chooses among 2 and more."""
    even: float = 0.2
    """The share of tasks that are drawn evenly."""
    scale: tuple[float, float] | None = None
    """The lowest and highest result; None for the range of those that are kept."""
    slots: int = 20_000
    """Episodes that are kept."""
    within: tuple[Range, ...] = ()
    """(field of the task, lowest, highest) of what varies; empty for all fields of the task space."""

    cites = ("alp_gmm_2019",)

    def init(self, key: jax.Array, task_space: Any, named: dict[str, Any]) -> MixtureState:
        """Look at the task space; nothing is fitted yet."""
        self._checked()
        cube = cube_of(task_space, named, self.within)
        width = cube.width + (1 if self.progress == "nearest" else 2)
        mixture = Gaussians(
            log_weight=jnp.full(self.most, -jnp.inf),
            mean=jnp.full((self.most, width), 0.5),
            spread=jnp.tile(jnp.eye(width), (self.most, 1, 1)),
        )
        return MixtureState(
            cube=cube,
            outcomes=no_outcomes(self.slots, cube.width),
            mixture=mixture,
            weights=jnp.zeros(self.most),
            fitted=jnp.int32(0),
        )

    def ask(self, key: jax.Array, state: MixtureState, n: int) -> tuple[MixtureState, Any]:
        """Draw n tasks: evenly, or each from a component."""
        choosing, evenly, moving = keys.split(key, "even", "place", "component")
        spread = jax.random.uniform(evenly, (n, state.cube.width))
        near = drawn(moving, state.mixture, state.weights, n, state.cube.width)
        any_even = (jax.random.uniform(choosing, (n,)) < self.even) | (state.fitted == 0)
        return state, state.cube.tasks(jnp.where(any_even[:, None], spread, near))

    def tell(self, key: jax.Array, state: MixtureState, tasks: Any, feedback: Feedback) -> MixtureState:
        """Keep the results of the episodes that have ended."""
        values, rows = result_of(feedback, self.of)
        return replace(state, outcomes=state.outcomes.added(state.cube.places(tasks), values, rows))

    def reflect(self, key: jax.Array, state: MixtureState) -> tuple[MixtureState, Info]:
        """Fit new mixtures where enough episodes have ended."""
        due = state.outcomes.count - state.fitted >= self.every
        return jax.lax.cond(due, lambda: self._fitted(key, state), lambda: state), {}

    def panel(self, named: dict[str, Any]) -> dict[str, Any]:
        """Examine all named tasks of the world."""
        return dict(named)

    def _fitted(self, key: jax.Array, state: MixtureState) -> MixtureState:
        """Fit mixtures to the last episodes."""
        outcomes = rescaled(state.outcomes, self.scale)
        places, values, _ = outcomes.newest(self.every)
        if self.progress == "nearest":
            change = nearest_change(outcomes, self.every)[:, None]
        else:
            change = jnp.stack([jnp.arange(self.every) / self.every, values], axis=1)
        mixture = best_fit(key, jnp.concatenate([places, change], axis=1), self.most)
        gained = mixture.mean[:, -1] if self.progress == "nearest" else mixture.spread[:, -2, -1]
        real = jnp.isfinite(mixture.log_weight)
        weights = jnp.where(real, jnp.maximum(gained, 0.0), 0.0)
        weights = jnp.where(jnp.sum(weights) > 0.0, weights, real.astype(weights.dtype))
        return replace(state, mixture=mixture, weights=weights, fitted=state.outcomes.count)

    def _checked(self) -> None:
        if self.of not in ("returns", "surprise", "doubt"):
            raise ValueError(f"of={self.of!r}: Mixture takes 'returns', 'surprise' or 'doubt'")
        if self.progress not in ("nearest", "covariance"):
            raise ValueError(f"progress={self.progress!r}: Mixture takes 'nearest' or 'covariance'")
        if self.most < 2 or self.every < 2 * self.most:
            raise ValueError(f"most={self.most}, every={self.every}: give 2 components at least, and twice as many episodes")
        if self.slots < self.every:
            raise ValueError(f"slots={self.slots} must hold the {self.every} episodes of a fit")
        if not 0.0 <= self.even <= 1.0:
            raise ValueError(f"even={self.even} must be a share from 0 to 1")
        if self.scale is not None and self.scale[1] <= self.scale[0]:
            raise ValueError(f"scale={self.scale} must rise from the lowest to the highest result")
