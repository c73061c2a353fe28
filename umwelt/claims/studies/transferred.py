"""Lives that explore without reward and then get a wish: which of their parts are worth keeping."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import Dyna, Seeking
from umwelt.claims.arms import Measure
from umwelt.claims.studies.lives import lived_through
from umwelt.core import Objective, keys, part
from umwelt.life.body import Body
from umwelt.teachers import Blocks
from umwelt.worlds import Arm, scaled_reward, with_batch
from umwelt.worlds.arm import WISHES
from umwelt.worlds.stream import rows

DECISIONS = Measure(name="decisions", unit="decisions", better="down")
"""Decisions under the wish until an exam is passed; all of them where none is."""
FULFILLED = Measure(name="fulfilled", unit="share", better="up")
"""How far the wish is fulfilled at the end of an exam's episodes, mean of all exams."""


@part
class WishOf:
    """The known reward of a wish of the arm, whatever the world pays."""

    wish: str

    def __call__(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array) -> jax.Array:
        """float32 [N], of transitions of rows [N]."""
        arm = Arm()
        return arm.reward(observation, action, next_observation, arm.tasks()[self.wish])


@part
class Transferred:
    """A life that seeks its model's doubt, and one after it that has a wish and some of the parts. A function of a key."""

    agent: Dyna
    """The agent of the second life. The first one's is the same, but dreams and lives for doubt alone."""
    wish: str = "peg"
    """What the second life is for."""
    keeps: tuple[str, ...] = ("model", "learner")
    """Parts of the first agent that the second one begins with; its memory is always empty."""
    batch: int = 8
    """Rows of the first life."""
    ticks: int = 2500
    """Decisions of each of them."""
    later: int = 2
    """Rows of the second life."""
    exams: int = 40
    """Exams of the second life."""
    every: int = 100
    """Decisions of each row between two of them, with an update after each."""
    passed: float = 0.9
    """How far the wish must be fulfilled to pass an exam."""
    episodes: int = 16
    """Episodes of an exam."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live twice: {measure: float32 []}."""
        exploring, beginning, living, examining = keys.split(key, "explore", "begin", "live", "exam")
        kept = self.explored(exploring)
        world = Arm(batch=self.later)
        body = Body(world=world, agent=self.agent, teacher=Blocks(names=(self.wish,)))
        agent, teacher, task = body.create(beginning)
        agent = replace(agent, **{name: getattr(kept, name) for name in self.keeps})
        state, step = world.init(keys.fold(beginning, "world"), task)

        def tick(life: Any, _: Any) -> tuple[Any, None]:
            state, mind = life
            decision = mind.decision
            state, next = world.step(jax.random.wrap_key_data(decision.key), state, decision.action, decision.next_task)
            mind, _ = body.turn("explore", mind, next)
            agent, _ = self.agent.learn(keys.fold(jax.random.fold_in(mind.key, mind.clock), "learn"), mind.agent)
            return (state, replace(mind, agent=agent)), None

        def stretch(life: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            life, _ = jax.lax.scan(tick, life, None, self.every)
            return life, self.examined(key, life[1].agent)

        life = state, body.open("explore", living, agent, teacher, task, step)
        _, marks = jax.lax.scan(stretch, life, jax.random.split(examining, self.exams))
        before = jnp.sum(jnp.cumsum(marks >= self.passed) == 0)
        spent = jnp.minimum(before + 1, self.exams) * self.every * self.later
        return {"decisions": spent.astype(jnp.float32), "fulfilled": jnp.mean(marks), "last": marks[-1]}

    def explored(self, key: jax.Array) -> Any:
        """The agent after a life that nothing pays but its model's doubt."""
        seeker = Seeking(agent=replace(self.agent, objective=Objective(reward=0.0, doubt=1.0)), weight=1.0)
        body = Body(world=scaled_reward(Arm(batch=self.batch), 0.0), agent=seeker, teacher=Blocks())
        if not self.keeps:
            return body.create(key)[0].inner
        _, mind = lived_through(body, key, self.ticks, random=50)
        return mind.agent.inner

    def examined(self, key: jax.Array, agent: Any) -> jax.Array:
        """How far the policy fulfils the wish by the end of an episode, on the mean: float32 []."""
        world = with_batch(Arm(), self.episodes)
        task = rows(world.tasks()[self.wish], self.episodes)
        state, step = world.init(key, task)
        acting = self.agent.embody(key, agent, world.spec)

        def tick(held: Any, key: jax.Array) -> tuple[Any, None]:
            state, acting, step = held
            acting, _ = self.agent.see(keys.fold(key, "see"), acting, step)
            acting, action = self.agent.act(keys.fold(key, "act"), acting, "exploit")
            state, step = world.step(keys.fold(key, "world"), state, action, task)
            return (state, acting, step), None

        (_, _, step), _ = jax.lax.scan(tick, (state, acting, step), jax.random.split(key, world.time_limit))
        return jnp.mean(world.achieved(step.observation).wish[:, WISHES.index(self.wish)])
