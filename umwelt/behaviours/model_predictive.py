"""The agent that plans at every step: a world model, a planner and, where the model replays, a memory."""

from dataclasses import replace
from typing import Any

import jax

from umwelt.behaviours.measured import measured
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
from umwelt.core.contracts import Guide, Imagine, Memory, Mode, Model, Objective, Planner, Prior, Value


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
    objective: Objective
    """What the planner maximises in life."""
    examined: Objective
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

    def act(
        self, key: jax.Array, state: ModelPredictiveState, step: TimeStep, mode: Mode = "explore"
    ) -> tuple[ModelPredictiveState, Any]:
        """Filter what is seen, then plan (or draw at random, in the rhythm's first steps)."""
        observing, choosing = keys.split(key, "observe", "choose")
        belief, _ = self.model.observe(observing, state.model, state.belief, state.action, step)
        planner = self.planner.forget(state.planner, step.first)
        if mode == "random":
            action = spaces.sample(choosing, state.action_space, step.kind.shape[0])
        else:
            by = self._examiner() if mode == "exploit" else self.planner
            objective = self.examined if mode == "exploit" else self.objective
            planner, action = by.plan(choosing, planner, belief, *self._mind(state.model, objective))
        return replace(state, planner=planner, belief=belief, action=action), action

    def _examiner(self) -> Planner:
        """The planner as it plans in probes."""
        return replace(self.planner, choose=self.examined_choose) if self.examined_choose else self.planner  # type: ignore[type-var]

    def _mind(self, model: Any, objective: Objective) -> tuple[Imagine, Objective, Value | None, Prior | None]:
        """What the planner is given: imagination, the objective, and where the model has them a value and a policy."""

        def imagine(key: jax.Array, belief: Any, action: Any) -> tuple[Any, Prediction]:
            return self.model.imagine(key, model, belief, action)

        if not hasattr(self.model, "value"):
            return imagine, objective, None, None
        guide: Guide = self.model  # type: ignore[assignment]
        return imagine, objective, lambda belief: guide.value(model, belief), lambda key, belief: guide.prior(key, model, belief)

    def remember(
        self, key: jax.Array, state: ModelPredictiveState, step: TimeStep, action: Any, next: TimeStep
    ) -> tuple[ModelPredictiveState, Info]:
        """Measure the surprise, then store the transition, or learn from it at once."""
        measuring, storing = keys.split(key, "measure", "store")
        _, info = self.model.observe(measuring, state.model, state.belief, action, next)
        experience = measured(step, action, next, info)
        if self.model.diet == "stream":
            model, learned = self.model.learn(storing, state.model, experience)
            return replace(state, model=model), {**learned, **info}
        assert self.memory is not None
        return replace(state, memory=self.memory.add(storing, state.memory, experience)), info

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
