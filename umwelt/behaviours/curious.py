"""Curiosity around any agent: what the agent remembers pays a bonus on top of the world's reward.

The bonus is computed once, when a transition is remembered, and is kept with the reward. So it fits counts and episodic
signals, and any agent. An agent can also be shown what the bonus depends on ("Improving intrinsic exploration by
creating stationary objectives", ICLR 2024). Otherwise the reward of one observation changes within an episode, and a
memoryless agent under partial observability walks in circles.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import (
    BROKEN,
    Box,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    capability,
    is_hosted,
    keys,
    part,
    static,
    struct,
)
from umwelt.core.contracts import Agent, Curiosity, Mode
from umwelt.networks import bonuses, scale
from umwelt.networks.form import Form, form, vectors
from umwelt.networks.scale import Scale

BONUS = Metric(name="bonus", unit="reward", meaning="what curiosity added to the reward of the transition")
SEEN, BEFORE = "seen", "before"
"""Leaves of what the inner agent observes: the world's observation, and what the bonus depended on before this step."""


@struct
class Ahead:
    """The signal at the present step, which is not remembered yet. curiosity: its state. now: float32 [B, F], the
    present observation. done: float32 [B, A], the pending action in units."""

    curiosity: Any
    now: jax.Array
    done: jax.Array


@struct
class CuriousState:
    """inner, curiosity: the parts' states. unit: of `sums`. sums: float32 [B], discounted sums of bonuses over time.
    ahead: None where the inner agent is not shown what the bonus depends on."""

    inner: Any
    curiosity: Any
    unit: Scale
    sums: jax.Array
    ahead: Ahead | None
    observation_form: Form = static()
    action_form: Form = static()


@part
class Curious:
    """An agent whose memory holds `scale` x reward + `weight` x bonus.

    A bonus is never negative for the library's signals, so an agent that it pays avoids the end of an episode.
    """

    agent: Agent
    """What acts and learns."""
    curiosity: Curiosity
    """What pays the bonus."""
    weight: float = 1.0
    """What the bonus is multiplied by."""
    scale: float = 1.0
    """What the world's rewards are multiplied by."""
    tells: bool = False
    """Show the inner agent what the bonus depends on, as a leaf `before` of its observation."""
    normalised: bool = True
    """Divide the bonus by the running deviation of its discounted sum over time, so that a weight means the same for
    every signal."""
    discount: float = 0.99
    """Discount of that sum; 0 for the deviation of the bonus itself."""

    @property
    def inner(self) -> Agent | None:
        """The agent inside, for those that look through wrappers; None where it observes more than the world shows."""
        return None if self.tells else self.agent

    @property
    def hosted(self) -> bool:
        """Whether the inner agent is plain Python."""
        return is_hosted(self.agent)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the inner agent and the signal report, and the bonus."""
        return (*self.agent.metrics, *self.curiosity.metrics, BONUS)

    def init(self, key: jax.Array, spec: WorldSpec) -> CuriousState:
        """Begin both without experience."""
        for_agent, for_curiosity = keys.split(key, "agent", "curiosity")
        observation_form, action_form = vectors(spec.observation, self), form(spec.action)
        curiosity = self.curiosity.init(for_curiosity, observation_form.width, action_form.width, spec.batch)
        state = CuriousState(
            inner=None,
            curiosity=curiosity,
            unit=scale.unit(1),
            sums=jnp.zeros(spec.batch, jnp.float32),
            ahead=self._ahead(curiosity, observation_form, action_form, spec.batch),
            observation_form=observation_form,
            action_form=action_form,
        )
        return replace(state, inner=self.agent.init(for_agent, self.shown_spec(state, spec)))

    def see(self, key: jax.Array, state: CuriousState, step: TimeStep) -> tuple[CuriousState, Info]:
        """Filter the step by the inner agent; where it is shown the signal, take the transition into account first."""
        if state.ahead is not None:
            ahead, now = state.ahead, state.observation_form.flat(step.observation)
            weight = (~step.first & (step.kind != BROKEN)).astype(jnp.float32)
            moment = bonuses.moment(ahead.now, ahead.done, now, weight)
            curiosity, _ = self.curiosity.learn(keys.fold(key, "curiosity"), ahead.curiosity, moment)
            ahead = replace(ahead, curiosity=self._begun(curiosity, step.first), now=now)
            state, step = replace(state, ahead=ahead), self._shown(ahead.curiosity, step)
        inner, info = self.agent.see(key, state.inner, step)
        return replace(state, inner=inner), info

    def act(self, key: jax.Array, state: CuriousState, mode: Mode = "explore") -> tuple[CuriousState, Any]:
        """Act as the inner agent does."""
        inner, action = self.agent.act(key, state.inner, mode)
        if state.ahead is not None:
            state = replace(state, ahead=replace(state.ahead, done=state.action_form.units(action)))
        return replace(state, inner=inner), action

    def remember(self, key: jax.Array, state: CuriousState, experience: Experience) -> tuple[CuriousState, Info]:
        """Pay the bonus of experience [B], take it in, and let the inner agent remember both."""
        paying, learning = keys.split(key, "bonus", "curiosity")
        step, next = experience.step, experience.next
        before = self._begun(state.curiosity, step.first)
        moment = self._moment(state, experience)
        weighs = moment.weight > 0
        raw = jnp.where(weighs, self.curiosity.bonus(paying, before, moment), 0.0)
        curiosity, reported = self.curiosity.learn(learning, before, moment)
        after = self._begun(curiosity, next.first)
        sums = jnp.where(weighs, self.discount * state.sums + raw, state.sums)
        unit = bonuses.update(state.unit, sums, moment.weight)
        bonus = self.weight * (bonuses.in_unit(unit, raw) if self.normalised else raw)
        if state.ahead is not None:
            step, next = self._shown(before, step), self._shown(after, next)
            state = replace(state, ahead=replace(state.ahead, curiosity=after))
        to_come = None if experience.to_come is None else self.scale * experience.to_come
        paid = replace(experience, step=step, next=replace(next, reward=self.scale * next.reward + bonus), to_come=to_come)
        inner, info = self.agent.remember(key, state.inner, paid)
        return replace(state, inner=inner, curiosity=after, unit=unit, sums=sums), {**info, **reported, "bonus": bonus}

    def learn(self, key: jax.Array, state: CuriousState) -> tuple[CuriousState, Info]:
        """Learn as the inner agent does."""
        inner, info = self.agent.learn(key, state.inner)
        return replace(state, inner=inner), info

    def embody(self, key: jax.Array, state: CuriousState, spec: WorldSpec) -> CuriousState:
        """The same agent and signal in a new body, in which an episode begins in every row."""
        curiosity = self._begun(state.curiosity, jnp.ones(spec.batch, bool))
        return replace(
            state,
            inner=self.agent.embody(key, state.inner, self.shown_spec(state, spec)),
            curiosity=curiosity,
            sums=jnp.zeros(spec.batch, jnp.float32),
            ahead=self._ahead(curiosity, state.observation_form, state.action_form, spec.batch),
        )

    def imagine(self, key: jax.Array, state: CuriousState, actions: Any) -> Prediction | None:
        """Imagine as the inner agent does; its rewards include the bonus that it remembers."""
        prediction = self.agent.imagine(key, state.inner, actions)
        if prediction is None or state.ahead is None or prediction.observation is None:
            return prediction
        rest = {name: leaf for name, leaf in prediction.observation.items() if name != BEFORE}
        whole = isinstance(state.observation_form.space, dict)
        return replace(prediction, observation=rest if whole else rest[SEEN])

    def shown_spec(self, state: CuriousState, spec: WorldSpec) -> WorldSpec:
        """The spec of the world as the inner agent observes it."""
        if not self.tells:
            return spec
        told = jax.eval_shape(self._told, state.curiosity)
        return replace(spec, observation=_beside(spec.observation, Box(shape=told.shape[1:])))

    def _shown(self, curiosity: Any, step: TimeStep) -> TimeStep:
        """A step [B] with what the bonus depends on beside its observation."""
        return replace(step, observation=_beside(step.observation, self._told(curiosity)))

    def _told(self, curiosity: Any) -> jax.Array:
        """What the bonus depends on: float32 [B, W]."""
        told: Any = capability(self.curiosity, "told", required="tells=True")
        return told(curiosity)

    def _ahead(self, curiosity: Any, observation_form: Form, action_form: Form, batch: int) -> Ahead | None:
        if not self.tells:
            return None
        now, done = (jnp.zeros((batch, each.width), jnp.float32) for each in (observation_form, action_form))
        return Ahead(curiosity=curiosity, now=now, done=done)

    def _begun(self, curiosity: Any, rows: jax.Array) -> Any:
        """The signal's state, where episodes begin in rows bool [B]."""
        begin = capability(self.curiosity, "begin")
        return begin(curiosity, rows) if begin else curiosity

    def _moment(self, state: CuriousState, experience: Experience) -> Any:
        """Experience [B] as numbers; an unknown action is zeros, and rows that are not valid are zeros of weight 0."""
        now, after = (state.observation_form.flat(each.observation) for each in (experience.step, experience.next))
        done = jnp.where(experience.acted[:, None], state.action_form.units(experience.action), 0.0)
        return bonuses.moment(now, done, after, experience.valid.astype(jnp.float32), experience.surprise)


def _beside(observation: Any, before: Any) -> dict[str, Any]:
    """An observation, or its space, with one leaf more."""
    return {**observation, BEFORE: before} if isinstance(observation, dict) else {SEEN: observation, BEFORE: before}
