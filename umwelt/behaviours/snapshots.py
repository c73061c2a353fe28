"""Keep snapshots of a policy that drifts, and act by them at times: "Is curiosity all you need?" (2021)."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.library import Library, LibraryState
from umwelt.behaviours.model_free import ModelFree, ModelFreeState
from umwelt.core import Discrete, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, keys, part, select, struct
from umwelt.core.contracts import Mode

STORED = Metric(name="skills", unit="skills", meaning="snapshots in the library")


@struct
class SnapshotsState:
    """inner, library: the parts' states. skill: int32 [B], the snapshot that acts now; the number of slots for the present
    policy. age: int32 [B], decisions since it was drawn. lived: int32 [], decisions of a row."""

    inner: ModelFreeState
    library: LibraryState
    skill: jax.Array
    age: jax.Array
    lived: jax.Array


@part
class Snapshots:
    """An agent that stores copies of its policy, and at times acts by one of them.

    The present policy learns from all actions, its own and those of copies. A probe examines it alone.

    >>> from umwelt.behaviours import SAC
    >>> from umwelt.memory import Ring
    >>> from umwelt.worlds import Pendulum

    >>> agent = Snapshots(agent=ModelFree(learner=SAC(units=4), memory=Ring(bytes=4000)), every=1, library=Library(slots=3))
    >>> state = agent.init(jax.random.key(0), Pendulum().spec)
    >>> state = agent.snapshot(agent.snapshot(state))
    >>> int(state.library.filled)
    2
    """

    agent: ModelFree
    """What acts and learns now."""
    library: Library = Library()
    """Where snapshots are kept."""
    every: int = 2500
    """Decisions of a row between two snapshots; 0 makes none."""
    length: int = 25
    """Decisions between two draws of the acting policy."""
    own: float = 0.5
    """The chance of the present policy; snapshots share the rest evenly."""

    cites = ("curious_snapshots_2021",)

    @property
    def inner(self) -> ModelFree:
        """The agent inside."""
        return self.agent

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the agent reports, and the number of snapshots."""
        return (*self.agent.metrics, STORED)

    def init(self, key: jax.Array, spec: WorldSpec) -> SnapshotsState:
        """Begin with an empty library."""
        inner = self.agent.init(key, spec)
        if not 0.0 <= self.own <= 1.0:
            raise ValueError(f"own={self.own}: the chance of the present policy lies between 0 and 1")
        none = jnp.zeros(spec.batch, jnp.int32)
        library = self.library.init(inner.learner)
        return SnapshotsState(inner=inner, library=library, skill=none + self.library.slots, age=none, lived=jnp.int32(0))

    def see(self, key: jax.Array, state: SnapshotsState, step: TimeStep) -> tuple[SnapshotsState, Info]:
        """Filter the step, and draw the acting policy where an episode begins or it is time."""
        seeing, drawing, whether = keys.split(key, "see", "draw", "whether")
        inner, info = self.agent.see(seeing, state.inner, step)
        rows = step.kind.shape
        chosen = jax.random.randint(drawing, rows, 0, jnp.maximum(state.library.filled, 1))
        own = (jax.random.uniform(whether, rows) < self.own) | (state.library.filled == 0)
        chosen = jnp.where(own, self.library.slots, chosen)
        again = step.first | (state.age + 1 >= self.length)
        skill, age = jnp.where(again, chosen, state.skill), jnp.where(again, 0, state.age + 1)
        return replace(state, inner=inner, skill=skill, age=age), info

    def act(self, key: jax.Array, state: SnapshotsState, mode: Mode = "explore") -> tuple[SnapshotsState, Any]:
        """Act by the policy that was drawn; by the present one in a probe."""
        own, skilled = keys.split(key, "own", "skill")
        inner, action = self.agent.act(own, state.inner, mode)
        if mode != "explore":
            return replace(state, inner=inner), action
        slot = jnp.minimum(state.skill, self.library.slots - 1)
        past = self.called(skilled, state, slot, inner.observation, mode)
        return replace(state, inner=inner), select(state.skill < self.library.slots, past, action)

    def skill_space(self, state: SnapshotsState) -> Discrete | None:
        """What names a snapshot; None where there is none yet."""
        filled = int(state.library.filled)
        return Discrete(n=filled) if filled else None

    def called(self, key: jax.Array, state: SnapshotsState, skill: jax.Array, seen: Any, mode: Mode) -> Any:
        """Actions [N, ...] of snapshots int32 [N] at observations [N, ...]."""
        features = state.inner.observation_form.flat(seen)
        return self.library.act(self.agent.learner, key, state.library, skill, features, mode)

    def remember(self, key: jax.Array, state: SnapshotsState, experience: Experience) -> tuple[SnapshotsState, Info]:
        """Store the experience, and a snapshot where it is time."""
        inner, info = self.agent.remember(key, state.inner, experience)
        state = replace(state, inner=inner, lived=state.lived + 1)
        if self.every:
            due = state.lived % self.every == 0
            kept = self.snapshot(state).library
            state = replace(state, library=jax.tree.map(lambda new, old: jnp.where(due, new, old), kept, state.library))
        return state, {**info, "skills": state.library.filled.astype(jnp.float32)}

    def snapshot(self, state: SnapshotsState) -> SnapshotsState:
        """Store a copy of the present policy. Its visits are not counted, so a full library drops the oldest."""
        visits = jnp.ones(self.library.cells)
        return replace(state, library=self.library.stored(state.library, state.inner.learner, state.lived, visits))

    def learn(self, key: jax.Array, state: SnapshotsState) -> tuple[SnapshotsState, Info]:
        """Update the present policy."""
        inner, info = self.agent.learn(key, state.inner)
        return replace(state, inner=inner), info

    def embody(self, key: jax.Array, state: SnapshotsState, spec: WorldSpec) -> SnapshotsState:
        """The same policies in spec.batch rows, without memory."""
        none = jnp.zeros(spec.batch, jnp.int32)
        return replace(state, inner=self.agent.embody(key, state.inner, spec), skill=none + self.library.slots, age=none)

    def imagine(self, key: jax.Array, state: SnapshotsState, actions: Any) -> Prediction | None:
        """Return None: it has no model."""
        return None
