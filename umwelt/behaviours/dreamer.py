"""The agent that acts by a policy, and learns it in dreams of a recurrent world model.

With an explorer it has two policies: one that explores, paid for doubt and bonuses, and one that is examined ("Planning to
explore via self-supervised world models", ICML 2020).
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.actor_critic import ActorCritic, Dream
from umwelt.behaviours.masks import admissible, drawn
from umwelt.behaviours.memories import empty, example
from umwelt.behaviours.rolling import rolled
from umwelt.core import (
    Experience,
    Info,
    Metric,
    Objective,
    Prediction,
    TimeStep,
    WorldSpec,
    is_hosted,
    keys,
    part,
    spaces,
    static,
    struct,
)
from umwelt.core.contracts import Memory, Mode, Model, Score
from umwelt.networks.beliefs import learned, usable
from umwelt.networks.form import Form, form, numbers


@struct
class DreamerState:
    """model, policy, explorer (None where there is none), memory (None in a body for probes): the parts' states.

    belief: leaves [B, ...], of the last step. action: [B, ...], the last action. open: bool [B, n], the choices that are
    admissible now; None where all are.
    """

    model: Any
    policy: Any
    explorer: Any
    memory: Any
    belief: Any
    action: Any
    open: Any
    observation_form: Form = static()
    action_form: Form = static()


@part
class Dreamer:
    """Learns a world model from sequences, and a policy from what the model imagines after them."""

    model: Model
    """The world model."""
    policy: ActorCritic
    """Acts, over the model's beliefs; where there is an explorer, in probes only."""
    memory: Memory
    """Where sequences are kept."""
    explorer: ActorCritic | None = None
    """Acts in life, and learns from dreams of its own; None leaves that to `policy`."""
    objective: Score = Objective()
    """What the dreams are scored by of the policy that acts in life."""
    examined: Score = Objective()
    """What the dreams of `policy` are scored by where there is an explorer."""
    batch: int = 16
    """Sequences of one update."""
    length: int = 64
    """Transitions of a sequence."""
    horizon: int = 15
    """Imagined steps of a dream."""
    starts: int = 0
    """Dreams of one update, begun at the last steps of the sequences; 0, or more than there are, begins one at every step."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the model and the policies declare; the explorer's metrics begin with `explorer_`."""
        of_explorer = self.explorer.metrics if self.explorer else ()
        named = tuple(replace(metric, name=f"explorer_{metric.name}") for metric in of_explorer)
        return (*self.model.metrics, *self.policy.metrics, *named)

    @property
    def hosted(self) -> bool:
        """True where the model is plain Python."""
        return is_hosted(self.model)

    def init(self, key: jax.Array, spec: WorldSpec) -> DreamerState:
        """Begin with an untrained model, even policies, and an empty memory."""
        for_model, for_policy, for_explorer = keys.split(key, "model", "policy", "explorer")
        model = self.model.init(for_model, spec)
        belief = self.model.start(model, spec.batch)
        width, forms = numbers(belief).shape[1], (form(spec.observation), form(spec.action))
        return DreamerState(
            model=model,
            policy=self.policy.init(for_policy, width, spec.action),
            explorer=self.explorer.init(for_explorer, width, spec.action) if self.explorer else None,
            memory=empty(self.memory, example(spec), (self.batch, self.length)),
            belief=belief,
            action=spaces.zeros(spec.action, spec.batch),
            open=admissible(*forms, spaces.zeros(spec.observation, spec.batch)),
            observation_form=forms[0],
            action_form=forms[1],
        )

    def see(self, key: jax.Array, state: DreamerState, step: TimeStep) -> tuple[DreamerState, Info]:
        """Filter the step."""
        belief, info = self.model.observe(key, state.model, state.belief, state.action, step)
        open = admissible(state.observation_form, state.action_form, step.observation)
        return replace(state, belief=belief, open=open), info

    def act(self, key: jax.Array, state: DreamerState, mode: Mode = "explore") -> tuple[DreamerState, Any]:
        """Choose by the policy of this mode, or at random."""
        if mode == "random":
            action = drawn(key, state.action_form, jax.tree.leaves(state.action)[0].shape[0], state.open)
            return replace(state, action=action), action
        by, acts = self.policy, state.policy
        if self.explorer and mode == "explore":
            by, acts = self.explorer, state.explorer
        action = acts.acts.action(by.draw(key, acts, numbers(state.belief), mode, state.open))
        return replace(state, action=action), action

    def remember(self, key: jax.Array, state: DreamerState, experience: Experience) -> tuple[DreamerState, Info]:
        """Store the experience."""
        return replace(state, memory=self.memory.add(key, state.memory, experience)), {}

    def learn(self, key: jax.Array, state: DreamerState) -> tuple[DreamerState, Info]:
        """Update the model from memory, and each policy from dreams. The sequences are encoded once."""
        sampling, learning, dreaming, practising, exploring = keys.split(key, "sample", "learn", "dream", "practise", "explore")
        experience = self.memory.sample(sampling, state.memory, (self.batch, self.length))
        model, info, beliefs = learned(learning, self.model, state.model, experience)
        state, begun = replace(state, model=model), self.starting(beliefs, experience)
        open = self.opening(state, experience)
        objective = self.examined if self.explorer else self.objective
        dream = self.dream(dreaming, state, (self.policy, state.policy), (*begun, open), objective)
        policy, found = self.policy.learn(practising, state.policy, dream)
        state, info = replace(state, policy=policy), info | found
        if self.explorer is None:
            return state, info
        dreaming, practising = keys.split(exploring, "dream", "practise")
        dream = self.dream(dreaming, state, (self.explorer, state.explorer), (*begun, open), self.objective)
        explorer, found = self.explorer.learn(practising, state.explorer, dream)
        return replace(state, explorer=explorer), info | {f"explorer_{name}": value for name, value in found.items()}

    def starting(self, beliefs: Any, experience: Experience) -> tuple[Any, jax.Array]:
        """Choose where to dream from: beliefs [M, ...] and their weights [M], of beliefs [L + 1, N, ...] along experience
        [N, L]."""
        number, length = experience.origin.shape
        turned, last = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), experience), self._last(number, length)
        belief = jax.tree.map(lambda leaf: leaf[1 + length - last :].reshape(last * number, *leaf.shape[2:]), beliefs)
        # a dream begins at a step of an episode, its first one included, but not where an episode has terminated
        used = usable(experience).T
        known = (used | turned.next.first) & jnp.any(used, axis=0)
        weight = (known & ~turned.next.terminated)[length - last :].reshape(-1)
        return jax.lax.stop_gradient(belief), weight.astype(jnp.float32)

    def opening(self, state: DreamerState, experience: Experience) -> jax.Array | None:
        """Read which choices are admissible where dreams begin, bool [M, n], from experience [N, L]; None where all are."""
        number, length = experience.origin.shape
        last = self._last(number, length)
        seen = jax.tree.map(
            lambda leaf: jnp.swapaxes(leaf, 0, 1)[length - last :].reshape(last * number, *leaf.shape[2:]),
            experience.next.observation,
        )
        return admissible(state.observation_form, state.action_form, seen)

    def dream(
        self,
        key: jax.Array,
        state: DreamerState,
        policy: tuple[ActorCritic, Any],
        begun: tuple[Any, jax.Array, jax.Array | None],
        objective: Score,
    ) -> Dream:
        """Imagine `horizon` steps under a policy (with its state), scored by an objective.

        begun: beliefs [M], their weights, and the choices that are admissible there. Later ones are read off what the model
        predicts that will be observed.
        """
        (by, acting), (belief, weight, open) = policy, begun

        def onward(carry: Any, key: jax.Array) -> tuple[Any, Any]:
            choosing, imagining = keys.split(key, "choose", "imagine")
            belief, open = carry
            unit = by.draw(choosing, acting, numbers(belief), open=open)
            after, prediction = self.model.imagine(imagining, state.model, belief, acting.acts.action(unit))
            found = (numbers(belief), unit, objective(prediction), prediction.continues, open)
            return (after, self._foreseen(state, prediction, open)), found

        draws = jax.random.split(key, self.horizon)
        (last, _), (features, action, reward, continues, opened) = jax.lax.scan(onward, (belief, open), draws)
        features = jnp.concatenate([features, numbers(last)[None]])
        return Dream(features=features, action=action, reward=reward, continues=continues, weight=weight, open=opened)

    def _foreseen(self, state: DreamerState, prediction: Prediction, open: jax.Array | None) -> jax.Array | None:
        """The choices that are admissible after an imagined step; None where all always are."""
        if open is None:
            return None
        if prediction.observation is None:
            raise ValueError(
                f"model: the world closes choices (the leaf `open` of its observation), and {type(self.model).__name__} predicts"
                " no observation, so dreams would take closed ones; give it a decoder"
            )
        return admissible(state.observation_form, state.action_form, prediction.observation)

    def _last(self, number: int, length: int) -> int:
        """At how many of the last steps of `number` sequences dreams begin."""
        return min(length, max(1, self.starts // number)) if self.starts else length

    def embody(self, key: jax.Array, state: DreamerState, spec: WorldSpec) -> DreamerState:
        """Put the same model and policies into spec.batch rows, with a fresh belief and no memory."""
        return replace(
            state,
            memory=None,
            belief=self.model.start(state.model, spec.batch),
            action=spaces.zeros(spec.action, spec.batch),
            open=admissible(state.observation_form, state.action_form, spaces.zeros(spec.observation, spec.batch)),
        )

    def imagine(self, key: jax.Array, state: DreamerState, actions: Any) -> Prediction:
        """Roll the model from the present belief under actions [H, B, ...]."""
        return rolled(key, self.model, state.model, state.belief, actions)
