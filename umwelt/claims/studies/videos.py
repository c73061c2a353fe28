"""Many watched walks to goals that are seen, and few whose actions are known."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours import Labelled
from umwelt.behaviours.reels import choose
from umwelt.claims.arms import Measure
from umwelt.core import BROKEN, SHOWN, WATCHED, capability, keys, lived, part
from umwelt.networks import policies
from umwelt.networks.inside import with_batch
from umwelt.worlds import Announced, PointMaze
from umwelt.worlds.point_maze import MazeTask

ARRIVED = Measure(name="arrived", unit="share", better="up")
"""The share of episodes that reach their goal."""
NEAR = Measure(name="near", unit="share", better="up")
"""The share of watched moments whose action is guessed within `close` in every entry."""


@part
class Videos:
    """An agent that is shown walks through rooms, most of them without actions, and is examined; a function of a key."""

    agent: Labelled
    labelled: int = 5
    """Episodes whose actions are known."""
    episodes: int = 400
    """All episodes that are played."""
    shows: bool = True
    """Show those without actions too."""
    ticks: int = 60
    """Decisions of one episode."""
    noise: float = 0.3
    """Of the expert's actions, in units."""
    updates: int = 3000
    close: float = 0.15
    probes: int = 200

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Show, study and be examined: {measure: float32 []}."""
        showing, beginning, studying, naming, probing = keys.split(key, "show", "begin", "study", "name", "probe")
        world = with_batch(Announced(world=PointMaze(time_limit=self.ticks, ends=False), only=("goal",)), self.episodes)
        mind, truth = self.shown(showing, world, self.agent.init(beginning, world.spec))

        def update(mind: Any, key: jax.Array) -> tuple[Any, None]:
            return self.agent.learn(key, mind)[0], None

        mind, _ = jax.lax.scan(update, mind, jax.random.split(studying, self.updates))
        return {"arrived": self.arrived(probing, world, mind), "near": self.near(naming, world, mind, truth)}

    def shown(self, key: jax.Array, world: Any, mind: Any) -> tuple[Any, tuple[jax.Array, jax.Array]]:
        """The mind after it was shown one episode in each row, and what was seen and done:
        [T, N, F] and [T, N, 2]."""
        tasking, beginning, rolling = keys.split(key, "task", "begin", "roll")
        task = goals(tasking, world.world, self.episodes)
        known = jnp.arange(self.episodes) < self.labelled
        expert: Any = capability(world, "expert", required="watching")

        def tick(held: Any, key: jax.Array) -> tuple[Any, Any]:
            state, step, mind = held
            acting, drifting, stepping, keeping = keys.split(key, "act", "drift", "step", "keep")
            done = expert(acting, step.observation, task)
            done = jnp.clip(done + self.noise * jax.random.normal(drifting, done.shape), -1.0, 1.0)
            state, next = world.step(stepping, state, done, task)
            seen = lived(step, jnp.where(known[:, None], done, 0.0), next, task=task)
            # what is not shown is broken off, so that it teaches nothing
            kind = jnp.where(known | self.shows, next.kind, jnp.int8(BROKEN))
            origin = jnp.where(known, SHOWN, WATCHED).astype(jnp.int8)
            mind, _ = self.agent.remember(keeping, mind, replace(seen, next=replace(next, kind=kind), origin=origin))
            return (state, next, mind), (mind.observation_form.flat(step.observation), done)

        begun = (*world.init(beginning, task), mind)
        (_, _, mind), truth = jax.lax.scan(tick, begun, jax.random.split(rolling, self.ticks))
        return mind, truth

    def near(self, key: jax.Array, world: Any, mind: Any, truth: tuple[jax.Array, jax.Array]) -> jax.Array:
        """How often the action of a moment without a known one is guessed: by what was seen around it where it was shown, and
        else by the policy."""
        acts = policies.over(world.spec.action)
        now, done = truth
        hidden = jnp.broadcast_to(jnp.arange(self.episodes) >= self.labelled, done.shape[:2])
        rows, _ = choose(key, hidden, 2000)
        if self.shows:
            guessed = self.agent.inverse.act(key, mind.inverse, self.agent.features(mind.shown, rows), "exploit")
        else:
            guessed = self.agent.learner.act(key, mind.learner, now.reshape(-1, now.shape[-1])[rows], "exploit")
        apart = jnp.abs(acts.unit(guessed) - done.reshape(-1, done.shape[-1])[rows])
        return jnp.mean(jnp.all(apart < self.close, axis=-1).astype(jnp.float32))

    def arrived(self, key: jax.Array, world: Any, mind: Any) -> jax.Array:
        """The share of new goals that are reached."""
        tasking, beginning, rolling = keys.split(key, "task", "begin", "roll")
        room = with_batch(world, self.probes)
        task = goals(tasking, world.world, self.probes)
        state, step = room.init(beginning, task)
        body, _ = self.agent.see(key, self.agent.embody(key, mind, room.spec), step)

        def tick(held: Any, key: jax.Array) -> tuple[Any, None]:
            state, body, hit = held
            acting, stepping, seeing = keys.split(key, "act", "step", "see")
            body, action = self.agent.act(acting, body, "exploit")
            state, next = room.step(stepping, state, action, task)
            body, _ = self.agent.see(seeing, body, next)
            return (state, body, hit | (next.reward > 0.5)), None

        begun = (state, body, jnp.zeros(self.probes, bool))
        (_, _, hit), _ = jax.lax.scan(tick, begun, jax.random.split(rolling, self.ticks))
        return jnp.mean(hit.astype(jnp.float32))


def goals(key: jax.Array, maze: PointMaze, number: int) -> MazeTask:
    """Tasks [number]: goals in free cells, with every door open."""
    free = np.argwhere(np.array([list(row) for row in maze.layout]) == ".")[:, ::-1] + 0.5
    chosen = jax.random.randint(key, (number,), 0, len(free))
    doors = jnp.ones((number, *maze.spec.task.doors.shape))
    return MazeTask(doors=doors, goal=jnp.asarray(free, jnp.float32)[chosen])
