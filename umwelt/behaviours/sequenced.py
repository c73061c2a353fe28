"""The agent of histories: a policy that reads the last steps of an episode, and may plan several actions at once."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours import histories
from umwelt.behaviours.batch import reads_to_come
from umwelt.behaviours.histories import Context, SequenceLearner
from umwelt.behaviours.masks import admissible, drawn
from umwelt.behaviours.memories import empty, example
from umwelt.core import (
    DOUBT,
    SHOWN,
    SURPRISE,
    WATCHED,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    keys,
    part,
    spaces,
    static,
    struct,
)
from umwelt.core.contracts import Memory, Mode
from umwelt.networks import policies, scale
from umwelt.networks.form import Form, form, vectors
from umwelt.networks.known_tasks import TASK, Announcement, announcement
from umwelt.networks.optimise import averaged, where_any
from umwelt.networks.scale import Scale


@struct
class SequencedState:
    """learner, memory: the parts' states; memory is None in a body for probes. mean: of the learner's policy, the running mean
    of its weights; None where there is none. context: of the present episodes, in units of
    the world's bounds. plan: float32 [B, C, A], the actions that were planned last; at: int32 [B], which of them is next.
    observation: leaves [B, ...], the last one. best: float32 [], the largest return that was shown; -inf before. units,
    returns: scales of features [F] and of returns [1]. lessons: int32 []."""

    learner: Any
    mean: Any
    memory: Any
    context: Context
    plan: jax.Array
    at: jax.Array
    observation: Any
    best: jax.Array
    units: Scale
    returns: Scale
    lessons: jax.Array
    seen: Announcement = static()
    action_form: Form = static()


@part
class Sequenced:
    """Acts by a policy over the last steps of the episode, and learns it from stretches in memory.

    Features and returns come to the learner with mean 0 and deviation 1 of what the first lessons drew; after those lessons
    their units are frozen. An episode begins without a history, and with the return that is wanted; each reward is taken
    off that.
    """

    learner: SequenceLearner
    """The policy and how it learns; its state has a `policy`."""
    memory: Memory
    """Where experience is kept: a memory of sequences, at least as long as the learner's stretches."""
    batch: int = 64
    """Stretches that one update samples."""
    chunk: int = 0
    """Actions of a plan that are done before the next plan is made; 0 for all of them."""
    wanted: float | None = None
    """The return to ask for; None for the largest that was shown. It is a setting of the data, not of a probe."""
    entries: tuple[int, ...] = ()
    """The entries of what is seen that a goal wants; empty for the first ones, as many as a goal has."""
    average: float = 0.999
    """Share of the running mean of the policy's weights that stays in each update; probes act by that mean. 0 for none."""
    lessons: int = 500
    """Lessons in which units are measured."""
    clip: float = 10.0
    """The largest feature, in deviations."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the learner declares; surprise and doubt are NaN, for there is no model."""
        return (SURPRISE, DOUBT, *self.learner.metrics)

    def init(self, key: jax.Array, spec: WorldSpec) -> SequencedState:
        """Begin with an untrained learner and an empty memory."""
        vectors(spec.observation, self.learner)
        seen = announcement(spec.observation)
        self._check(spec, seen)
        width = seen.rest.width if self._reads_goal else seen.whole.width
        memory = empty(self.memory, example(spec, to_come=reads_to_come(self.learner)), (self.batch, self.learner.length))
        learner = self.learner.init(key, width, spec.action)
        return SequencedState(
            learner=learner,
            mean=jax.tree.map(jnp.copy, learner.policy) if self.average else None,
            memory=memory,
            best=jnp.float32(-jnp.inf),
            units=scale.unit(width),
            returns=scale.unit(1),
            lessons=jnp.int32(0),
            seen=seen,
            action_form=form(spec.action),
            **self._body(spec, seen),
        )

    def see(self, key: jax.Array, state: SequencedState, step: TimeStep) -> tuple[SequencedState, Info]:
        """Put the step behind the history; where an episode begins, the history and the plan are dropped."""
        held, asked = state.context, self._asked(state)
        rewards = held.rewards.at[:, -1].set(step.reward)
        wanted = jnp.where(step.first, asked, held.wanted[:, -1] - step.reward)
        features, goal = self._features(state.seen, step.observation)

        def pushed(old: jax.Array, new: Any) -> jax.Array:
            new = jnp.broadcast_to(new, old[:, 0].shape)
            return jnp.concatenate([old[:, 1:], new[:, None]], axis=1)

        context = Context(
            features=pushed(held.features, features),
            actions=pushed(held.actions, 0.0),
            rewards=pushed(rewards, 0.0),
            wanted=pushed(held.wanted, wanted),
            known=pushed(held.known & ~step.first[:, None], True),
            goal=goal,
        )
        at = jnp.where(step.first, state.plan.shape[1], state.at)
        nothing = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        seen = replace(state, context=context, at=at, observation=step.observation)
        return seen, {"surprise": nothing, "doubt": nothing}

    def act(self, key: jax.Array, state: SequencedState, mode: Mode = "explore") -> tuple[SequencedState, Any]:
        """Do the next action of the plan, and make a plan where there is none; or draw at random."""
        acts = policies.over(state.action_form.space)
        open = admissible(state.seen.whole, state.action_form, state.observation)
        rows = state.at.shape[0]
        if mode == "random":
            action = drawn(key, state.action_form, rows, open)
            done = acts.features(acts.unit(action))
            return self._did(state, done, state.plan, jnp.full_like(state.at, state.plan.shape[1])), action
        context = self._standard(state)
        learner = replace(state.learner, policy=state.mean) if mode == "exploit" and self.average else state.learner

        def planned() -> jax.Array:
            return self.learner.act(key, learner, context, mode, open)

        due = state.at >= self._done
        plan = jax.lax.cond(jnp.any(due), planned, lambda: state.plan) if self._done > 1 else planned()
        plan = jnp.where(due[:, None, None], plan, state.plan)
        at = jnp.where(due, 0, state.at)
        wish = jnp.take_along_axis(plan, at[:, None, None], axis=1)[:, 0]
        choices = isinstance(acts, policies.Choice)
        unit = acts.best(policies.masked(wish, open)) if choices else jnp.clip(wish, -1.0, 1.0)
        return self._did(state, acts.features(unit), plan, at + 1), acts.action(unit)

    def _did(self, state: SequencedState, done: jax.Array, plan: jax.Array, at: jax.Array) -> SequencedState:
        actions = state.context.actions.at[:, -1].set(done)
        return replace(state, context=replace(state.context, actions=actions), plan=plan, at=at)

    def remember(self, key: jax.Array, state: SequencedState, experience: Experience) -> tuple[SequencedState, Info]:
        """Store the experience, and note the largest return that is shown."""
        best = state.best
        if experience.to_come is not None:
            others = (experience.origin == SHOWN) | (experience.origin == WATCHED)
            whole = others & experience.valid & experience.step.first & jnp.isfinite(experience.to_come)
            best = jnp.maximum(best, jnp.max(jnp.where(whole, experience.to_come, -jnp.inf)))
        return replace(state, memory=self.memory.add(key, state.memory, experience), best=best), {}

    def learn(self, key: jax.Array, state: SequencedState) -> tuple[SequencedState, Info]:
        """Update the learner once from stretches in memory; measure units in the first lessons."""
        sampling, choosing, learning = keys.split(key, "sample", "choose", "learn")
        experience = self.memory.sample(sampling, state.memory, (self.batch, self.learner.length))
        acts = policies.over(state.action_form.space)
        batch = histories.of(choosing, state.seen, acts, experience, self._reads_goal)
        measures = state.lessons < self.lessons
        units = _measured(state.units, batch.context.features, batch.context.known & measures)
        returns = _measured(state.returns, batch.context.wanted[:, :, None], batch.returned & measures)
        batch = histories.standardised(batch, units, returns, self.clip, self._wants(state.seen))
        learner, info = self.learner.learn(learning, state.learner, batch)
        mean = (
            where_any(batch.weight, averaged(learner.policy, state.mean, 1.0 - self.average), state.mean)
            if self.average
            else None
        )
        lessons = state.lessons + jnp.any(batch.context.known)
        return replace(state, learner=learner, mean=mean, units=units, returns=returns, lessons=lessons), info

    def embody(self, key: jax.Array, state: SequencedState, spec: WorldSpec) -> SequencedState:
        """Put the same policy into spec.batch rows that have seen nothing, without memory."""
        return replace(state, memory=None, **self._body(spec, state.seen))

    def imagine(self, key: jax.Array, state: SequencedState, actions: Any) -> Prediction | None:
        """Return None: it has no model."""
        return None

    def _body(self, spec: WorldSpec, seen: Announcement) -> dict[str, Any]:
        """What belongs to the rows of a life."""
        acts = policies.over(spec.action)
        width = seen.rest.width if self._reads_goal else seen.whole.width
        context = histories.empty(spec.batch, self.learner.context, width, acts.inputs, self._reads_goal)
        chunk = self.learner.chunk
        return {
            "context": context,
            "plan": jnp.zeros((spec.batch, chunk, acts.inputs), jnp.float32),
            "at": jnp.full(spec.batch, chunk, jnp.int32),
            "observation": spaces.zeros(spec.observation, spec.batch),
        }

    def _features(self, seen: Announcement, observation: Any) -> tuple[jax.Array, Any]:
        """Features [B, F], and the goal among them, or None."""
        if not self._reads_goal:
            return seen.whole.units(observation), None
        features, task = seen.rest.units(seen.without(observation)), seen.task
        shown = jnp.zeros_like(features)
        return features, shown if task is None else shown.at[:, jnp.array(self._wanted_entries(seen))].set(
            task.units(observation[TASK])
        )

    def _standard(self, state: SequencedState) -> Context:
        return histories.standard(state.context, state.units, state.returns, self.clip, self._wants(state.seen))

    def _asked(self, state: SequencedState) -> Any:
        """The return that an episode begins with."""
        return jnp.where(jnp.isfinite(state.best), state.best, 0.0) if self.wanted is None else jnp.float32(self.wanted)

    def _wants(self, seen: Announcement) -> jax.Array | None:
        """bool [F], the features that a goal names; None for a learner that reads no goal."""
        if not self._reads_goal:
            return None
        return jnp.asarray(np.isin(np.arange(seen.rest.width), self._wanted_entries(seen)))

    def _wanted_entries(self, seen: Announcement) -> tuple[int, ...]:
        return self.entries or tuple(range(seen.width))

    @property
    def _reads_goal(self) -> bool:
        return bool(getattr(self.learner, "reads_goal", False))

    @property
    def _done(self) -> int:
        """Actions of a plan that are done."""
        return self.chunk or self.learner.chunk

    def _check(self, spec: WorldSpec, seen: Announcement) -> None:
        if not 0.0 <= self.average < 1.0:
            raise ValueError(f"average={self.average}: a share below 1 stays, such as 0.999, or 0 for no running mean")
        if not 0 <= self.chunk <= self.learner.chunk:
            raise ValueError(f"chunk={self.chunk}: the learner plans {self.learner.chunk} actions; give as many or fewer")
        if not self._reads_goal:
            return
        if seen.task is None:
            raise ValueError(f"world: {spec.name} shows no goal; wrap it in umwelt.worlds.Announced(only=('goal',))")
        entries = self._wanted_entries(seen)
        if len(entries) != seen.width or max(entries) >= seen.rest.width:
            raise ValueError(
                f"entries={self.entries}: a goal has {seen.width} numbers; name as many entries of the {seen.rest.width} that are"
                " seen"
            )


def _measured(held: Scale, rows: jax.Array, counts: jax.Array) -> Scale:
    """The scale with rows [N, L, F] where bool [N, L] counts."""
    weight = counts.reshape(-1).astype(jnp.float32)
    after = scale.update(held, rows.reshape(-1, rows.shape[-1]), weight, float("inf"))
    return jax.tree.map(lambda new, old: jnp.where(jnp.any(counts), new, old), after, held)
