"""Points that are to go to a goal that they do not see: logs of many goals, and exams on others."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours import histories
from umwelt.claims.arms import Measure
from umwelt.claims.studies.asked import studied
from umwelt.claims.studies.offline import to_come
from umwelt.core import SHOWN, Box, Experience, TimeStep, WorldSpec, keys, lived, part, struct
from umwelt.core.contracts import Agent
from umwelt.networks import policies
from umwelt.networks.inside import with_batch
from umwelt.worlds import stream

ZERO_SHOT = Measure(name="zero_shot", unit="of the expert's return above chance", better="up")
"""The first episode on an unseen goal."""
FEW_SHOTS = Measure(name="few_shots", unit="of the expert's return above chance", better="up")
"""The fourth episode on the same goal."""
EXPLAINED = Measure(name="goal_explained", unit="share of variance", better="up")
"""How well a linear map of the code, fitted on shown goals, says where unseen ones are."""


@struct
class GoalTask:
    """goal: float32 [2]."""

    goal: Any


@struct
class PointBody:
    """place: float32 [2]."""

    place: jax.Array


@part
class Points:
    """A point that is paid by its nearness to a goal which it does not see."""

    batch: int = 1
    stride: float = 0.25
    """How far one decision goes, at most, along each axis."""

    time_limit = 20

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        return WorldSpec(
            name="points",
            observation=Box(shape=(2,), low=-3.0, high=3.0),
            action=Box(shape=(2,), low=-1.0, high=1.0),
            task=GoalTask(goal=Box(shape=(2,), low=-1.0, high=1.0)),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, GoalTask]:
        """One corner."""
        return {"corner": GoalTask(goal=np.ones(2, np.float32))}

    def begin(self, key: jax.Array, task: GoalTask) -> PointBody:
        """In the lower left corner, so that the first way is much the same for all goals on the upper edge."""
        return PointBody(place=jax.random.uniform(key, (2,), minval=-1.1, maxval=-0.9))

    def advance(
        self, key: jax.Array, body: PointBody, action: jax.Array, task: GoalTask
    ) -> tuple[PointBody, jax.Array, jax.Array]:
        """Go; the reward is minus the distance that remains."""
        place = body.place + self.stride * jnp.clip(action, -1.0, 1.0)
        return PointBody(place=place), -jnp.sqrt(jnp.sum((place - task.goal) ** 2) + 1e-12), jnp.bool_(False)

    def observe(self, body: PointBody, task: GoalTask) -> jax.Array:
        """Where it is."""
        return body.place

    def expert(self, key: jax.Array, observation: jax.Array, task: Any = None) -> jax.Array:
        """Straight to the goal."""
        goal = stream.default(self, task, observation.shape[0]).goal
        return jnp.clip((goal - observation) / self.stride, -1.0, 1.0)

    def init(self, key: jax.Array, task: GoalTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: GoalTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


@part
class UnnamedGoals:
    """An agent that studies a log of many goals and is examined on others; a function of a key."""

    agent: Agent
    goals: int = 45
    """Goals in the log."""
    episodes: int = 20
    """Episodes of each; every other one is an expert's, and the rest are random."""
    unseen: int = 20
    """Goals of the exam."""
    shots: int = 4
    """Episodes on each of them; the last is that of few shots."""
    updates: int = 4500

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Play, study and examine: {measure: float32 []}."""
        drawing, playing, beginning, studying, probing = keys.split(key, "draw", "play", "begin", "study", "probe")
        along = jax.random.uniform(drawing, (self.goals + self.unseen,), minval=-1.0, maxval=1.0)
        goals = jnp.stack([along, jnp.ones_like(along)], axis=1)
        shown, unseen = goals[: self.goals], goals[self.goals :]
        number = self.goals * self.episodes
        log = self._played(playing, shown, self.episodes, lambda index: index % 2 == 0)
        state = self.agent.init(beginning, with_batch(Points(), number).spec)
        state = studied(self.agent, state, log, studying, self.updates)
        paid = self._examined(probing, state, unseen)
        expert = self._paid(self._played(probing, unseen, self.shots, lambda index: index >= 0))
        chance = self._paid(self._played(probing, unseen, self.shots, lambda index: index < 0))
        normal = (paid - chance) / (expert - chance)
        found = {"zero_shot": normal[0], "few_shots": normal[-1]}
        inside: Any = getattr(self.agent, "inner", self.agent)
        if hasattr(inside.learner, "codes"):
            found["goal_explained"] = self._explained(inside, getattr(state, "inner", state), log, unseen, probing)
        return found

    def _played(self, key: jax.Array, goals: jax.Array, episodes: int, by_expert: Any) -> Experience:
        """One episode in each row, [20, goals * episodes], by the expert where `by_expert` of its number says so."""
        number = goals.shape[0] * episodes
        world, task = with_batch(Points(), number), GoalTask(goal=jnp.repeat(goals, episodes, axis=0))
        expert = by_expert(jnp.arange(number))[:, None]

        def tick(carry: Any, key: jax.Array) -> tuple[Any, Experience]:
            state, step = carry
            any_action = jax.random.uniform(key, (number, 2), minval=-1.0, maxval=1.0)
            action = jnp.where(expert, world.expert(key, step.observation, task), any_action)
            state, next = world.step(key, state, action, task)
            return (state, next), replace(lived(step, action, next, task=task), origin=jnp.full(number, SHOWN, jnp.int8))

        _, found = jax.lax.scan(tick, world.init(key, task), jax.random.split(key, world.time_limit))
        return replace(found, to_come=to_come(found))

    def _paid(self, log: Experience) -> jax.Array:
        return jnp.mean(jnp.sum(log.next.reward, axis=0))

    def _examined(self, key: jax.Array, state: Any, goals: jax.Array) -> jax.Array:
        """The mean returns of the first episode, the second and so on: float32 [shots]."""
        world, task = with_batch(Points(), self.unseen), GoalTask(goal=goals)
        body = self.agent.embody(key, state, world.spec)

        def tick(carry: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            body, state, step = carry
            seeing, choosing, stepping = keys.split(key, "see", "act", "step")
            body, _ = self.agent.see(seeing, body, step)
            body, action = self.agent.act(choosing, body, "exploit")
            state, next = world.step(stepping, state, action, task)
            return (body, state, next), jnp.mean(next.reward)

        # one tick more a turn, in which the next episode begins and nothing is paid
        ticks = self.shots * (world.time_limit + 1)
        _, paid = jax.lax.scan(tick, (body, *world.init(key, task)), jax.random.split(key, ticks))
        return jnp.sum(paid.reshape(self.shots, -1), axis=1)

    def _explained(self, agent: Any, state: Any, log: Experience, unseen: jax.Array, key: jax.Array) -> jax.Array:
        """The share of the variance of unseen goals that a linear map of codes explains, after four transitions."""
        learner = agent.learner

        def rows(log: Experience) -> tuple[jax.Array, jax.Array]:
            cut = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, 1)[:, : learner.length], log)
            batch = histories.of(key, state.seen, policies.over(state.action_form.space), cut, False)
            batch = histories.standardised(batch, state.units, state.returns, agent.clip, None)
            code = learner.codes(state.learner, batch.context)[:, learner.horizon]
            return jnp.concatenate([code, jnp.ones((code.shape[0], 1))], axis=1), cut.task.goal[:, 0]

        (codes, goals), (other, wanted) = rows(log), rows(self._played(key, unseen, self.episodes, lambda index: index % 2 == 0))
        kernel = codes.T @ codes + 1e-3 * jnp.eye(codes.shape[1])
        found = other @ jnp.linalg.solve(kernel, codes.T @ goals)
        return 1.0 - jnp.sum((found - wanted) ** 2) / jnp.sum((wanted - jnp.mean(wanted, axis=0)) ** 2)
