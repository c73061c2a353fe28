"""Chores that a grammar proposes, solved by one method or by the one that is chosen for each part."""

from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.behaviours import SAC, Advised, Chosen, ModelFree, ModelPredictive, RandomAgent
from umwelt.claims.arms import Measure
from umwelt.claims.studies.lives import lived_through
from umwelt.core import keys, part
from umwelt.life.body import Body
from umwelt.memory import Ring
from umwelt.models import Truth
from umwelt.planners import ICEM
from umwelt.teachers import Designed
from umwelt.worlds import with_batch
from umwelt.worlds.chores import ByContact, Chores, Grammar, Led

SOLVED = Measure(name="solved", unit="chores", better="up")
"""Chores, of all that were proposed, whose two parts are done by the end of more than half of the exam's episodes."""


@part
class Proposing:
    """A life with proposed chores, and an exam in all of them; a function of a key."""

    world: Chores = Chores(batch=32)
    by: Literal["contact", "lead", "plan", "learn"] = "contact"
    """What solves a part: the method for its kind of contact, or one of the three for all."""
    number: int = 12
    """Chores that are proposed."""
    planner: ICEM = ICEM(samples=16, horizon=12, iterations=1, elites=4)
    """Plans in the known model. It imagines 15,360 steps in an episode; a life has 16,000 decisions for each chore."""
    learner: SAC = SAC(units=64, learning_rate=1e-3, discount=0.97, ema_rate=0.01)
    """Learns in the course of the life, one policy for all chores."""
    ticks: int = 6000
    """Decisions of each row before the exam; methods that learn nothing skip them."""
    episodes: int = 8
    """Episodes of each chore in the exam."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live, and be examined: {measure: float32 []}."""
        living, examining = keys.split(key, "live", "exam")
        teacher = Designed(suggest=Grammar(number=self.number), rounds=1, steps=self.ticks + 1, mix=1.0)
        body = Body(world=self.world, agent=self.agent, teacher=teacher)
        learns = self.by in ("contact", "learn")
        _, mind = lived_through(body, living, self.ticks * learns, updates=int(learns), random=100)
        chores = mind.teacher.designs
        share = self.done(examining, mind.agent, chores)
        solved = share > 0.5
        some = {
            name: jnp.sum(solved & jnp.any(chores.kind == kind, axis=1)) for kind, name in enumerate(("near", "press", "open"))
        }
        return {"solved": jnp.sum(solved, dtype=jnp.float32), "share": jnp.mean(share), **some}

    @property
    def agent(self) -> Any:
        """What lives."""
        lead = Advised(agent=RandomAgent(), suggest=Led(), share=1.0, examined=1.0)
        plan = ModelPredictive(model=Truth(world=self.world), planner=self.planner)
        learn = ModelFree(learner=self.learner, memory=Ring(bytes=24_000_000), batch=256)
        agents = (lead, plan, learn)
        return Chosen(agents=agents, by=ByContact()) if self.by == "contact" else agents[("lead", "plan", "learn").index(self.by)]

    def done(self, key: jax.Array, agent: Any, chores: Any) -> jax.Array:
        """The share of each chore's episodes that end with both parts done: float32 [number]."""
        world: Any = with_batch(self.world, self.number * self.episodes)
        task = jax.tree.map(lambda leaf: jnp.repeat(leaf, self.episodes, axis=0), chores)
        state, step = world.init(key, task)

        def tick(held: Any, key: jax.Array) -> tuple[Any, None]:
            state, acting, step = held
            acting, _ = self.agent.see(keys.fold(key, "see"), acting, step)
            acting, action = self.agent.act(keys.fold(key, "act"), acting, "exploit")
            state, step = world.step(keys.fold(key, "world"), state, action, task)
            return (state, acting, step), None

        held = state, self.agent.embody(key, agent, world.spec), step
        (state, _, _), _ = jax.lax.scan(tick, held, jax.random.split(key, world.time_limit))
        return jnp.mean((state.body.done >= 2).reshape(self.number, -1), axis=1)
