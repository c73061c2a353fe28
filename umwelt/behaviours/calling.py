"""An agent whose actions are skills, each of which acts for several decisions: any replay agent becomes a semi-Markov one."""

from dataclasses import replace
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from umwelt.core import (
    TRUNCATED,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    keys,
    part,
    select,
    spaces,
    static,
    struct,
    zeros_step,
)
from umwelt.core.contracts import Agent, Mode
from umwelt.networks.form import Form, vectors


class Skills(Protocol):
    """Short behaviours that have names. No life changes them."""

    @property
    def space(self) -> Any:
        """What names a skill: a Discrete for a library, a Box for latent skills."""
        ...

    def init(self, key: jax.Array, width: int, action: Any) -> Any:
        """Their state, for `width` features and an action space."""
        ...

    def act(self, key: jax.Array, state: Any, skill: Any, features: jax.Array, mode: Mode) -> Any:
        """The actions [B, ...] of skills [B, ...] for features [B, F]."""
        ...


@struct
class CallingState:
    """inner, skills: the parts' states. seen: float32 [B, F]. skill: [B, ...], what is called. age: int32 [B], decisions of
    the call so far. opens: bool [B], a call begins with the next decision. began: TimeStep [B], when the call did that is
    gathered; paid: float32 [B], its discounted rewards so far; gathered: int32 [B], their number."""

    inner: Any
    skills: Any
    seen: jax.Array
    skill: Any
    age: jax.Array
    opens: jax.Array
    began: TimeStep
    paid: jax.Array
    gathered: jax.Array
    observation_form: Form = static()


@part
class Calling:
    """Lets an agent call skills: it decides once every `length` decisions, or where an episode begins.

    What it remembers is one transition for each call, from where the call began to where it ended, with the discounted sum
    of its rewards. Its own discount is that of a whole call.

    >>> from umwelt.behaviours import SAC, ModelFree
    >>> from umwelt.behaviours.latent_skills import LatentSkills
    >>> from umwelt.memory import Ring
    >>> from umwelt.worlds import Pendulum

    >>> agent = Calling(agent=ModelFree(learner=SAC(units=4), memory=Ring(bytes=4000)), skills=LatentSkills(size=3, units=4))
    >>> agent.init(jax.random.key(0), Pendulum().spec).skill.shape
    (1, 3)
    """

    agent: Agent
    """What calls; its action space is that of the skills."""
    skills: Skills
    """What is called."""
    length: int = 4
    """Decisions of a call."""
    discount: float = 0.99
    """Discount of one decision within a call."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the agent reports."""
        return self.agent.metrics

    def init(self, key: jax.Array, spec: WorldSpec) -> CallingState:
        """Begin without a call."""
        if self.length < 1:
            raise ValueError(f"length={self.length}: a call lasts at least 1 decision")
        calling, acting = keys.split(key, "agent", "skills")
        seen = vectors(spec.observation, self)
        return CallingState(
            inner=self.agent.init(calling, self.shown_spec(spec)),
            skills=self.skills.init(acting, seen.width, spec.action),
            observation_form=seen,
            **self._fresh(spec, seen.width),
        )

    def see(self, key: jax.Array, state: CallingState, step: TimeStep) -> tuple[CallingState, Info]:
        """Filter the step; a call is over after its decisions, and where an episode begins."""
        inner, info = self.agent.see(key, state.inner, step)
        age = jnp.where(step.first, 0, state.age + 1)
        opens = step.first | (age >= self.length)
        seen = state.observation_form.flat(step.observation)
        return replace(state, inner=inner, seen=seen, age=jnp.where(opens, 0, age), opens=opens), info

    def act(self, key: jax.Array, state: CallingState, mode: Mode = "explore") -> tuple[CallingState, Any]:
        """Go on with the skill that was called, or call another; then act by it."""
        calling, acting = keys.split(key, "call", "act")
        inner, called = self.agent.act(calling, state.inner, mode)
        skill = select(state.opens, called, state.skill)
        return replace(state, inner=inner, skill=skill), self.skills.act(acting, state.skills, skill, state.seen, mode)

    def skill_space(self, state: CallingState) -> Any:
        """What names a skill."""
        return self.skills.space

    def called(self, key: jax.Array, state: CallingState, skill: Any, seen: Any, mode: Mode) -> Any:
        """Actions [N, ...] of skills [N, ...] at observations [N, ...]."""
        return self.skills.act(key, state.skills, skill, state.observation_form.flat(seen), mode)

    def remember(self, key: jax.Array, state: CallingState, experience: Experience) -> tuple[CallingState, Info]:
        """Add the reward to the call, and remember the call where it is over."""
        new, valid = state.gathered == 0, experience.valid
        began = select(new, experience.step, state.began)
        share = self.discount ** state.gathered.astype(jnp.float32)
        paid = jnp.where(new, 0.0, state.paid) + share * experience.next.reward
        # `see` came before, so `opens` says that the next decision calls a skill again
        over = valid & (state.opens | experience.next.last)
        blank = replace(began, kind=jnp.where(over, began.kind, jnp.int8(TRUNCATED)))
        call = replace(experience, step=blank, action=state.skill, next=replace(experience.next, reward=paid))
        inner, info = self.agent.remember(key, state.inner, call)
        gathered = jnp.where(over | ~valid, 0, state.gathered + 1)
        return replace(state, inner=inner, began=began, paid=paid, gathered=gathered), info

    def learn(self, key: jax.Array, state: CallingState) -> tuple[CallingState, Info]:
        """Update what calls."""
        inner, info = self.agent.learn(key, state.inner)
        return replace(state, inner=inner), info

    def embody(self, key: jax.Array, state: CallingState, spec: WorldSpec) -> CallingState:
        """The same agent and skills in spec.batch rows, without a call."""
        inner = self.agent.embody(key, state.inner, self.shown_spec(spec))
        return replace(state, inner=inner, **self._fresh(spec, state.observation_form.width))

    def imagine(self, key: jax.Array, state: CallingState, actions: Any) -> Prediction | None:
        """Return None: what the agent inside imagines are calls, not decisions."""
        return None

    def shown_spec(self, spec: WorldSpec) -> WorldSpec:
        """The spec as the agent inside sees it."""
        return replace(spec, action=self.skills.space)

    def _fresh(self, spec: WorldSpec, width: int) -> dict[str, Any]:
        """A body [B] without a call."""
        none = jnp.zeros(spec.batch, jnp.int32)
        return {
            "seen": jnp.zeros((spec.batch, width)),
            "skill": spaces.zeros(self.skills.space, spec.batch),
            "age": none,
            "opens": none == 0,
            "began": zeros_step(spec),
            "paid": jnp.zeros(spec.batch),
            "gathered": none,
        }
