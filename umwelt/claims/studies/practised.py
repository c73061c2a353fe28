"""Agents that practise in a small pure world and are examined on the way: the study of claims about curricula and advice.

The whole life of a seed is one pure function, so all seeds of an arm run in one compiled program.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.core import WATCHED, capability, innermost, keys, lived, part
from umwelt.core.contracts import Agent, Teacher
from umwelt.life.body import Body
from umwelt.life.mind import Mind
from umwelt.worlds import with_batch

SUCCESS = Measure(name="success", unit="return", better="up")
"""Mean return of the last exam, over the tasks of the panel."""
AREA = Measure(name="area", unit="return", better="up")
"""Mean return of all exams: the area under the curve."""
SOON = Measure(name="soon", unit="share", better="down")
"""Share of the life after which an exam is first passed; 1 where none is."""
PARTICIPATION = Measure(name="participation", unit="share", better="up")
"""Share of the panel's tasks that pay anything in the last exam."""
LOW = Measure(name="low", unit="return", better="up")
"""The 20th percentile of the panel's tasks in the last exam."""


@part
class Practised:
    """One agent's life under a teacher; a function of a key."""

    world: Any
    """Pure, with a batch of rows and a time limit."""
    agent: Agent
    teacher: Teacher
    panel: tuple[Any, ...]
    """Tasks of the exams, each of one row."""
    ticks: int = 3000
    """Decisions of each row."""
    exams: int = 10
    """Exams of a life, after equal stretches; the teacher reflects before each."""
    episodes: int = 16
    """Episodes of each task in an exam."""
    passed: float = 0.8
    """The mean return that passes an exam."""
    shown: int = 0
    """Ticks of the world's own expert that the agent watches before it lives, without its actions."""
    wild: float = 0.3
    """Share of the expert's actions that are random."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live and be examined: {measure: float32 []}."""
        body = Body(world=self.world, agent=self.agent, teacher=self.teacher)
        beginning, showing, living, examining = keys.split(key, "begin", "show", "live", "exam")
        agent, teacher, task = body.create(beginning)
        agent = self._shown(showing, agent) if self.shown else agent
        state, step = self.world.init(keys.fold(beginning, "world"), task)
        life = (state, body.open("explore", living, agent, teacher, task, step))
        reflect = capability(self.teacher, "reflect")

        def stretch(life: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            reflecting, marking = keys.split(key, "reflect", "marks")
            life = jax.lax.scan(lambda life, _: (self._tick(body, life), None), life, None, self.ticks // self.exams)[0]
            state, mind = life
            mind = replace(mind, teacher=reflect(reflecting, mind.teacher)[0]) if reflect else mind
            return (state, mind), self._marks(marking, mind.agent)

        _, marks = jax.lax.scan(stretch, life, jax.random.split(examining, self.exams))
        return self._measured(marks)

    def _tick(self, body: Body, life: tuple[Any, Mind]) -> tuple[Any, Mind]:
        """Take one decision in each row, and learn once."""
        state, mind = life
        decision = mind.decision
        state, next = self.world.step(jax.random.wrap_key_data(decision.key), state, decision.action, decision.next_task)
        mind, _ = body.turn("explore", mind, next)
        agent, _ = self.agent.learn(keys.fold(jax.random.fold_in(mind.key, mind.clock), "learn"), mind.agent)
        return state, replace(mind, agent=agent)

    def _marks(self, key: jax.Array, agent: Any) -> jax.Array:
        """Examine the agent: the mean return of each task, float32 [panel]."""
        world: Any = with_batch(self.world, self.episodes * len(self.panel))
        stacked = jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *self.panel)
        task = jax.tree.map(lambda leaf: jnp.repeat(leaf, self.episodes, axis=0), stacked)
        begun = world.init(key, task)

        def tick(held: Any, key: jax.Array) -> tuple[Any, None]:
            (state, step), agent, alive, returns = held
            seeing, acting, stepping = keys.split(key, "see", "act", "step")
            agent, _ = self.agent.see(seeing, agent, step)
            agent, action = self.agent.act(acting, agent, "exploit")
            state, next = world.step(stepping, state, action, task)
            return ((state, next), agent, alive & ~next.last, returns + jnp.where(alive, next.reward, 0.0)), None

        rows = jnp.zeros(world.spec.batch, jnp.float32)
        held = (begun, self.agent.embody(key, agent, world.spec), rows == 0.0, rows)
        returns = jax.lax.scan(tick, held, jax.random.split(key, innermost(world).time_limit))[0][3]
        return returns.reshape(len(self.panel), -1).mean(axis=1)

    def _shown(self, key: jax.Array, agent: Any) -> Any:
        """Let the agent watch the world's expert on the first task of the panel, a share of whose actions is random."""
        expert: Any = capability(self.world, "expert", required="shown")
        spec = self.world.spec
        task = jax.tree.map(lambda leaf: jnp.broadcast_to(jnp.asarray(leaf), (spec.batch, *jnp.shape(leaf))), self.panel[0])

        def tick(held: Any, key: jax.Array) -> tuple[Any, None]:
            (state, step), agent = held
            choosing, whether, which, stepping, remembering = keys.split(key, "expert", "whether", "which", "step", "remember")
            wild = jax.random.uniform(whether, (spec.batch,)) < self.wild
            anything = jax.random.randint(which, (spec.batch,), 0, spec.action.n)
            action = jnp.where(wild, anything, expert(choosing, step.observation, task))
            state, next = self.world.step(stepping, state, action, task)
            unknown = jnp.full(spec.batch, jnp.nan, jnp.float32)
            made = lived(step, jnp.zeros_like(action), next, task=task, surprise=unknown)
            made = replace(made, origin=jnp.full(spec.batch, WATCHED, jnp.int8))
            return ((state, next), self.agent.remember(remembering, agent, made)[0]), None

        return jax.lax.scan(tick, (self.world.init(key, task), agent), jax.random.split(key, self.shown))[0][1]

    def _measured(self, marks: jax.Array) -> dict[str, jax.Array]:
        """Measures from the marks [exams, panel]."""
        curve, last = marks.mean(axis=1), marks[-1]
        first = jnp.argmax(curve >= self.passed) + 1
        return {
            "success": curve[-1],
            "area": curve.mean(),
            "soon": jnp.where(jnp.any(curve >= self.passed), first / self.exams, 1.0),
            "participation": jnp.mean(last > 0.0),
            "low": jnp.percentile(last, 20.0),
        }
