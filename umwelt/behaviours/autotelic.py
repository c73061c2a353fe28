"""An agent that sets its own goals: it sets out for one, rests there to explore, and sets the next.

How goals are chosen, how near the agent is and what pays on the way is one part, `Goals`. The policy reads the goal beside
what is seen, so goals of its own and goals that a world announces look alike to it.
"""

from dataclasses import replace
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import Batch, Learner
from umwelt.behaviours.memories import empty, example
from umwelt.core import (
    DOUBT,
    SURPRISE,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    capability,
    keys,
    part,
    select,
    spaces,
    static,
    struct,
)
from umwelt.core.contracts import Memory, Mode
from umwelt.networks.form import Form, form, vectors
from umwelt.networks.later import later_moment

SEEN, TASK = "seen", "task"
"""The leaves of an announced observation."""
RESTING = Metric(name="resting", unit="share", meaning="rows that explore, their goal reached or out of time")


class Goals(Protocol):
    """Chooses goals and says how near they are. All numbers are goals' own: entries of what is seen, in units.

    ends: a leg ends where its goal is reached, so nothing is bootstrapped there. Capability: bonus(state, after [N, G]) ->
    float32 [N], what an explorer is paid for.
    """

    @property
    def metrics(self) -> tuple[Metric, ...]: ...
    @property
    def ends(self) -> bool: ...

    def init(self, key: jax.Array, width: int, actions: int) -> Any:
        """Begin without knowledge, for goals of `width` numbers and actions of so many."""
        ...

    def choose(self, key: jax.Array, state: Any, seen: jax.Array) -> jax.Array:
        """Routes [B, P, G] from what is seen [B, G]: subgoals in order, the goal last."""
        ...

    def near(self, state: Any, now: jax.Array, after: jax.Array, goal: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The reward float32 [N] of coming from now to after [N, G] on the way to goals [N, G], and whether it is reached."""
        ...

    def learn(self, key: jax.Array, state: Any, seen: jax.Array, done: jax.Array, valid: jax.Array) -> tuple[Any, Info]:
        """Learn from stretches: seen [N, L + 1, G], done [N, L, A] in units, and bool [N, L], False on seams."""
        ...


@struct
class AutotelicState:
    """learner, explorer, goals, memory: the parts' states; memory is None in a body for probes. seen: float32 [B, F] in
    units. given: float32 [B, G], the goal that the world announces. route: float32 [B, P, G]. at: int32 [B], the subgoal
    that is next. age: int32 [B], decisions of the leg or the rest. resting: bool [B]."""

    learner: Any
    explorer: Any
    goals: Any
    memory: Any
    seen: jax.Array
    given: jax.Array
    route: jax.Array
    at: jax.Array
    age: jax.Array
    resting: jax.Array
    observation_form: Form = static()
    action_form: Form = static()


@part
class Autotelic:
    """Acts towards goals of its own; in a probe of a world that announces its goal, towards that one.

    >>> from umwelt.behaviours import SAC
    >>> from umwelt.curiosity import Faraway
    >>> from umwelt.memory import Trajectories
    >>> from umwelt.worlds import Pendulum

    >>> memory = Trajectories(bytes=10_000, length=5, across=True)
    >>> agent = Autotelic(learner=SAC(units=8), goals=Faraway(), memory=memory, horizon=5)
    >>> agent.init(jax.random.key(0), Pendulum().spec).route.shape  # rows, subgoals, numbers of a goal
    (1, 1, 3)

    Goals are relabelled: a share of each batch gets one that its own episode reached later. Rewards are computed again for
    each batch, by the distances of today.
    """

    learner: Learner
    """The policy towards goals; it reads what is seen, and the subgoal."""
    goals: Goals
    """Chooses goals, and says how near they are."""
    memory: Memory
    """A memory of sequences of `horizon` transitions, such as `Trajectories(length=50, across=True)`."""
    explorer: Learner | None = None
    """The policy at rest, which the goals' `bonus` pays; None explores at random."""
    entries: tuple[int, ...] = ()
    """The entries of what is seen that goals are made of; empty for the first ones, as many as an announced goal has, or
    all."""
    leg: int = 50
    """Decisions on the way to a goal, at most."""
    rest: int = 50
    """Decisions at rest."""
    ahead: int = 1
    """How many subgoals may be skipped at once."""
    share: float = 0.8
    """The share of a batch that gets a goal which its own episode reached."""
    batch: int = 256
    """Transitions of one update."""
    horizon: int = 50
    """How much later such a goal is reached, at most."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What learner and goals report."""
        return (SURPRISE, DOUBT, *self.learner.metrics, *self.goals.metrics, RESTING)

    def init(self, key: jax.Array, spec: WorldSpec) -> AutotelicState:
        """Begin untrained, at rest."""
        whole, acts = vectors(spec.observation, self), form(spec.action)
        width = int(whole.under((SEEN,)).sum()) if _announces(spec) else whole.width
        wanted = len(self._wanted(width, whole.width - width))
        for_learner, for_explorer, for_goals = keys.split(key, "learner", "explorer", "goals")
        goals = self.goals.init(for_goals, wanted, acts.width)
        route = self.goals.choose(key, goals, jnp.zeros((spec.batch, wanted)))
        none = jnp.zeros(spec.batch, jnp.int32)
        return AutotelicState(
            learner=self.learner.init(for_learner, width + wanted, spec.action),
            explorer=None if self.explorer is None else self.explorer.init(for_explorer, width, spec.action),
            goals=goals,
            memory=empty(self.memory, example(spec), (self.batch, self.horizon)),
            seen=jnp.zeros((spec.batch, width)),
            given=jnp.zeros((spec.batch, whole.width - width)),
            route=jnp.zeros_like(route),
            at=none,
            age=none,
            resting=none == 0,
            observation_form=whole,
            action_form=acts,
        )

    def see(self, key: jax.Array, state: AutotelicState, step: TimeStep) -> tuple[AutotelicState, Info]:
        """See how near the subgoals are; begin a rest, or the next leg, where it is time."""
        seen, given = self._read(state, step.observation)
        here = seen[:, jnp.array(self._wanted(seen.shape[1], given.shape[1]))]
        rows, number, width = state.route.shape
        place = jnp.repeat(here, number, axis=0)
        _, hit = self.goals.near(state.goals, place, place, state.route.reshape(-1, width))
        nth = jnp.arange(number)
        hit = hit.reshape(rows, number) & (nth >= state.at[:, None]) & (nth < state.at[:, None] + self.ahead)
        at = jnp.where(jnp.any(hit, axis=1) & ~state.resting, jnp.max(jnp.where(hit, nth + 1, 0), axis=1), state.at)
        age = state.age + 1
        rests = ~state.resting & ((at >= number) | (age >= self.leg))
        begins = step.first | (state.resting & (age >= self.rest))
        route = select(begins, self.goals.choose(key, state.goals, here), state.route)
        nothing = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        after = replace(
            state,
            seen=seen,
            given=given,
            route=route,
            at=jnp.where(begins, 0, at),
            age=jnp.where(begins | rests, 0, age),
            resting=~begins & (state.resting | rests),
        )
        return after, {"surprise": nothing, "doubt": nothing, "resting": after.resting.astype(jnp.float32)}

    def act(self, key: jax.Array, state: AutotelicState, mode: Mode = "explore") -> tuple[AutotelicState, Any]:
        """Act towards the subgoal, or explore at rest."""
        going, resting = keys.split(key, "go", "rest")
        anything = spaces.sample(resting, state.action_form.space, state.seen.shape[0])
        if mode == "random":
            return state, anything
        told = mode == "exploit" and state.given.shape[1] > 0
        rows, last = jnp.arange(state.seen.shape[0]), state.route.shape[1] - 1
        goal = state.given if told else state.route[rows, jnp.minimum(state.at, last)]
        goes = self.learner.act(going, state.learner, jnp.concatenate([state.seen, goal], axis=-1), mode)
        if told:
            return state, goes
        explores = anything if self.explorer is None else self.explorer.act(resting, state.explorer, state.seen, mode)
        return state, select(state.resting, explores, goes)

    def remember(self, key: jax.Array, state: AutotelicState, experience: Experience) -> tuple[AutotelicState, Info]:
        """Store the experience."""
        return replace(state, memory=self.memory.add(key, state.memory, experience)), {}

    def learn(self, key: jax.Array, state: AutotelicState) -> tuple[AutotelicState, Info]:
        """Update goals, policy and explorer once from memory."""
        sampling, posing, sharing, judging, learning, exploring = keys.split(
            key, "sample", "pose", "share", "goals", "learn", "explore"
        )
        found = self.memory.sample(sampling, state.memory, (self.batch, self.horizon))
        seen, done = self._stretches(state, found)
        wanted = jnp.array(self._wanted(seen.shape[2], state.given.shape[1]))
        small = seen[:, :, wanted]
        goals, told = self.goals.learn(judging, state.goals, small, done, found.acted)
        rows, none = jnp.arange(self.batch), jnp.zeros(self.batch, jnp.int32)
        own = small[rows, later_moment(posing, found.valid, none) + 1]
        drawn = self.goals.choose(posing, goals, small[:, 0])[:, -1]
        goal = jnp.where((jax.random.uniform(sharing, rows.shape) < self.share)[:, None], own, drawn)
        reward, reached = self.goals.near(goals, small[:, 0], small[:, 1], goal)
        first = jax.tree.map(lambda leaf: leaf[:, 0], found)
        goes = 1.0 - (first.next.terminated | (reached & self.goals.ends)).astype(jnp.float32)
        batch = Batch(
            now=jnp.concatenate([seen[:, 0], goal], axis=-1),
            action=first.action,
            reward=reward.astype(jnp.float32),
            continues=goes,
            after=jnp.concatenate([seen[:, 1], goal], axis=-1),
            weight=first.acted.astype(jnp.float32),
        )
        learner, info = self.learner.learn(learning, state.learner, batch)
        state = replace(state, learner=learner, goals=goals)
        if self.explorer is not None:
            pays: Any = capability(self.goals, "bonus", required="explorer")
            bonus = pays(goals, small[:, 1])
            ends = 1.0 - first.next.terminated.astype(jnp.float32)
            paid = replace(batch, now=seen[:, 0], after=seen[:, 1], reward=bonus.astype(jnp.float32), continues=ends)
            state = replace(state, explorer=self.explorer.learn(exploring, state.explorer, paid)[0])
        return state, {**info, **told}

    def embody(self, key: jax.Array, state: AutotelicState, spec: WorldSpec) -> AutotelicState:
        """The same policy and goals in spec.batch rows, without memory."""
        rows, none = spec.batch, jnp.zeros(spec.batch, jnp.int32)
        shapes = {name: getattr(state, name).shape[1:] for name in ("seen", "given", "route")}
        zeros = {name: jnp.zeros((rows, *shape)) for name, shape in shapes.items()}
        return replace(state, memory=None, **zeros, at=none, age=none, resting=none == 0)

    def imagine(self, key: jax.Array, state: AutotelicState, actions: Any) -> Prediction | None:
        """Return None: it has no model."""
        return None

    def _read(self, state: AutotelicState, observation: Any) -> tuple[jax.Array, jax.Array]:
        """What is seen and the goal that is announced, in units: float32 [N, F], [N, G or 0]."""
        units = state.observation_form.units(observation)
        if state.given.shape[1] == 0:
            return units, units[:, :0]
        seen = state.observation_form.under((SEEN,))
        return units[:, seen], units[:, ~seen]

    def _stretches(self, state: AutotelicState, found: Experience) -> tuple[jax.Array, jax.Array]:
        """What was seen [N, L + 1, F] and done [N, L, A] in experience [N, L], in units."""
        number, length = found.origin.shape
        # a task may have leaves of no numbers, so only what is read is laid flat
        after, acted = jax.tree.map(
            lambda leaf: leaf.reshape(number * length, *leaf.shape[2:]), (found.next.observation, found.action)
        )
        after = self._read(state, after)[0].reshape(number, length, -1)
        first = self._read(state, jax.tree.map(lambda leaf: leaf[:, 0], found.step.observation))[0]
        done = state.action_form.units(acted).reshape(number, length, -1)
        return jnp.concatenate([first[:, None], after], axis=1), done

    def _wanted(self, width: int, given: int) -> tuple[int, ...]:
        """The entries of what is seen that a goal has."""
        entries = self.entries or tuple(range(given or width))
        if max(entries) >= width or given not in (0, len(entries)):
            raise ValueError(f"entries={self.entries}: {width} numbers are seen, and an announced goal has {given or 'none'}")
        return entries


def _announces(spec: WorldSpec) -> bool:
    return isinstance(spec.observation, dict) and set(spec.observation) == {SEEN, TASK}
