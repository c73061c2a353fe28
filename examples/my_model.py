"""A world model of your own in one file: the change of the observation is linear in observation and action.

Recursive least squares: it learns each transition once (diet "stream"), in any order. At any moment it equals
one ridge regression on all the data so far. Run this file to check whether it keeps the contract:

    python examples/my_model.py
"""

from typing import Any

import jax
import jax.numpy as jnp

import umwelt.check
from umwelt.core import DOUBT, SURPRISE, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, part, spaces, static, struct


@struct
class LinearState:
    """weights: float32 [F, width + 1]. inverse: float32 [F, F], of the inputs' ridged second moments.

    error: float32 [width + 1], the sum of squared errors of predictions. count: float32 [].
    """

    weights: jax.Array
    inverse: jax.Array
    error: jax.Array
    count: jax.Array
    action: Any = static()


@part
class Linear:
    """A linear model of a vector world. Its belief is the last observation, [N, width]."""

    ridge: float = 1e-2
    """How strongly the weights are held at 0, where nothing changes."""

    diet = "stream"
    metrics = (SURPRISE, DOUBT, Metric(name="linear_error", unit="observation", meaning="root mean square error so far"))

    def init(self, key: jax.Array, spec: WorldSpec) -> LinearState:
        """A model that has seen nothing; `spec` holds the spaces."""
        observed = spaces.width(spec.observation)
        inputs = observed + spaces.width(spec.action) + 1
        return LinearState(
            weights=jnp.zeros((inputs, observed + 1)),
            inverse=jnp.eye(inputs) / self.ridge,
            error=jnp.zeros(observed + 1),
            count=jnp.zeros(()),
            action=spec.action,
        )

    def start(self, state: LinearState, batch: int) -> jax.Array:
        """The beliefs before any observation."""
        return jnp.zeros((batch, state.weights.shape[1] - 1))

    def observe(
        self, key: jax.Array, state: LinearState, belief: jax.Array, action: Any, step: TimeStep
    ) -> tuple[jax.Array, Info]:
        """The observation is the belief; measure how far the prediction was off."""
        inputs = self._inputs(state, belief, action)
        off = (step.observation - belief - (inputs @ state.weights)[:, :-1]) / self._deviation(state)[:-1]
        surprise = jnp.sqrt(jnp.mean(off**2, -1))
        info = {"surprise": surprise, "doubt": self._doubt(state, inputs)}
        return step.observation, {name: jnp.where(step.first, jnp.nan, value) for name, value in info.items()}

    def imagine(self, key: jax.Array, state: LinearState, belief: jax.Array, action: Any) -> tuple[jax.Array, Prediction]:
        """One imagined step."""
        inputs = self._inputs(state, belief, action)
        expected = inputs @ state.weights
        after = belief + expected[:, :-1]
        return after, Prediction(
            observation=after, reward=expected[:, -1], continues=jnp.ones(len(belief)), doubt=self._doubt(state, inputs)
        )

    def learn(self, key: jax.Array, state: LinearState, experience: Experience) -> tuple[LinearState, Info]:
        """Learn from each row whose action is known, one after another (Sherman-Morrison)."""
        inputs = self._inputs(state, experience.step.observation, experience.action)
        change = experience.next.observation - experience.step.observation
        targets = jnp.concatenate([change, experience.next.reward[:, None]], -1)

        def row(held: LinearState, given: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[LinearState, None]:
            x, y, valid = given
            direction = held.inverse @ x
            gain = valid * direction / (1 + x @ direction)
            miss = y - x @ held.weights
            return LinearState(
                weights=held.weights + jnp.outer(gain, miss),
                inverse=held.inverse - jnp.outer(gain, direction),
                error=held.error + valid * miss**2,
                count=held.count + valid,
                action=held.action,
            ), None

        state, _ = jax.lax.scan(row, state, (inputs, targets, experience.acted.astype(jnp.float32)))
        return state, {"linear_error": jnp.sqrt(jnp.mean(state.error) / jnp.maximum(state.count, 1))}

    def _inputs(self, state: LinearState, observation: jax.Array, action: Any) -> jax.Array:
        """Observation, action and a constant, [N, F]; choices are one-hot."""
        return jnp.concatenate([observation, spaces.features(state.action, action), jnp.ones((len(observation), 1))], -1)

    def _doubt(self, state: LinearState, inputs: jax.Array) -> jax.Array:
        """The standard deviation of a prediction that comes from not knowing the weights, 1 at first."""
        left = jnp.einsum("nf,fg,ng->n", inputs, state.inverse, inputs)
        return jnp.sqrt(jnp.maximum(self.ridge * left / jnp.sum(inputs**2, -1), 0))

    def _deviation(self, state: LinearState) -> jax.Array:
        """How far predictions have been off until now, 1 before there was any."""
        return jnp.where(state.count > 0, jnp.sqrt(state.error / jnp.maximum(state.count, 1)) + 1e-6, 1)


if __name__ == "__main__":
    report = umwelt.check.model(Linear())
    print(report)
    raise SystemExit(0 if report else 1)
