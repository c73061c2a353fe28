"""Control that passes gradually from one agent to another, as from a clone of demonstrations to a planner.

"MoDem-V2: visuo-motor world models for real-world robot manipulation" (2024). There the clone's actions are also ranked by its
critic; here it acts as it learned.
"""

from dataclasses import fields, replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Experience, Info, Metric, Prediction, TimeStep, WorldSpec, is_hosted, keys, part, select, struct
from umwelt.core.contracts import Agent, Mode


@struct
class HandoverState:
    """first, then: the agents'. decisions: int32 [], of a row, so far."""

    first: Any
    then: Any
    decisions: jax.Array

    @property
    def model(self) -> Any:
        """The second agent's model."""
        return self.then.model

    @property
    def belief(self) -> Any:
        """The second agent's beliefs [B]."""
        return self.then.belief


@part
class Handover:
    """Lets one agent act at first and another one in the end; both see, remember and learn all the time.

    In between, each row draws at every decision which of them acts.
    """

    first: Agent
    """Acts at first, such as a clone."""
    then: Agent
    """Acts in the end, such as a planner."""
    begin: int = 0
    """Decisions of a row after which the other one begins to act."""
    finish: int = 10_000
    """Decisions of a row after which it acts alone."""

    cites = ("modem_v2_2024",)

    @property
    def model(self) -> Any:
        """The second agent's model."""
        return self.then.model  # type: ignore[attr-defined]

    @property
    def hosted(self) -> bool:
        """Whether one of them is plain Python."""
        return is_hosted(self.first) or is_hosted(self.then)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What both report; of equal names that of the second."""
        return tuple({metric.name: metric for agent in (self.first, self.then) for metric in agent.metrics}.values())

    def init(self, key: jax.Array, spec: WorldSpec) -> HandoverState:
        """Begin as both do."""
        if self.finish < self.begin:
            raise ValueError(f"finish={self.finish} lies before begin={self.begin}; give a later one")
        one, other = keys.split(key, "first", "then")
        return HandoverState(first=self.first.init(one, spec), then=self.then.init(other, spec), decisions=jnp.int32(0))

    def see(self, key: jax.Array, state: HandoverState, step: TimeStep) -> tuple[HandoverState, Info]:
        """Let both see the step; surprise and doubt are the second one's."""
        first, _ = self.first.see(keys.fold(key, "first"), state.first, step)
        then, info = self.then.see(keys.fold(key, "then"), state.then, step)
        return replace(state, first=first, then=then), info

    def act(self, key: jax.Array, state: HandoverState, mode: Mode = "explore") -> tuple[HandoverState, Any]:
        """Let one of them act in each row. One that filters by its last action receives what was done."""
        first, old = self.first.act(keys.fold(key, "first"), state.first, mode)
        then, new = self.then.act(keys.fold(key, "then"), state.then, mode)
        rows = jax.tree.leaves(old)[0].shape[0]
        passes = jax.random.uniform(keys.fold(key, "who"), (rows,)) < self.share(state)
        action = select(passes, new, old)
        return HandoverState(first=_told(first, action), then=_told(then, action), decisions=state.decisions + 1), action

    def share(self, state: HandoverState) -> jax.Array:
        """How often the second one acts now: float32 []."""
        span = max(self.finish - self.begin, 1)
        return jnp.clip((state.decisions - self.begin) / span, 0.0, 1.0)

    def remember(self, key: jax.Array, state: HandoverState, experience: Experience) -> tuple[HandoverState, Info]:
        """Let both remember, whichever acted."""
        first, info = self.first.remember(keys.fold(key, "first"), state.first, experience)
        then, more = self.then.remember(keys.fold(key, "then"), state.then, experience)
        return replace(state, first=first, then=then), {**info, **more}

    def learn(self, key: jax.Array, state: HandoverState) -> tuple[HandoverState, Info]:
        """Let both learn."""
        first, info = self.first.learn(keys.fold(key, "first"), state.first)
        then, more = self.then.learn(keys.fold(key, "then"), state.then)
        return replace(state, first=first, then=then), {**info, **more}

    def embody(self, key: jax.Array, state: HandoverState, spec: WorldSpec) -> HandoverState:
        """Put both into spec.batch rows; the share stays that of the life."""
        first = self.first.embody(keys.fold(key, "first"), state.first, spec)
        return replace(state, first=first, then=self.then.embody(keys.fold(key, "then"), state.then, spec))

    def imagine(self, key: jax.Array, state: HandoverState, actions: Any) -> Prediction | None:
        """Imagine as the second one does."""
        return self.then.imagine(key, state.then, actions)


def _told(state: Any, action: Any) -> Any:
    return replace(state, action=action) if "action" in {field.name for field in fields(state)} else state
