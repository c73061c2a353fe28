"""Cloning with corrections: invented states beside the demonstrations, with actions that lead back onto them.

"CCIL: continuity-based data augmentation for corrective imitation learning" (2024). A smooth model of the shown
transitions is fitted first. Take a shown step from s to s', and an action near to the shown one. The model says from where
that action leads to s'. Where that place is near to s and the model is smooth there, it becomes a row to clone.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.around import AroundLearner
from umwelt.behaviours.batch import Batch, Learner, mean, wiped
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import layers, policies, scale
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped, where_any
from umwelt.networks.scale import Scale

MODEL_LOSS = Metric(
    name="dynamics_loss",
    unit="variance of a change",
    meaning="mean squared error of the local model, before the update",
    better="down",
)
CORRECTED = Metric(name="corrected", unit="share", meaning="invented rows that are near and smooth enough to be cloned")


@struct
class CorrectiveState:
    """inner: the learner's state. model: [F + A] -> [F], the change in its own deviations. change: the scale of changes [F].
    optimiser: Optax's. lessons: int32 []."""

    inner: Any
    model: Stack
    change: Scale
    optimiser: Any
    lessons: jax.Array
    acts: policies.Policy = static()


@part
class Corrective(AroundLearner):
    """A clone that also learns corrections which a smooth local model invents."""

    learner: Learner
    """What clones, such as `Cloning()`."""
    labels: int = 10
    """Invented states of each shown row."""
    spread: float = 0.1
    """Deviation of an invented action around the shown one, in units."""
    near: float = 0.5
    """The largest distance of an invented state from the shown one; features are best standard ones."""
    slope: float = 2.0
    """The steepest that the model may be where a state is invented (its local Lipschitz constant)."""
    steep: float = 0.1
    """Weight of the slopes above that in the loss of the model."""
    around: float = 0.01
    """Deviation of the neighbours at which slopes are measured."""
    lessons: int = 1000
    """Lessons of the model, before any state is invented."""
    units: int = 64
    """Width of the model's two hidden layers."""
    learning_rate: float = 1e-3
    """Step size of Adam for the model."""

    passes = ("worth", "outputs")
    """Capabilities of the learner inside that hold here too."""
    cites = ("ccil_2024",)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the learner reports, and the model."""
        return (*self.learner.metrics, MODEL_LOSS, CORRECTED)

    def init(self, key: jax.Array, width: int, action: Any) -> CorrectiveState:
        """Begin untrained."""
        for_inner, for_model = keys.split(key, "inner", "model")
        acts = policies.over(action)
        if not isinstance(acts, policies.Gaussian):
            raise ValueError(f"action space {action!r}: Corrective invents actions of a Box; clone choices with Cloning alone")
        model = layers.even(for_model, layers.stack(for_model, (width + acts.size, self.units, self.units, width), normed=False))
        return CorrectiveState(
            inner=self.learner.init(for_inner, width, action),
            model=model,
            change=scale.unit(width),
            optimiser=optimiser(self.learning_rate).init(model),
            lessons=jnp.int32(0),
            acts=acts,
        )

    def act(self, key: jax.Array, state: CorrectiveState, features: jax.Array, mode: Mode, open: Any = None) -> Any:
        """Act as the clone does."""
        return self.learner.act(key, state.inner, features, mode, open)

    def learn(self, key: jax.Array, state: CorrectiveState, batch: Batch) -> tuple[CorrectiveState, Info]:
        """Update the model, invent rows, and clone shown and invented ones alike."""
        batch = wiped(batch)
        around, inventing, cloning = keys.split(key, "around", "invent", "clone")
        unit = state.acts.unit(batch.action)
        change = scale.update(state.change, batch.after - batch.now, batch.weight, float("inf"))
        target = (batch.after - batch.now - change.mean) / change.deviation

        def miss(model: Stack) -> tuple[jax.Array, jax.Array]:
            inputs = jnp.concatenate([batch.now, unit], axis=-1)
            error = mean(jnp.mean((_said(model, inputs) - target) ** 2, axis=-1), batch.weight)
            above = jnp.maximum(self._slope(around, model, inputs) - self.slope, 0.0)
            return error + self.steep * mean(above, batch.weight), error

        (_, error), gradient = jax.value_and_grad(miss, has_aux=True)(state.model)
        model, optimised = stepped(optimiser(self.learning_rate), gradient, state.optimiser, state.model)
        after = replace(state, model=model, change=change, optimiser=optimised, lessons=state.lessons + 1)
        invented = self.invented(inventing, state, batch)
        due = (state.lessons >= self.lessons).astype(jnp.float32)
        number = jnp.maximum(jnp.sum(batch.weight), 1.0)
        # both halves count alike, however many rows were refused
        share = due * number / jnp.maximum(jnp.sum(invented.weight), 1.0)
        both = jax.tree.map(
            lambda one, other: jnp.concatenate([one, other]), _bare(batch), replace(invented, weight=share * invented.weight)
        )
        inner, info = self.learner.learn(cloning, state.inner, both)
        kept = jnp.sum(invented.weight) / (self.labels * number)
        return where_any(batch.weight, replace(after, inner=inner), state), {**info, "dynamics_loss": error, "corrected": kept}

    def invented(self, key: jax.Array, state: CorrectiveState, batch: Batch) -> Batch:
        """Rows [labels * N] from invented states to the shown next ones; those that are refused weigh nothing."""
        drawing, around = keys.split(key, "draw", "around")
        rows = jax.tree.map(lambda leaf: jnp.tile(leaf, (self.labels, *(1,) * (leaf.ndim - 1))), _bare(batch))
        unit = state.acts.unit(rows.action)
        near = jnp.clip(unit + self.spread * jax.random.normal(drawing, unit.shape), -1.0, 1.0)
        inputs = jnp.concatenate([rows.after, near], axis=-1)
        # one step of the backward Euler rule
        before = rows.after - (_said(state.model, inputs) * state.change.deviation + state.change.mean)
        smooth = self._slope(around, state.model, inputs) < self.slope
        close = jnp.linalg.norm(before - rows.now, axis=-1) <= self.near
        return replace(rows, now=before, action=state.acts.action(near), weight=rows.weight * (smooth & close))

    def _slope(self, key: jax.Array, model: Stack, inputs: jax.Array) -> jax.Array:
        """How steep the model is near inputs [N, F + A], by one neighbour of each: float32 [N]."""
        step = self.around * jax.random.normal(key, inputs.shape)
        moved = jnp.linalg.norm(_said(model, inputs + step) - _said(model, inputs), axis=-1)
        return moved / jnp.maximum(jnp.linalg.norm(step, axis=-1), 1e-9)


def _said(model: Stack, inputs: jax.Array) -> jax.Array:
    return layers.apply(model, inputs, jax.nn.relu)


def _bare(batch: Batch) -> Batch:
    """The rows without what only values read."""
    return replace(batch, open=None, open_after=None, said=None, kept=None, shown=None, to_come=None)
