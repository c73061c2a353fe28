"""The agent that learns from what its present policy did, and then forgets it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from umwelt.behaviours.masks import admissible, drawn
from umwelt.core import (
    DOUBT,
    LIVED,
    SURPRISE,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    capability,
    part,
    spaces,
    static,
    struct,
)
from umwelt.core.contracts import Mode
from umwelt.networks import scale
from umwelt.networks.form import Form, form, vectors
from umwelt.networks.scale import Scale

CLIP = 10.0
"""The largest standard feature."""
HORIZON = 1e6
"""Rows over which features are standardised."""


@struct
class Rollout:
    """What the policy did, leaves [T, B, ...]: now, after: standard features. unit: actions in units. log_prob: of those.
    reward: float32, or [T, B, G] of groups of rewards. terminated, last: bool, of what followed. weight: float32, 0
    where nothing is to be learned. open: bool, admissible choices; None where all are. facts: what values read of now and of
    after, where it is not what the policy reads."""

    now: jax.Array
    after: jax.Array
    unit: Any
    log_prob: jax.Array
    reward: jax.Array
    terminated: jax.Array
    last: jax.Array
    weight: jax.Array
    open: Any = None
    facts: tuple[jax.Array, jax.Array] | None = None


def turns(key: jax.Array, number: int, epochs: int, pieces: int) -> jax.Array:
    """Shuffle so many rows for each pass over them, and cut each pass into pieces: int32 [epochs * pieces, size]."""
    size = -(-number // pieces)

    def turn(key: jax.Array) -> jax.Array:
        # a last piece that is short is filled up from the beginning
        return jnp.resize(jax.random.permutation(key, number), (pieces, size))

    return jax.vmap(turn)(jax.random.split(key, epochs)).reshape(-1, size)


class RolloutLearner(Protocol):
    """A policy that learns from its own rollouts.

    Capability: init_for(key, observation, action) -> state, in place of `init`, for an observation `Form` whose parts differ.
    """

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that `learn` reports."""
        ...

    def init(self, key: jax.Array, width: int, action: Any) -> Any:
        """Begin untrained, for `width` features and an action space."""
        ...

    def act(
        self, key: jax.Array, state: Any, features: jax.Array, mode: Mode, open: jax.Array | None = None
    ) -> tuple[Any, Any, jax.Array]:
        """Choose for features [N, F]: the world's actions, those in units, and their log likelihood float32 [N]."""
        ...

    def learn(self, key: jax.Array, state: Any, rollout: Rollout) -> tuple[Any, Info]:
        """Learn from a full rollout."""
        ...


@struct
class OnPolicyState:
    """learner: its state. seen: the scale of features. observation: [B, ...], the last one. unit, log_prob: of the pending
    action; the likelihood is NaN where the policy did not choose it. rollout: leaves [T, B, ...], of features that are not
    standard yet; None in a body for probes. count: int32 [], its moments that are filled."""

    learner: Any
    seen: Scale
    observation: Any
    unit: Any
    log_prob: jax.Array
    rollout: Any
    count: jax.Array
    observation_form: Form = static()
    action_form: Form = static()


@part
class OnPolicy:
    """Acts for `horizon` decisions, learns from them once, and empties its memory.

    Learning is due when the rollout is full; earlier calls of `learn` do nothing, and moments beyond the horizon are not
    kept. So a rhythm with `learn_every=horizon, updates=1` fits, and so does every other.
    """

    learner: RolloutLearner
    """The policy and how it learns, such as `PPO()`."""
    horizon: int = 128
    """Decisions of each row in one rollout."""
    rewards: Callable[[Any, Any, Any], jax.Array] | None = None
    """(observation, action, next observation) of rows [N] -> rewards [N, G] in groups; None takes the world's reward."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the learner declares; surprise and doubt are NaN, for there is no model."""
        return (SURPRISE, DOUBT, *self.learner.metrics)

    def init(self, key: jax.Array, spec: WorldSpec) -> OnPolicyState:
        """Begin with an untrained policy and an empty rollout."""
        if self.horizon < 1:
            raise ValueError(f"horizon={self.horizon}: a rollout has at least one decision")
        observation_form = vectors(spec.observation, self.learner)
        begin = capability(self.learner, "init_for")
        width = observation_form.width
        found = self.learner.init(key, width, spec.action) if begin is None else begin(key, observation_form, spec.action)
        made = jax.eval_shape(lambda state: self.learner.act(key, state, jnp.zeros((spec.batch, width)), "explore"), found)
        unit = jnp.zeros(made[1].shape, made[1].dtype)
        some = jnp.zeros((self.horizon, spec.batch), jnp.float32)
        features = jnp.zeros((self.horizon, spec.batch, width), jnp.float32)
        observation = spaces.zeros(spec.observation, spec.batch)
        open = admissible(observation_form, form(spec.action), observation)
        nothing = (observation, spaces.zeros(spec.action, spec.batch), observation)
        reward = some[0] if self.rewards is None else self.rewards(*nothing)
        rollout = Rollout(
            now=features,
            after=features,
            unit=jnp.zeros((self.horizon, *unit.shape), unit.dtype),
            log_prob=some,
            reward=jnp.zeros((self.horizon, *reward.shape), jnp.float32),
            terminated=some > 0,
            last=some > 0,
            weight=some,
            open=None if open is None else jnp.zeros((self.horizon, *open.shape), bool),
        )
        return OnPolicyState(
            learner=found,
            seen=scale.unit(width),
            observation=observation,
            unit=unit,
            log_prob=jnp.full(spec.batch, jnp.nan, jnp.float32),
            rollout=rollout,
            count=jnp.int32(0),
            observation_form=observation_form,
            action_form=form(spec.action),
        )

    def see(self, key: jax.Array, state: OnPolicyState, step: TimeStep) -> tuple[OnPolicyState, Info]:
        """Keep the observation to act on."""
        nothing = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        return replace(state, observation=step.observation), {"surprise": nothing, "doubt": nothing}

    def act(self, key: jax.Array, state: OnPolicyState, mode: Mode = "explore") -> tuple[OnPolicyState, Any]:
        """Draw from the policy, and keep the likelihood; take its best action in a probe."""
        open = admissible(state.observation_form, state.action_form, state.observation)
        features = self._standard(state.seen, state.observation_form.flat(state.observation))
        action, unit, log_prob = self.learner.act(key, state.learner, features, mode, open)
        if mode == "random":
            action = drawn(key, state.action_form, features.shape[0], open)
            log_prob = jnp.full_like(log_prob, jnp.nan)
        return replace(state, unit=unit, log_prob=log_prob), action

    def remember(self, key: jax.Array, state: OnPolicyState, experience: Experience) -> tuple[OnPolicyState, Info]:
        """Add the moment to the rollout, unless it is full. What others did teaches nothing here."""
        step, next = experience.step, experience.next
        weighs = experience.valid & (experience.origin == LIVED) & jnp.isfinite(state.log_prob)
        paid = next.reward.astype(jnp.float32)
        moment = Rollout(
            now=state.observation_form.flat(step.observation),
            after=state.observation_form.flat(next.observation),
            unit=state.unit,
            log_prob=jnp.where(weighs, state.log_prob, 0.0),
            reward=self.rewards(step.observation, experience.action, next.observation) if self.rewards else paid,
            terminated=next.terminated,
            # a moment that does not count must not carry value across
            last=next.last | ~weighs,
            weight=weighs.astype(jnp.float32),
            open=admissible(state.observation_form, state.action_form, step.observation),
        )
        foreign = jnp.any(experience.origin != LIVED)
        place = jnp.where(foreign, self.horizon, state.count)
        rollout = jax.tree.map(lambda held, new: held.at[place].set(new, mode="drop"), state.rollout, moment)
        count = jnp.where(foreign, state.count, jnp.minimum(state.count + 1, self.horizon))
        return replace(state, rollout=rollout, count=count), {}

    def learn(self, key: jax.Array, state: OnPolicyState) -> tuple[OnPolicyState, Info]:
        """Learn where the rollout is full, and empty it."""
        held = state.rollout
        standard = replace(held, now=self._standard(state.seen, held.now), after=self._standard(state.seen, held.after))
        due = state.count >= self.horizon
        wiped = jax.tree.map(lambda leaf: jnp.where(jnp.isfinite(leaf), leaf, 0) if leaf.dtype.kind == "f" else leaf, standard)
        learner, info = self.learner.learn(key, state.learner, wiped)
        rows = jnp.where(held.weight[..., None] > 0, held.now, 0.0).reshape(-1, held.now.shape[-1])
        seen = scale.update(state.seen, rows, held.weight.reshape(-1), HORIZON)
        after = replace(state, learner=learner, seen=seen, count=jnp.int32(0))
        found = jax.tree.map(lambda new, old: jnp.where(due, new, old), after, state)
        return found, {name: jnp.where(due, value, jnp.nan) for name, value in info.items()}

    def embody(self, key: jax.Array, state: OnPolicyState, spec: WorldSpec) -> OnPolicyState:
        """Put the same policy into spec.batch rows, without a rollout."""
        unit = jnp.zeros((spec.batch, *state.unit.shape[1:]), state.unit.dtype)
        observation = spaces.zeros(spec.observation, spec.batch)
        nothing = jnp.full(spec.batch, jnp.nan, jnp.float32)
        return replace(state, observation=observation, unit=unit, log_prob=nothing, rollout=None)

    def imagine(self, key: jax.Array, state: OnPolicyState, actions: Any) -> Prediction | None:
        """Return None: it has no model."""
        return None

    def _standard(self, seen: Scale, features: jax.Array) -> jax.Array:
        return scale.standard(seen, features, CLIP)
