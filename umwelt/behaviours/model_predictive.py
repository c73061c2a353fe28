"""The agent that plans at every step: a world model, a planner and, where the model replays, a memory."""

from dataclasses import fields, replace
from typing import Any

import jax

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
    capability,
    is_hosted,
    keys,
    part,
    spaces,
    static,
    struct,
)
from umwelt.core.contracts import Memory, Mode, Model, Planner, Prospect, Score
from umwelt.networks.form import Form, form


@struct
class ModelPredictiveState:
    """model, memory (None where the diet is stream), planner: the parts' states.

    belief: leaves [B, ...], of the last step. action: [B, ...], the last action. open: bool [B, n], the choices that are
    admissible now; None where all are.
    """

    model: Any
    memory: Any
    planner: Any
    belief: Any
    action: Any
    open: Any
    observation_form: Form = static()
    action_form: Form = static()


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
    """The planner's `choose` in a probe, where it differs from that in life: without noise, say. Empty for the same."""
    batch: int = 256
    """Transitions, or sequences, that one update samples from memory."""
    length: int = 0
    """Transitions of a sequence; 0 samples single transitions."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the model declares."""
        return self.model.metrics

    @property
    def replays(self) -> bool:
        """True where the model learns from memory."""
        return self.model.diet == "replay"

    @property
    def hosted(self) -> bool:
        """True where the model is plain Python."""
        return is_hosted(self.model)

    @property
    def examiner(self) -> Planner:
        """The planner as it plans in probes."""
        planner: Any = self.planner
        if not self.examined_choose:
            return planner
        if "choose" not in {field.name for field in fields(planner)}:
            raise ValueError(f"examined_choose={self.examined_choose!r}: {type(planner).__name__} has no `choose`; leave it out")
        return replace(planner, choose=self.examined_choose)

    def init(self, key: jax.Array, spec: WorldSpec) -> ModelPredictiveState:
        """Begin with an untrained model, an empty memory and a fresh warm start."""
        if self.replays and self.memory is None:
            raise ValueError(f"memory: {type(self.model).__name__} replays, so it needs a memory such as umwelt.memory.Ring()")
        for_model, for_planner = keys.split(key, "model", "planner")
        model, forms = self.model.init(for_model, spec), (form(spec.observation), form(spec.action))
        return ModelPredictiveState(
            model=model,
            memory=empty(self.memory, example(spec), self.shape) if self.replays and self.memory else None,
            # both planners have states of one form; a wrong `examined_choose` raises here, not at the first probe
            planner=self.examiner.init(for_planner, spec),
            belief=self.model.start(model, spec.batch),
            action=spaces.zeros(spec.action, spec.batch),
            open=admissible(*forms, spaces.zeros(spec.observation, spec.batch)),
            observation_form=forms[0],
            action_form=forms[1],
        )

    def see(self, key: jax.Array, state: ModelPredictiveState, step: TimeStep) -> tuple[ModelPredictiveState, Info]:
        """Filter the step; where an episode begins, the planner drops its warm start."""
        belief, info = self.model.observe(key, state.model, state.belief, state.action, step)
        open = admissible(state.observation_form, state.action_form, step.observation)
        planner = self.planner.forget(state.planner, step.first)
        return replace(state, belief=belief, planner=planner, open=open), info

    def act(self, key: jax.Array, state: ModelPredictiveState, mode: Mode = "explore") -> tuple[ModelPredictiveState, Any]:
        """Plan, or draw at random."""
        if mode == "random":
            action = drawn(key, state.action_form, jax.tree.leaves(state.action)[0].shape[0], state.open)
            return replace(state, action=action), action
        by, objective = (self.examiner, self.examined) if mode == "exploit" else (self.planner, self.objective)
        prospect = self.prospect(state.model, objective, state.open)
        planner, action = by.plan(key, state.planner, state.belief, prospect)
        return replace(state, planner=planner, action=action), action

    def prospect(self, model: Any, objective: Score, open: Any = None) -> Prospect:
        """Build what the planner is given: imagination, the objective, and the abilities that the model has.

        The model's `value`, `prior`, `odds` and `compose` are bound to its state.
        """

        def imagine(key: jax.Array, belief: Any, action: Any) -> tuple[Any, Prediction]:
            return self.model.imagine(key, model, belief, action)

        of_belief = {name: _bound(self.model, name, model, 0) for name in ("value", "odds")}
        of_key = {name: _bound(self.model, name, model, 1) for name in ("prior", "compose")}
        return Prospect(imagine=imagine, objective=objective, open=open, **of_belief, **of_key)

    def remember(self, key: jax.Array, state: ModelPredictiveState, experience: Experience) -> tuple[ModelPredictiveState, Info]:
        """Store the experience, or with a model of the stream diet learn from it."""
        if not self.replays:
            model, info = self.model.learn(key, state.model, experience)
            return replace(state, model=model), info
        assert self.memory is not None
        return replace(state, memory=self.memory.add(key, state.memory, experience)), {}

    def learn(self, key: jax.Array, state: ModelPredictiveState) -> tuple[ModelPredictiveState, Info]:
        """Update the model once from memory; one of the stream diet has learned already."""
        if not self.replays:
            return state, {}
        sampling, learning = keys.split(key, "sample", "learn")
        model, info = self.model.learn(learning, state.model, self.sampled(sampling, state))
        return replace(state, model=model), info

    def sampled(self, key: jax.Array, state: ModelPredictiveState) -> Experience:
        """Sample what one update learns from: transitions [batch], or sequences [batch, length]."""
        assert self.memory is not None
        return self.memory.sample(key, state.memory, self.shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """The leading shape of what one update samples."""
        return (self.batch, self.length) if self.length else (self.batch,)

    def embody(self, key: jax.Array, state: ModelPredictiveState, spec: WorldSpec) -> ModelPredictiveState:
        """Put the same model into spec.batch rows, with a fresh belief and warm start, and no memory."""
        return replace(
            state,
            memory=None,
            planner=self.planner.init(key, spec),
            belief=self.model.start(state.model, spec.batch),
            action=spaces.zeros(spec.action, spec.batch),
            open=admissible(state.observation_form, state.action_form, spaces.zeros(spec.observation, spec.batch)),
        )

    def imagine(self, key: jax.Array, state: ModelPredictiveState, actions: Any) -> Prediction:
        """Roll the model from the present belief under actions [H, B, ...]."""
        return rolled(key, self.model, state.model, state.belief, actions)


def _bound(model: Model, name: str, state: Any, index: int) -> Any:
    """The model's capability `name` without its argument `state`, which stands at `index`; None where it has none."""
    found = capability(model, name)
    return found and (lambda *rest, **named: found(*rest[:index], state, *rest[index:], **named))
