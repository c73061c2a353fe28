"""The agent that practises in imagination: a policy that learns from lived experience and from dreams.

"When to trust your model" (MBPO, NeurIPS 2019): dreams are short, begin at lived observations, and get longer as the
model learns. With a model of the stream diet it is the classic Dyna.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import batch as batches
from umwelt.behaviours.batch import Batch, Learner
from umwelt.behaviours.dreams import Dreaming, Dreams, Rolls
from umwelt.behaviours.masks import admissible, drawn
from umwelt.behaviours.memories import empty, example
from umwelt.behaviours.rolling import rolled
from umwelt.core import (
    LIVED,
    Experience,
    Info,
    Metric,
    Objective,
    Prediction,
    TimeStep,
    WorldSpec,
    is_hosted,
    keys,
    lived,
    part,
    spaces,
    static,
    struct,
    zeros_step,
)
from umwelt.core.contracts import Memory, Mode, Model, Score
from umwelt.networks.form import Form, form, vectors


@struct
class DynaState:
    """model, learner, memory, dreamed: the parts' states; the memories are None in a body for probes.

    belief, observation: leaves [B, ...], of the last step. action: [B, ...], the last action. decisions: int32 [], how
    many lived transitions were remembered.
    """

    model: Any
    learner: Any
    memory: Any
    dreamed: Any
    belief: Any
    observation: Any
    action: Any
    decisions: jax.Array
    observation_form: Form = static()
    action_form: Form = static()


@part
class Dyna:
    """A world model that makes experience, and a policy that learns from both lived experience and dreams."""

    model: Model
    """The world model; it must predict observations."""
    learner: Learner
    """The policy and how it learns."""
    memory: Memory
    """Where lived experience is kept."""
    dreamed: Memory
    """Where dreams are kept; a small one forgets the dreams of an older model."""
    dreams: Dreams = Rolls()
    """How experience is imagined."""
    objective: Score = Objective()
    """What imagined rewards are scored by; `Objective(doubt=-1.0)` takes the model's doubt off them."""
    batch: int = 256
    """Transitions of one update of the policy."""
    real: float = 0.05
    """The share of lived experience among them."""
    model_batch: int = 0
    """Transitions of one update of a model of the replay diet; 0 does not update it here."""
    model_updates: int = 1
    """Updates of the model in one round of learning."""
    updates: int = 1
    """Updates of the policy in one round of learning."""
    starts: int = 64
    """Dreams in one round of learning."""

    cites = ("dyna_1991",)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the model, the learner and the dreams declare."""
        return (*self.model.metrics, *self.learner.metrics, *self.dreams.metrics)

    @property
    def hosted(self) -> bool:
        """True where the model is plain Python."""
        return is_hosted(self.model)

    def init(self, key: jax.Array, spec: WorldSpec) -> DynaState:
        """Begin with an untrained model and learner, and empty memories."""
        for_model, for_learner = keys.split(key, "model", "learner")
        model = self.model.init(for_model, spec)
        wide = replace(spec, batch=self.starts)
        dream = lived(zeros_step(wide), spaces.zeros(spec.action, self.starts), zeros_step(wide))
        return DynaState(
            model=model,
            learner=self.learner.init(for_learner, spaces.width(spec.observation), spec.action),
            memory=empty(self.memory, example(spec), (self.starts,)),
            dreamed=self.dreamed.init(dream),
            belief=self.model.start(model, spec.batch),
            observation=spaces.zeros(spec.observation, spec.batch),
            action=spaces.zeros(spec.action, spec.batch),
            decisions=jnp.int32(0),
            observation_form=vectors(spec.observation, self.learner),
            action_form=form(spec.action),
        )

    def see(self, key: jax.Array, state: DynaState, step: TimeStep) -> tuple[DynaState, Info]:
        """Filter the step."""
        belief, info = self.model.observe(key, state.model, state.belief, state.action, step)
        return replace(state, belief=belief, observation=step.observation), info

    def act(self, key: jax.Array, state: DynaState, mode: Mode = "explore") -> tuple[DynaState, Any]:
        """Choose by the policy, or at random."""
        open = admissible(state.observation_form, state.action_form, state.observation)
        if mode == "random":
            action = drawn(key, state.action_form, jax.tree.leaves(state.action)[0].shape[0], open)
        else:
            action = self.learner.act(key, state.learner, state.observation_form.flat(state.observation), mode, open)
        return replace(state, action=action), action

    def remember(self, key: jax.Array, state: DynaState, experience: Experience) -> tuple[DynaState, Info]:
        """Store the experience, and with a model of the stream diet learn from it."""
        storing, learning = keys.split(key, "store", "learn")
        info: Info = {}
        if self.model.diet == "stream":
            model, info = self.model.learn(learning, state.model, experience)
            state = replace(state, model=model)
        memory = self.memory.add(storing, state.memory, experience)
        decisions = state.decisions + jnp.sum(experience.origin == LIVED, dtype=jnp.int32)
        return replace(state, memory=memory, decisions=decisions), info

    def learn(self, key: jax.Array, state: DynaState) -> tuple[DynaState, Info]:
        """Update the model, dream, and update the policy."""
        modelling, dreaming, keeping, practising = keys.split(key, "model", "dream", "keep", "practise")
        state, info = self._update_model(modelling, state)
        dream, dreamt = self.dream(dreaming, state)
        state = replace(state, dreamed=self._keep(keeping, state.dreamed, dream))

        def practise(learner: Any, key: jax.Array) -> tuple[Any, Info]:
            return self.learner.learn(key, learner, self._batch(key, state))

        learner, learned = jax.lax.scan(practise, state.learner, jax.random.split(practising, self.updates))
        return replace(state, learner=learner), info | dreamt | {name: values[-1] for name, values in learned.items()}

    def dream(self, key: jax.Array, state: DynaState) -> tuple[Experience, Info]:
        """Dream from `starts` observations of the memory: Experience [H, starts]."""
        dreaming = Dreaming(
            model=self.model,
            model_state=state.model,
            learner=self.learner,
            learner_state=state.learner,
            experience=self.memory.sample(keys.fold(key, "sample"), state.memory, (self.starts,)),
            decisions=state.decisions,
            objective=self.objective,
            forms=(state.observation_form, state.action_form),
        )
        return self.dreams.dream(key, dreaming)

    def embody(self, key: jax.Array, state: DynaState, spec: WorldSpec) -> DynaState:
        """Put the same model and policy into spec.batch rows, with a fresh belief and no memory."""
        return replace(
            state,
            memory=None,
            dreamed=None,
            belief=self.model.start(state.model, spec.batch),
            observation=spaces.zeros(spec.observation, spec.batch),
            action=spaces.zeros(spec.action, spec.batch),
        )

    def imagine(self, key: jax.Array, state: DynaState, actions: Any) -> Prediction:
        """Roll the model from the present belief under actions [H, B, ...]."""
        return rolled(key, self.model, state.model, state.belief, actions)

    def _update_model(self, key: jax.Array, state: DynaState) -> tuple[DynaState, Info]:
        """Update a model of the replay diet from memory."""
        if not self.model_batch or self.model.diet == "stream":
            return state, {}

        def update(model: Any, key: jax.Array) -> tuple[Any, Info]:
            sampling, learning = keys.split(key, "sample", "learn")
            return self.model.learn(learning, model, self.memory.sample(sampling, state.memory, (self.model_batch,)))

        model, info = jax.lax.scan(update, state.model, jax.random.split(key, self.model_updates))
        return replace(state, model=model), {name: values[-1] for name, values in info.items()}

    def _keep(self, key: jax.Array, dreamed: Any, dream: Experience) -> Any:
        """Add dreams [H, starts], one imagined step after the other."""

        def add(held: Any, item: tuple[jax.Array, Experience]) -> tuple[Any, None]:
            return self.dreamed.add(item[0], held, item[1]), None

        return jax.lax.scan(add, dreamed, (jax.random.split(key, dream.origin.shape[0]), dream))[0]

    def _batch(self, key: jax.Array, state: DynaState) -> Batch:
        """Sample a batch of lived experience and of dreams."""
        waking, sleeping = keys.split(key, "waking", "sleeping")
        real = min(self.batch - 1, max(1, round(self.batch * self.real)))
        both = (
            self.memory.sample(waking, state.memory, (real,)),
            self.dreamed.sample(sleeping, state.dreamed, (self.batch - real,)),
        )
        made = [batches.of(state.observation_form, state.action_form, each) for each in both]
        return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *made)
