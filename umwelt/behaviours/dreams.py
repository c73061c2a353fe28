"""Ways to dream: how a model and a policy make experience for the policy to learn from."""

from dataclasses import replace
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import Learner
from umwelt.behaviours.masks import admissible
from umwelt.core import IMAGINED, MID, TERMINATED, Experience, Info, Metric, TimeStep, keys, part
from umwelt.core.contracts import Model, Score
from umwelt.networks.form import Form

LENGTH = Metric(name="dream_length", unit="imagined steps", meaning="the present length of dreams")
DREAMED_DOUBT = Metric(name="dream_doubt", unit="standard deviations of what is predicted", meaning="mean doubt in dreams")


@part
class Dreaming:
    """What dreams are made of, as one value. A new need is a new field, never a new argument.

    experience: [starts], where dreams begin; rows that are not `valid` are ignored. decisions: int32 [], how many the agent
    has made. objective: what imagined rewards are scored by. forms: of observation and action.
    """

    model: Model
    model_state: Any
    learner: Learner
    learner_state: Any
    experience: Experience
    decisions: jax.Array
    objective: Score
    forms: tuple[Form, Form]


class Dreams(Protocol):
    """Makes imagined experience from where experience has been."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that `dream` reports."""
        ...

    def dream(self, key: jax.Array, dreaming: Dreaming) -> tuple[Experience, Info]:
        """Dream from experience [starts]: Experience [H, starts], time first, with origin IMAGINED."""
        ...


@part
class Rolls:
    """Short branched dreams: the policy acts in the model, from observations of the memory, for some steps.

    "When to trust your model" (MBPO, NeurIPS 2019).
    """

    horizon: int = 1
    """The longest dream, in imagined steps."""
    begin: int = 0
    """Decisions until which dreams have one step; from there on they grow."""
    finish: int = 0
    """Decisions from which on dreams have the full horizon."""

    metrics = (LENGTH, DREAMED_DOUBT)
    cites = ("mbpo_2019",)

    def dream(self, key: jax.Array, dreaming: Dreaming) -> tuple[Experience, Info]:
        """Imagine experience [H, starts] under the policy. After an end, or the present length, rows are seams."""
        opening, rolling = keys.split(key, "open", "roll")
        model, held, learner, forms = dreaming.model, dreaming.model_state, dreaming.learner, dreaming.forms
        step, rows = dreaming.experience.step, dreaming.experience.origin.shape[0]
        belief, _ = model.observe(opening, held, model.start(held, rows), dreaming.experience.action, step.opening)
        grown = jnp.clip((dreaming.decisions - self.begin) / max(self.finish - self.begin, 1), 0.0, 1.0)
        length = jnp.round(1.0 + grown * (self.horizon - 1))

        def onward(carry: Any, key: jax.Array) -> tuple[Any, Any]:
            belief, step = carry
            acting, imagining, ending = keys.split(key, "act", "imagine", "end")
            open = admissible(*forms, step.observation)
            action = learner.act(acting, dreaming.learner_state, forms[0].flat(step.observation), "explore", open)
            belief, prediction = model.imagine(imagining, held, belief, action)
            continues = jax.random.uniform(ending, prediction.continues.shape) < prediction.continues
            kind = jnp.where(step.last | ~continues, TERMINATED, MID).astype(jnp.int8)
            after = TimeStep(kind=kind, observation=prediction.observation, reward=dreaming.objective(prediction))
            return (belief, after), (step, action, after, jnp.where(step.last, 0.0, prediction.doubt))

        def stopped(carry: Any, key: jax.Array) -> tuple[Any, Any]:
            # nothing is imagined beyond the present length
            shapes = jax.eval_shape(onward, carry, key)[1]
            before, *rest = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
            return carry, (replace(before, kind=jnp.full_like(before.kind, TERMINATED)), *rest)

        def tick(carry: Any, item: tuple[jax.Array, jax.Array]) -> tuple[Any, Any]:
            return jax.lax.cond(item[0] < length, onward, stopped, carry, item[1])

        draws = (jnp.arange(self.horizon), jax.random.split(rolling, self.horizon))
        _, (before, action, after, doubt) = jax.lax.scan(tick, (belief, step), draws)
        origin = jnp.full(before.kind.shape, IMAGINED, jnp.int8)
        dream = Experience(step=before, action=action, next=after, origin=origin)
        return dream, {"dream_length": length, "dream_doubt": jnp.sum(doubt) / jnp.maximum(jnp.sum(dream.valid), 1)}
