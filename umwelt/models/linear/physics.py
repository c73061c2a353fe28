"""A world model that is linear in features which are given, such as the terms of an equation of motion.

Its weights are those of recursive least squares on everything seen, and its doubt is exact: the deviation that is left
of a prediction whose weights had a unit prior. So a planner that seeks doubt chooses the most informative inputs
for the weights ("FLEX: an adaptive exploration algorithm for nonlinear systems", ICML 2023).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import DOUBT, SURPRISE, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, part, static, struct
from umwelt.networks import scale
from umwelt.networks.form import Form, form, vectors
from umwelt.networks.scale import Scale

UNKNOWN = Metric(
    name="unknown_weights",
    unit="weights",
    meaning="trace of the covariance of the weights over that of their prior: all of them at first, 0 when all are known",
    better="down",
)


@struct
class LinearState:
    """weights: float32 [K, T], from features to changes. covariance: float32 [K, K], the inverse of the sum of products of
    features and the ridge. targets: scale of the changes."""

    weights: jax.Array
    covariance: jax.Array
    targets: Scale
    observation_form: Form = static()
    action_form: Form = static()


def plain(observation: jax.Array, action: jax.Array) -> jax.Array:
    """Observation [N, F], action [N, A] and a one: float32 [N, F + A + 1]."""
    return jnp.concatenate([observation, action, jnp.ones_like(observation[:, :1])], axis=-1)


@part
class Linear:
    """Changes of the observation, and the reward, as linear functions of given features.

    Its belief is the last observation, flat: float32 [N, width].

    >>> from umwelt.worlds import Pendulum
    >>> model, key = Linear(), jax.random.key(0)
    >>> state = model.init(key, Pendulum().spec)

    >>> ones = jnp.ones((1, 3))
    >>> round(float(model.imagine(key, state, ones, ones[:, :1])[1].doubt[0]), 2)  # of features of size 1
    1.0
    """

    features: Callable[[jax.Array, jax.Array], jax.Array] = plain
    """(observation [N, F], action [N, A], flat) -> [N, K], differentiable, of about unit size."""
    ridge: float = 1e-3
    """Penalty on the weights, fixed for a life."""
    keep: float = 1.0
    """The share of old evidence that is kept with each transition; below 1 it follows a world that drifts."""
    reward: Callable[[Any, Any, Any], jax.Array] | None = None
    """A known reward (observation, action, next_observation) -> [N]; None learns it."""
    continues: Callable[[Any, Any, Any], jax.Array] | None = None
    """A known probability that the episode continues, of the same arguments; None says that it does."""

    cites = ("flex_2023",)
    diet = "stream"
    metrics = (SURPRISE, DOUBT, UNKNOWN)

    def init(self, key: jax.Array, spec: WorldSpec) -> LinearState:
        """Make a model without data: it expects no change, and doubts everything."""
        if self.ridge <= 0 or not 0 < self.keep <= 1:
            raise ValueError(f"ridge={self.ridge}, keep={self.keep}: ridge must be above 0, and keep in (0, 1]")
        observation, action = vectors(spec.observation, self), form(spec.action)
        given = (jax.ShapeDtypeStruct((1, each.width), jnp.float32) for each in (observation, action))
        number = jax.eval_shape(self.features, *given).shape[1]
        targets = observation.width + (self.reward is None)
        return LinearState(
            weights=jnp.zeros((number, targets), jnp.float32),
            covariance=jnp.eye(number, dtype=jnp.float32) / self.ridge,
            targets=scale.unit(targets),
            observation_form=observation,
            action_form=action,
        )

    def start(self, state: LinearState, batch: int) -> jax.Array:
        """Take the nearest observation to zeros: [batch, width]."""
        observation = state.observation_form
        return observation.flat(observation.value(jnp.zeros((batch, observation.width), jnp.float32)))

    def observe(
        self, key: jax.Array, state: LinearState, belief: jax.Array, action: Any, step: TimeStep
    ) -> tuple[jax.Array, Info]:
        """Take over the observation. Surprise is the error in deviations of the changes, root mean square."""
        flat = state.observation_form.flat(step.observation)
        rows = self._rows(state, belief, action)
        missed = (self._targets(flat - belief, step) - rows @ state.weights) / state.targets.deviation
        return flat, {
            "surprise": jnp.where(step.first, jnp.nan, jnp.sqrt(jnp.mean(missed**2, axis=-1))),
            "doubt": jnp.where(step.first, jnp.nan, self._doubt(state, rows)),
        }

    def imagine(self, key: jax.Array, state: LinearState, belief: jax.Array, action: Any) -> tuple[jax.Array, Prediction]:
        """Imagine one step. Bounded observations stay in their bounds."""
        rows = self._rows(state, belief, action)
        expected = rows @ state.weights
        width = belief.shape[-1]
        observation = state.observation_form.value(belief + expected[:, :width])
        known = (state.observation_form.value(belief), action, observation)
        reward = expected[:, width] if self.reward is None else self.reward(*known).astype(jnp.float32)
        goes_on = jnp.ones(belief.shape[0], jnp.float32) if self.continues is None else self.continues(*known)
        prediction = Prediction(
            observation=observation, reward=reward, continues=goes_on.astype(jnp.float32), doubt=self._doubt(state, rows)
        )
        return state.observation_form.flat(observation), prediction

    def learn(self, key: jax.Array, state: LinearState, experience: Experience) -> tuple[LinearState, Info]:
        """Add experience [B], row after row; rows that are not `acted` change nothing."""
        now, after = (state.observation_form.flat(each.observation) for each in (experience.step, experience.next))
        acted = experience.acted
        rows = jnp.where(acted[:, None], self._rows(state, now, experience.action), 0.0)
        targets = jnp.where(acted[:, None], self._targets(after - now, experience.next), 0.0)
        spread = scale.update(state.targets, targets, acted.astype(jnp.float32), 1e6)

        def add(held: tuple[jax.Array, jax.Array], row: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[Any, None]:
            weights, covariance = held
            features, wanted, learns = row
            along = covariance @ features
            gain = along / (self.keep + features @ along)
            new = weights + jnp.outer(gain, wanted - features @ weights), _even(covariance - jnp.outer(gain, along)) / self.keep
            return jax.tree.map(lambda fresh, old: jnp.where(learns, fresh, old), new, held), None

        (weights, covariance), _ = jax.lax.scan(add, (state.weights, state.covariance), (rows, targets, acted))
        after_all = replace(state, weights=weights, covariance=covariance, targets=spread)
        return after_all, {"unknown_weights": self.ridge * jnp.trace(covariance)}

    def _rows(self, state: LinearState, belief: jax.Array, action: Any) -> jax.Array:
        """The features of belief and action [N]: float32 [N, K]."""
        return self.features(belief, state.action_form.flat(action)).astype(jnp.float32)

    def _targets(self, change: jax.Array, step: TimeStep) -> jax.Array:
        """The change of the observation, and the reward where it is learned: float32 [N, T]."""
        return jnp.concatenate([change, step.reward[:, None].astype(jnp.float32)], -1) if self.reward is None else change

    def _doubt(self, state: LinearState, rows: jax.Array) -> jax.Array:
        """The deviation of a prediction whose weights have a unit prior, over the root of their number: float32 [N]."""
        left = jnp.sum((rows @ state.covariance) * rows, axis=-1)
        return jnp.sqrt(jnp.maximum(self.ridge * left / rows.shape[-1], 1e-20))


def _even(matrix: jax.Array) -> jax.Array:
    """The symmetric part, which rounding would leave."""
    return 0.5 * (matrix + matrix.T)
