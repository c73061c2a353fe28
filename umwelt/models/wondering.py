"""Curiosity inside a model: imagination pays a bonus, in `Prediction.bonus`.

The signal reads beliefs as numbers, and learns from the experience that the model learns from. Whatever scores
imagination, a planner, a dreamer or Dyna, weighs the bonus by its `Objective`.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Experience, Info, Metric, Prediction, TimeStep, WorldSpec, is_hosted, keys, part, static, struct
from umwelt.core.contracts import Curiosity, Model
from umwelt.networks import beliefs, bonuses, scale
from umwelt.networks.form import Form, form, numbers
from umwelt.networks.scale import Scale

MODEL_BONUS = Metric(
    name="model_bonus", unit="running deviations", meaning="mean bonus of the transitions that the model learns from"
)


@struct
class WonderingState:
    """inner, curiosity: the parts' states. unit: of the bonus."""

    inner: Any
    curiosity: Any
    unit: Scale
    action_form: Form = static()


@part
class Wondering:
    """A model that says what an imagined transition is worth to curiosity, in running deviations of the bonus.

    >>> from umwelt.curiosity import Distilled
    >>> from umwelt.models.losse import Losse
    >>> from umwelt.worlds import Pendulum

    >>> model, key = Wondering(model=Losse(), curiosity=Distilled()), jax.random.key(0)
    >>> def foresee(key):
    ...     state = model.init(key, Pendulum().spec)
    ...     return model.imagine(key, state, model.start(state, 4), jnp.zeros((4, 1)))[1]
    >>> jax.eval_shape(foresee, key).bonus.shape  # one for each of four rows
    (4,)
    """

    model: Model
    """The world model; its belief is made of arrays [N, ...] of numbers."""
    curiosity: Curiosity
    """What pays the bonus."""

    passes = ("value", "prior", "odds", "imitate", "recall", "compose")
    """Capabilities of the model inside that hold here too."""

    @property
    def inner(self) -> Model:
        """The model inside."""
        return self.model

    @property
    def hosted(self) -> bool:
        """Whether the inner model is plain Python."""
        return is_hosted(self.model)

    @property
    def diet(self) -> str:
        """The inner model's."""
        return self.model.diet

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the inner model and the signal report, and the bonus."""
        return (*self.model.metrics, *self.curiosity.metrics, MODEL_BONUS)

    def project(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Turn the arguments of a capability into those of the model inside."""
        return {**arguments, "state": arguments["state"].inner}

    def init(self, key: jax.Array, spec: WorldSpec) -> WonderingState:
        """Begin both without experience."""
        bonuses.refuse_episodic(self.curiosity, "Wondering")
        inner, action_form = self.model.init(key, spec), form(spec.action)
        width = numbers(self.model.start(inner, 1)).shape[1]
        return WonderingState(
            inner=inner,
            curiosity=self.curiosity.init(keys.fold(key, "curiosity"), width, action_form.width, spec.batch),
            unit=scale.unit(1),
            action_form=action_form,
        )

    def start(self, state: WonderingState, batch: int) -> Any:
        """Start from the inner model's beliefs."""
        return self.model.start(state.inner, batch)

    def observe(self, key: jax.Array, state: WonderingState, belief: Any, action: Any, step: TimeStep) -> tuple[Any, Info]:
        """Filter by the inner model."""
        return self.model.observe(key, state.inner, belief, action, step)

    def imagine(self, key: jax.Array, state: WonderingState, belief: Any, action: Any) -> tuple[Any, Prediction]:
        """Imagine by the inner model, and pay the bonus. Where it is not read, the compiler leaves it out."""
        after, prediction = self.model.imagine(key, state.inner, belief, action)
        now, done = numbers(belief), state.action_form.units(action)
        moment = bonuses.moment(now, done, numbers(after), jnp.zeros(now.shape[0], jnp.float32))
        bonus = self.curiosity.bonus(keys.fold(key, "curiosity"), state.curiosity, moment)
        return after, replace(prediction, bonus=bonuses.in_unit(state.unit, bonus))

    def learn(self, key: jax.Array, state: WonderingState, experience: Experience) -> tuple[WonderingState, Info]:
        """Update the inner model, and the signal on the beliefs that the model had of the same experience."""
        if experience.origin.ndim == 2:
            after, info, _ = self.learn_and_recall(key, state, experience)
            return after, info
        for_model, believing, paying = keys.split(key, "model", "beliefs", "curiosity")
        inner, info = self.model.learn(for_model, state.inner, experience)
        whole = jax.tree.map(lambda leaf: leaf[:, None], experience)
        believed = beliefs.recalled(believing, self.model, state.inner, whole)
        after, reported = self._paid(paying, replace(state, inner=inner), whole, believed)
        return after, info | reported

    def learn_and_recall(self, key: jax.Array, state: WonderingState, experience: Experience) -> tuple[WonderingState, Info, Any]:
        """Learn from experience [N, L], and return the beliefs [L + 1, N] before the update too."""
        for_model, paying = keys.split(key, "model", "curiosity")
        inner, info, believed = beliefs.learned(for_model, self.model, state.inner, experience)
        after, reported = self._paid(paying, replace(state, inner=inner), experience, believed)
        return after, info | reported, believed

    def _paid(self, key: jax.Array, state: WonderingState, experience: Experience, believed: Any) -> tuple[WonderingState, Info]:
        """Teach the signal experience [N, L] of which the model believed [L + 1, N]."""
        bonus_key, learning = keys.split(key, "bonus", "learn")
        before, after = (numbers(_rows(jax.tree.map(cut, believed))) for cut in (lambda leaf: leaf[:-1], lambda leaf: leaf[1:]))
        turned = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), (experience.action, experience.acted, experience.valid))
        action, acted, valid = _rows(turned)
        done = jnp.where(acted[:, None], state.action_form.units(action), 0.0)
        moment = bonuses.moment(before, done, after, valid.astype(jnp.float32))
        raw = jnp.where(valid, self.curiosity.bonus(bonus_key, state.curiosity, moment), 0.0)
        unit = bonuses.update(state.unit, raw, moment.weight)
        curiosity, info = self.curiosity.learn(learning, state.curiosity, moment)
        mean = jnp.sum(bonuses.in_unit(unit, raw)) / jnp.maximum(jnp.sum(valid), 1)
        return replace(state, curiosity=curiosity, unit=unit), {**info, "model_bonus": mean}


def _rows(tree: Any) -> Any:
    """Leaves [L, N, ...] as rows [L * N, ...]."""
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), tree)
