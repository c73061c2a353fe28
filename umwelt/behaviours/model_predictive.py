"""The agent that plans at every step: a world model, a planner and, where the model replays, a memory."""

from dataclasses import replace
from typing import Any

import jax

from umwelt.behaviours.memories import empty
from umwelt.behaviours.rolling import rolled
from umwelt.core import (
    Experience,
    Info,
    Metric,
    Objective,
    Prediction,
    TimeStep,
    WorldSpec,
    capability,
    keys,
    lived,
    part,
    spaces,
    static,
    struct,
    zeros_step,
)
from umwelt.core.contracts import Memory, Mode, Model, Planner, Prospect, Score


@struct
class ModelPredictiveState:
    """model, memory (None where the diet is stream), planner: the parts' states.

    belief: leaves [B, ...], of the last step acted on. action: [B, ...], the last action.
    """

    model: Any
    memory: Any
    planner: Any
    belief: Any
    action: Any
    action_space: Any = static()


@part
class ModelPredictive:
    """Acts by planning in a learned model at every step (model-predictive control)."""

    model: Model
    """The world model."""
    planner: Planner
    """Chooses actions by imagining."""
    memory: Memory | None = None
    """Where experience is kept; needed by a model whose diet is `replay`."""
    objective: Score = Objective()
    """What the planner maximises in life."""
    examined: Score = Objective()
    """What the planner maximises in a probe."""
    examined_choose: str = ""
    """The planner's `choose` in a probe, where it is another than in life: without noise, say. Empty for the same."""
    batch: int = 256
    """Transitions, or sequences, that one update samples from memory."""
    length: int = 0
    """Transitions of a sequence; 0 samples single transitions."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the model declares."""
        return self.model.metrics

    def init(self, key: jax.Array, spec: WorldSpec) -> ModelPredictiveState:
        """A model that has seen nothing, an empty memory, a fresh warm start."""
        if self.model.diet == "replay" and self.memory is None:
            raise ValueError(f"memory: {type(self.model).__name__} replays, so it needs a memory such as umwelt.memory.Ring()")
        if self.examined_choose and not hasattr(self.planner, "choose"):
            raise ValueError(
                f"examined_choose={self.examined_choose!r}: {type(self.planner).__name__} has no `choose`; leave it out"
            )
        for_model, for_planner = keys.split(key, "model", "planner")
        step = zeros_step(spec)
        action = spaces.zeros(spec.action, spec.batch)
        model = self.model.init(for_model, spec)
        return ModelPredictiveState(
            model=model,
            memory=empty(self.memory, lived(step, action, step, surprise=step.reward), self._drawn)
            if self.model.diet == "replay" and self.memory
            else None,
            planner=self.planner.init(for_planner, spec),
            belief=self.model.start(model, spec.batch),
            action=action,
            action_space=spec.action,
        )

    def see(self, key: jax.Array, state: ModelPredictiveState, step: TimeStep) -> tuple[ModelPredictiveState, Info]:
        """Filter the step; where an episode begins, the planner drops its warm start."""
        belief, info = self.model.observe(key, state.model, state.belief, state.action, step)
        return replace(state, belief=belief, planner=self.planner.forget(state.planner, step.first)), info

    def act(self, key: jax.Array, state: ModelPredictiveState, mode: Mode = "explore") -> tuple[ModelPredictiveState, Any]:
        """Plan, or draw at random in the rhythm's first steps."""
        if mode == "random":
            batch = jax.tree.leaves(state.action)[0].shape[0]
            action = spaces.sample(key, state.action_space, batch)
            return replace(state, action=action), action
        by = self._examiner() if mode == "exploit" else self.planner
        objective = self.examined if mode == "exploit" else self.objective
        planner, action = by.plan(key, state.planner, state.belief, self.prospect(state.model, objective))
        return replace(state, planner=planner, action=action), action

    def _examiner(self) -> Planner:
        """The planner as it plans in probes."""
        return replace(self.planner, choose=self.examined_choose) if self.examined_choose else self.planner  # type: ignore[type-var]

    def prospect(self, model: Any, objective: Score) -> Prospect:
        """What the planner is given: imagination, the objective, and the abilities that the model has."""

        def bound(name: str) -> Any:
            found = capability(self.model, name)
            return found and (lambda *rest: found(*rest[:-1], model, rest[-1]))

        def imagine(key: jax.Array, belief: Any, action: Any) -> tuple[Any, Prediction]:
            return self.model.imagine(key, model, belief, action)

        return Prospect(imagine=imagine, objective=objective, value=bound("value"), prior=bound("prior"), odds=bound("odds"))

    def remember(self, key: jax.Array, state: ModelPredictiveState, experience: Experience) -> tuple[ModelPredictiveState, Info]:
        """Store the experience, or learn from it at once."""
        if self.model.diet == "stream":
            model, info = self.model.learn(key, state.model, experience)
            return replace(state, model=model), info
        assert self.memory is not None
        return replace(state, memory=self.memory.add(key, state.memory, experience)), {}

    def learn(self, key: jax.Array, state: ModelPredictiveState) -> tuple[ModelPredictiveState, Info]:
        """One update from memory; a stream model has already learned all there is."""
        if self.model.diet == "stream" or self.memory is None:
            return state, {}
        sampling, learning = keys.split(key, "sample", "learn")
        experience = self._recalled(sampling, state)
        model, info = self.model.learn(learning, state.model, experience)
        return replace(state, model=model), info

    def _recalled(self, key: jax.Array, state: ModelPredictiveState) -> Experience:
        """What one update learns from: transitions [batch], or sequences [batch, length]."""
        assert self.memory is not None
        return self.memory.sample(key, state.memory, self._drawn)

    @property
    def _drawn(self) -> tuple[int, ...]:
        return (self.batch, self.length) if self.length else (self.batch,)

    def embody(self, key: jax.Array, state: ModelPredictiveState, spec: WorldSpec) -> ModelPredictiveState:
        """The same model, with a fresh belief and warm start for spec.batch rows."""
        return replace(
            state,
            memory=None,
            planner=self.planner.init(key, spec),
            belief=self.model.start(state.model, spec.batch),
            action=spaces.zeros(spec.action, spec.batch),
        )

    def imagine(self, key: jax.Array, state: ModelPredictiveState, actions: Any) -> Prediction:
        """Roll the model from the present belief under actions [H, B, ...]."""
        return rolled(key, self.model, state.model, state.belief, actions)
