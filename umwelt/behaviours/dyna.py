"""The agent that practises in imagination: a policy that learns from a memory of what was lived and one of what was dreamed.

"When to trust your model" (MBPO, NeurIPS 2019): dreams are short, begin where life has been, and are
prolonged as the model learns. With a model that eats a stream it is the old Dyna.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import lesson
from umwelt.behaviours.lesson import Learner
from umwelt.behaviours.measured import measured
from umwelt.behaviours.rolling import rolled
from umwelt.core import (
    IMAGINED,
    MID,
    TERMINATED,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    keys,
    lived,
    part,
    spaces,
    static,
    struct,
    zeros_step,
)
from umwelt.core.contracts import Memory, Mode, Model
from umwelt.networks.form import Form, form, vectors

LENGTH = Metric(name="dream_length", unit="imagined steps", meaning="how long dreams are by now")
DREAMED_DOUBT = Metric(name="dream_doubt", unit="standard deviations of what is predicted", meaning="mean doubt in dreams")


@struct
class DynaState:
    """model, learner, memory, dreams: the parts' states; the memories are None in a body for probes.
    belief: [B, ...]. action: [B, ...]. lived: int32 [], decisions remembered."""

    model: Any
    learner: Any
    memory: Any
    dreams: Any
    belief: Any
    action: Any
    lived: jax.Array
    seen: Form = static()
    done: Form = static()


@part
class Dyna:
    """A world model that makes experience, and a policy that learns from it beside what was lived."""

    model: Model
    """The world model; it must tell observations."""
    learner: Learner
    """The policy and how it learns."""
    memory: Memory
    """Where what was lived is kept."""
    dreams: Memory
    """Where what was dreamed is kept; a small one forgets the dreams of an older model."""
    batch: int = 256
    """Transitions of one update of the policy."""
    real: float = 0.05
    """The share of them that was lived."""
    model_batch: int = 0
    """Transitions of one update of a model that replays; 0 leaves it alone, as a model that eats a stream."""
    model_updates: int = 1
    """Updates of the model in one round of learning."""
    updates: int = 1
    """Updates of the policy in one round of learning."""
    starts: int = 64
    """Dreams in one round of learning."""
    horizon: int = 1
    """The longest dream, in imagined steps."""
    begin: int = 0
    """Decisions until which dreams are of one step; from there on they grow."""
    finish: int = 0
    """Decisions from which on dreams are of the full horizon."""
    caution: float = 0.0
    """What a unit of doubt costs in an imagined reward."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the model and the learner declare, and how dreams are."""
        return (*self.model.metrics, *self.learner.metrics, LENGTH, DREAMED_DOUBT)

    def init(self, key: jax.Array, spec: WorldSpec) -> DynaState:
        """Nothing learned, nothing kept."""
        for_model, for_learner = keys.split(key, "model", "learner")
        step, action = zeros_step(spec), spaces.zeros(spec.action, spec.batch)
        model = self.model.init(for_model, spec)
        wide = replace(spec, batch=self.starts)
        dream = lived(zeros_step(wide), spaces.zeros(spec.action, self.starts), zeros_step(wide))
        return DynaState(
            model=model,
            learner=self.learner.init(for_learner, spaces.width(spec.observation), spec.action),
            memory=self.memory.init(lived(step, action, step, surprise=step.reward)),
            dreams=self.dreams.init(dream),
            belief=self.model.start(model, spec.batch),
            action=action,
            lived=jnp.int32(0),
            seen=vectors(spec.observation, self.learner),
            done=form(spec.action),
        )

    def act(self, key: jax.Array, state: DynaState, step: TimeStep, mode: Mode = "explore") -> tuple[DynaState, Any]:
        """The policy's action, or any at all."""
        observing, choosing = keys.split(key, "observe", "choose")
        belief, _ = self.model.observe(observing, state.model, state.belief, state.action, step)
        if mode == "random":
            action = spaces.sample(choosing, state.done.space, step.kind.shape[0])
        else:
            action = self.learner.act(choosing, state.learner, state.seen.flat(step.observation), mode)
        return replace(state, belief=belief, action=action), action

    def remember(self, key: jax.Array, state: DynaState, step: TimeStep, action: Any, next: TimeStep) -> tuple[DynaState, Info]:
        """Measure the surprise, keep the transition, and with a model that eats a stream learn from it."""
        measuring, storing, learning = keys.split(key, "measure", "store", "learn")
        _, info = self.model.observe(measuring, state.model, state.belief, action, next)
        experience = measured(step, action, next, info)
        if self.model.diet == "stream":
            model, learned = self.model.learn(learning, state.model, experience)
            state, info = replace(state, model=model), learned | info
        memory = self.memory.add(storing, state.memory, experience)
        return replace(state, memory=memory, lived=state.lived + step.kind.shape[0]), info

    def learn(self, key: jax.Array, state: DynaState) -> tuple[DynaState, Info]:
        """Teach the model, dream, and teach the policy."""
        modelling, dreaming, keeping, practising = keys.split(key, "model", "dream", "keep", "practise")
        state, info = self._study(modelling, state)
        dream, told = self._dream(dreaming, state)
        state = replace(state, dreams=self._keep(keeping, state.dreams, dream))

        def practise(learner: Any, key: jax.Array) -> tuple[Any, Info]:
            return self.learner.learn(key, learner, self._lesson(key, state))

        learner, learned = jax.lax.scan(practise, state.learner, jax.random.split(practising, self.updates))
        return replace(state, learner=learner), info | told | {name: values[-1] for name, values in learned.items()}

    def embody(self, key: jax.Array, state: DynaState, spec: WorldSpec) -> DynaState:
        """The same knowledge, with a fresh belief for spec.batch rows."""
        belief, action = self.model.start(state.model, spec.batch), spaces.zeros(spec.action, spec.batch)
        return replace(state, memory=None, dreams=None, belief=belief, action=action)

    def imagine(self, key: jax.Array, state: DynaState, actions: Any) -> Prediction:
        """Roll the model from the present belief under actions [H, B, ...]."""
        return rolled(key, self.model, state.model, state.belief, actions)

    def _study(self, key: jax.Array, state: DynaState) -> tuple[DynaState, Info]:
        """The model's own updates from what was lived."""
        if not self.model_batch or self.model.diet == "stream":
            return state, {}

        def update(model: Any, key: jax.Array) -> tuple[Any, Info]:
            sampling, learning = keys.split(key, "sample", "learn")
            return self.model.learn(learning, model, self.memory.sample(sampling, state.memory, (self.model_batch,)))

        model, info = jax.lax.scan(update, state.model, jax.random.split(key, self.model_updates))
        return replace(state, model=model), {name: values[-1] for name, values in info.items()}

    def _dream(self, key: jax.Array, state: DynaState) -> tuple[Experience, Info]:
        """Experience [H, starts] imagined under the policy; what follows an end, or the horizon of the day, is a seam."""
        sampling, opening, rolling = keys.split(key, "sample", "open", "roll")
        from_life = self.memory.sample(sampling, state.memory, (self.starts,))
        step, start = from_life.step, self.model.start(state.model, self.starts)
        belief, _ = self.model.observe(opening, state.model, start, from_life.action, step.opening)
        grown = jnp.clip((state.lived - self.begin) / max(self.finish - self.begin, 1), 0.0, 1.0)
        length = jnp.round(1.0 + grown * (self.horizon - 1))

        def onward(carry: Any, key: jax.Array) -> tuple[Any, Any]:
            belief, step = carry
            acting, imagining, ending = keys.split(key, "act", "imagine", "end")
            action = self.learner.act(acting, state.learner, state.seen.flat(step.observation), "explore")
            belief, prediction = self.model.imagine(imagining, state.model, belief, action)
            goes_on = jax.random.uniform(ending, prediction.continues.shape) < prediction.continues
            kind = jnp.where(step.last | ~goes_on, TERMINATED, MID).astype(jnp.int8)
            reward = prediction.reward - self.caution * prediction.doubt if self.caution else prediction.reward
            after = TimeStep(kind=kind, observation=prediction.observation, reward=reward)
            return (belief, after), (step, action, after, jnp.where(step.last, 0.0, prediction.doubt))

        def awake(carry: Any, key: jax.Array) -> tuple[Any, Any]:
            # nothing is imagined once the dreams of the day are long enough
            forms = jax.eval_shape(onward, carry, key)[1]
            before, *rest = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), forms)
            return carry, (replace(before, kind=jnp.full_like(before.kind, TERMINATED)), *rest)

        def tick(carry: Any, item: tuple[jax.Array, jax.Array]) -> tuple[Any, Any]:
            return jax.lax.cond(item[0] < length, onward, awake, carry, item[1])

        draws = (jnp.arange(self.horizon), jax.random.split(rolling, self.horizon))
        _, (before, action, after, doubt) = jax.lax.scan(tick, (belief, step), draws)
        origin = jnp.full(before.kind.shape, IMAGINED, jnp.int8)
        dream = Experience(step=before, action=action, next=after, origin=origin)
        return dream, {"dream_length": length, "dream_doubt": jnp.sum(doubt) / jnp.maximum(jnp.sum(dream.valid), 1)}

    def _keep(self, key: jax.Array, dreams: Any, dream: Experience) -> Any:
        """Add dreams [H, starts], one imagined step after the other."""

        def add(held: Any, item: tuple[jax.Array, Experience]) -> tuple[Any, None]:
            return self.dreams.add(item[0], held, item[1]), None

        return jax.lax.scan(add, dreams, (jax.random.split(key, self.horizon), dream))[0]

    def _lesson(self, key: jax.Array, state: DynaState) -> lesson.Lesson:
        """A batch of what was lived and what was dreamed."""
        waking, sleeping = keys.split(key, "waking", "sleeping")
        real = min(self.batch - 1, max(1, round(self.batch * self.real)))
        both = [
            self.memory.sample(waking, state.memory, (real,)),
            self.dreams.sample(sleeping, state.dreams, (self.batch - real,)),
        ]
        return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *(lesson.of(state.seen, each) for each in both))
