"""The agent that lives by a policy and learns it in dreams: it imagines, and never acts to practise."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.actor_critic import ActorCritic, Dream
from umwelt.behaviours.memories import empty
from umwelt.behaviours.rolling import rolled
from umwelt.core import (
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
from umwelt.networks.form import Form, form, numbers


@struct
class DreamerState:
    """model, policy, memory (None in a body for probes): the parts' states. belief: leaves [B, ...], of
    the last step acted on. action: [B, ...], the last action."""

    model: Any
    policy: Any
    memory: Any
    belief: Any
    action: Any
    done: Form = static()


@part
class Dreamer:
    """Learns a world model from sequences, and a policy from what the model imagines after them."""

    model: Model
    """The world model."""
    policy: ActorCritic
    """What acts, over the model's beliefs."""
    memory: Memory
    """Where sequences are kept."""
    batch: int = 16
    """Sequences of one update."""
    length: int = 64
    """Transitions of a sequence."""
    horizon: int = 15
    """Imagined steps of a dream."""
    dreams: int = 0
    """Dreams of one update, begun at the last moments of the sequences; 0, or more than there are, begins one at every moment."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the model and the policy declare."""
        return (*self.model.metrics, *self.policy.metrics)

    def init(self, key: jax.Array, spec: WorldSpec) -> DreamerState:
        """Nothing seen, nothing kept, an even policy."""
        for_model, for_policy = keys.split(key, "model", "policy")
        step = zeros_step(spec)
        action = spaces.zeros(spec.action, spec.batch)
        model = self.model.init(for_model, spec)
        belief = self.model.start(model, spec.batch)
        return DreamerState(
            model=model,
            policy=self.policy.init(for_policy, numbers(belief).shape[1], spec.action),
            memory=empty(self.memory, lived(step, action, step, surprise=step.reward), (self.batch, self.length)),
            belief=belief,
            action=action,
            done=form(spec.action),
        )

    def act(self, key: jax.Array, state: DreamerState, step: TimeStep, mode: Mode = "explore") -> tuple[DreamerState, Any]:
        """Filter what is seen, and do what the policy says."""
        observing, choosing = keys.split(key, "observe", "choose")
        belief, _ = self.model.observe(observing, state.model, state.belief, state.action, step)
        if mode == "random":
            action = spaces.sample(choosing, state.done.space, step.kind.shape[0])
        else:
            action = state.policy.acts.action(self.policy.draw(choosing, state.policy, numbers(belief), mode))
        return replace(state, belief=belief, action=action), action

    def remember(
        self, key: jax.Array, state: DreamerState, step: TimeStep, action: Any, next: TimeStep
    ) -> tuple[DreamerState, Info]:
        """Measure the surprise, and keep the transition."""
        measuring, storing = keys.split(key, "measure", "store")
        _, info = self.model.observe(measuring, state.model, state.belief, action, next)
        experience = lived(step, action, next, surprise=info["surprise"])
        return replace(state, memory=self.memory.add(storing, state.memory, experience)), info

    def learn(self, key: jax.Array, state: DreamerState) -> tuple[DreamerState, Info]:
        """One update of the model from memory, and one of the policy from dreams."""
        sampling, learning, recalling, dreaming, practising = keys.split(key, "sample", "learn", "recall", "dream", "practise")
        experience = self.memory.sample(sampling, state.memory, (self.batch, self.length))
        model, info = self.model.learn(learning, state.model, experience)
        belief, weight = self.recall(recalling, model, experience)
        dream = self.dream(dreaming, model, state.policy, belief, weight)
        policy, told = self.policy.learn(practising, state.policy, dream)
        return replace(state, model=model, policy=policy), info | told

    def recall(self, key: jax.Array, model: Any, experience: Experience) -> tuple[Any, jax.Array]:
        """The beliefs [M, ...] from which to dream, of experience [N, L], and their weights [M]."""
        number, length = experience.origin.shape
        turned = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), experience)
        first, action = jax.tree.map(lambda leaf: leaf[0], (turned.step, turned.action))
        opening, _ = self.model.observe(key, model, self.model.start(model, number), action, first.opening)

        def tick(belief: Any, moment: Any) -> tuple[Any, Any]:
            index, action, next = moment
            after, _ = self.model.observe(jax.random.fold_in(key, index), model, belief, action, next)
            return after, after

        _, beliefs = jax.lax.scan(tick, opening, (jnp.arange(length), turned.action, turned.next))
        last = min(length, max(1, self.dreams // number)) if self.dreams else length
        beliefs = jax.tree.map(lambda leaf: leaf[length - last :].reshape(last * number, *leaf.shape[2:]), beliefs)
        # a dream begins where something was lived, an episode's first moment included, but not where one has ended by itself
        lived = (turned.valid | turned.next.first) & jnp.any(turned.valid, axis=0)
        weight = (lived & ~turned.next.terminated)[length - last :].reshape(-1)
        return jax.lax.stop_gradient(beliefs), weight.astype(jnp.float32)

    def dream(self, key: jax.Array, model: Any, policy: Any, belief: Any, weight: jax.Array) -> Dream:
        """Imagine `horizon` steps from beliefs [M] under the policy."""

        def onward(belief: Any, key: jax.Array) -> tuple[Any, Any]:
            choosing, imagining = keys.split(key, "choose", "imagine")
            unit = self.policy.draw(choosing, policy, numbers(belief))
            after, prediction = self.model.imagine(imagining, model, belief, policy.acts.action(unit))
            return after, (numbers(belief), unit, prediction.reward, prediction.continues)

        last, (features, action, reward, goes_on) = jax.lax.scan(onward, belief, jax.random.split(key, self.horizon))
        features = jnp.concatenate([features, numbers(last)[None]])
        return Dream(features=features, action=action, reward=reward, goes_on=goes_on, weight=weight)

    def embody(self, key: jax.Array, state: DreamerState, spec: WorldSpec) -> DreamerState:
        """The same model and policy, with a fresh belief for spec.batch rows."""
        belief, action = self.model.start(state.model, spec.batch), spaces.zeros(spec.action, spec.batch)
        return replace(state, memory=None, belief=belief, action=action)

    def imagine(self, key: jax.Array, state: DreamerState, actions: Any) -> Prediction:
        """Roll the model from the present belief under actions [H, B, ...]."""
        return rolled(key, self.model, state.model, state.belief, actions)
