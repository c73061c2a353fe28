"""Imitation of a few watched episodes by an agent that goes on in a life of its own, and exams on the way."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.claims.studies.offline import mean_return
from umwelt.core import BROKEN, WATCHED, keys, lived, part
from umwelt.core.contracts import Agent, World
from umwelt.memory.played import Played, acting
from umwelt.networks.inside import with_batch
from umwelt.worlds import stream

PERFORMANCE = Measure(name="performance", unit="of the expert's return above chance", better="up")
"""(return - random) / (expert - random), averaged over the last five exams."""
EXAMS = 5


@part
class Watching:
    """An agent that watches episodes of the world's expert, and then lives; a function of a key."""

    world: World
    agent: Agent
    episodes: int = 10
    """Watched episodes, and rows of the life."""
    random: int = 500
    """Decisions of each row that are drawn at random."""
    decisions: int = 2500
    """Decisions of each row after those, with `updates` lessons after each."""
    updates: int = 1
    probes: int = 20
    """Episodes of one exam. The exams divide the second half of the life."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Watch, live and be examined: {measure: float32 []}."""
        watching, beginning, learning, probing = keys.split(key, "watch", "begin", "learn", "probe")
        world = with_batch(self.world, self.episodes)
        mind = self.watched(watching, self.agent.init(beginning, world.spec))
        mind, life = self.lived(keys.fold(learning, "random"), mind, self.random, "random", 0)
        mind, life = self.lived(keys.fold(learning, "early"), mind, self.decisions // 2, "explore", self.updates, life)
        room = with_batch(self.world, self.probes)
        task = stream.default(room, None, self.probes)

        def by(how: str) -> jax.Array:
            act = acting(Played(world=room, how=how, episodes=self.probes, batch=self.probes), room)
            return mean_return(room, probing, lambda key, seen: act(key, seen, task, jnp.arange(self.probes)))

        def onward(held: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            mind, life = self.lived(key, held[0], self.decisions // (2 * EXAMS), "explore", self.updates, held[1])
            body = self.agent.embody(key, mind, room.spec)
            act = lambda key, seen: self.agent.act(key, replace(body, observation=seen), "exploit")[1]  # noqa: E731
            return (mind, life), mean_return(room, probing, act)

        _, mine = jax.lax.scan(onward, (mind, life), jax.random.split(keys.fold(learning, "late"), EXAMS))
        chance = by("random")
        return {"performance": (jnp.mean(mine) - chance) / (by("expert") - chance)}

    def watched(self, key: jax.Array, mind: Any) -> Any:
        """The mind after it watched one episode of the expert in each row, without its actions."""
        world = with_batch(self.world, self.episodes)
        task = stream.default(world, None, self.episodes)
        begin_key, roll_key = keys.split(key, "init", "roll")
        state, step = world.init(begin_key, task)

        def tick(held: Any, key: jax.Array) -> tuple[Any, None]:
            state, step, over, mind = held
            acting, stepping, keeping = keys.split(key, "act", "step", "keep")
            action = world.expert(acting, step.observation, task)
            state, next = world.step(stepping, state, action, task)
            seen = lived(step, jnp.zeros_like(action), next, task=task)
            # what follows the first episode of a row was not watched
            shown = replace(seen, step=replace(step, kind=jnp.where(over, jnp.int8(BROKEN), step.kind)))
            shown = replace(shown, origin=jnp.full_like(seen.origin, WATCHED))
            mind, _ = self.agent.remember(keeping, mind, shown)
            return (state, next, over | next.last, mind), None

        begun = (state, step, jnp.zeros(self.episodes, bool), mind)
        return jax.lax.scan(tick, begun, jax.random.split(roll_key, world.time_limit))[0][3]

    def lived(self, key: jax.Array, mind: Any, ticks: int, mode: Any, updates: int, life: Any = None) -> tuple[Any, Any]:
        """The mind and the life (world state, step) after some decisions with lessons after each."""
        world = with_batch(self.world, self.episodes)
        task = stream.default(world, None, self.episodes)
        if life is None:
            life = world.init(keys.fold(key, "world"), task)
            mind, _ = self.agent.see(key, mind, life[1])

        def tick(held: Any, key: jax.Array) -> tuple[Any, None]:
            mind, (state, step) = held
            acting, stepping, seeing, keeping, learning = keys.split(key, "act", "step", "see", "remember", "learn")
            mind, action = self.agent.act(acting, mind, mode)
            state, next = world.step(stepping, state, action, task)
            mind, _ = self.agent.see(seeing, mind, next)
            mind, _ = self.agent.remember(keeping, mind, lived(step, action, next, task=task))
            mind = jax.lax.fori_loop(
                0, updates, lambda at, mind: self.agent.learn(jax.random.fold_in(learning, at), mind)[0], mind
            )
            return (mind, (state, next)), None

        return jax.lax.scan(tick, (mind, life), jax.random.split(key, ticks))[0]
