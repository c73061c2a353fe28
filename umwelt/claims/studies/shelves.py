"""Explore three locked rooms, from the usual beginning or from a shelf of places; and make a policy of what was found."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import DQN, Curious, ModelFree, RandomAgent
from umwelt.claims.arms import Computed, Measure
from umwelt.claims.studies.lives import SUCCESS, lived_through, success
from umwelt.core import keys, part
from umwelt.curiosity import Counts
from umwelt.life.body import Body
from umwelt.memory import Ring
from umwelt.teachers import Blocks
from umwelt.teachers.retreat import Retreat
from umwelt.teachers.returning import Returning
from umwelt.worlds.grid import Grid
from umwelt.worlds.restarted import Places, Restarted
from umwelt.worlds.wrappers import sticky

CELLS = Measure(name="cells", unit="cells", better="up")
"""Places with what is held and what is open that were visited."""
FAR = Measure(name="far", unit="share", better="up")
"""1 where the room behind both doors was entered, else 0."""
THREE_ROOMS = (
    "###############################",
    "#.........#.........#.........#",
    "#.........#.......K.#.........#",
    "#.........#.........#.........#",
    "#...S.....#.........#.........#",
    "#.........D.........D.........#",
    "#.........#.........#.........#",
    "#.........#.........#......G..#",
    "#K.....g..#.........#.........#",
    "#.........#.........#.........#",
    "###############################",
)
"""Two keys, two doors, a goal behind both, and a small reward near the beginning that ends the episode."""
GRID = Grid(batch=10, time_limit=100, layout=THREE_ROOMS)
PLACES = Places(places=len(GRID.cells), bits=4)
SLOTS = len(GRID.cells) * 2**4
FAR_CELLS = tuple(int(number) for number, (_, column) in enumerate(GRID.cells) if column > 20)
"""Cells of the room behind both doors."""


@part
class Explored:
    """One life in the three rooms; a function of a key."""

    agent: Any
    teacher: Any
    ticks: int = 10_000
    """Decisions of each of the ten rows."""
    learns: bool = False
    """Whether an update follows each decision."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live, and count: {measure: float32 []}."""
        world = Restarted(world=GRID, cells=PLACES, slots=SLOTS)
        state, _ = lived_through(Body(world=world, agent=self.agent, teacher=self.teacher), key, self.ticks, int(self.learns))
        visited = (state.shelf.visits > 0).reshape(len(GRID.cells), -1)
        far = jnp.any(visited[jnp.asarray(FAR_CELLS)])
        return {"cells": jnp.sum(visited).astype(jnp.float32), "far": far.astype(jnp.float32)}


@part
class Robust:
    """Explore, then learn a policy under actions that stick; a function of a key."""

    learner: DQN
    explored: int = 10_000
    """Ticks of exploration by returning; 0 lets the policy learn from the usual beginning, in all of the time."""
    ticks: int = 20_000
    """Ticks in all."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live, and examine the policy: {measure: float32 []}."""
        exploring, learning, examining = keys.split(key, "explore", "learn", "examine")
        world = Restarted(world=sticky(GRID, 0.25), cells=PLACES, slots=SLOTS)
        agent = ModelFree(learner=self.learner, memory=Ring(bytes=20_000_000), batch=64)
        if self.explored:
            explorer = Body(world=world, agent=RandomAgent(hold=4.0), teacher=Returning())
            shelf = lived_through(explorer, exploring, self.explored, updates=0)[0].shelf
            body = Body(world=world, agent=agent, teacher=Retreat())
            _, mind = lived_through(body, learning, self.ticks - self.explored, shelf=shelf, starts=_way(world, shelf))
        else:
            body = Body(world=world, agent=agent, teacher=Blocks())
            _, mind = lived_through(body, learning, self.ticks)
        return {"success": success(body, examining, mind.agent, 100)}


def _way(world: Restarted, shelf: Any) -> jax.Array:
    """The starts along the best way that was found, from its end: int32 [256], padded with the usual beginning."""
    best = jnp.argmax(jnp.where(shelf.held, shelf.score, -jnp.inf))
    # no episode begins where one terminated
    return world.chain(shelf, best, 257)[1:] + 1


EXPLORER = RandomAgent(hold=4.0)
LEARNER = DQN(units=64, learning_rate=1e-3, discount=0.98, final_epsilon=0.1, epsilon_updates=1000)
RETURNED = Computed(function=Explored(agent=EXPLORER, teacher=Returning()), measures=(CELLS, FAR), together=True)
BEGUN = Computed(function=Explored(agent=EXPLORER, teacher=Blocks()), measures=(CELLS, FAR), together=True)
CURIOUS = Computed(
    function=Explored(
        agent=Curious(
            agent=ModelFree(learner=LEARNER, memory=Ring(bytes=20_000_000), batch=64),
            curiosity=Counts(of="cells"),
        ),
        teacher=Blocks(),
        learns=True,
    ),
    measures=(CELLS, FAR),
    together=True,
)
"""Values of choices that are paid for what is rare, counted exactly."""
BACKWARD = Computed(function=Robust(learner=LEARNER), measures=(SUCCESS,), together=True)
FORWARD = Computed(function=Robust(learner=LEARNER, explored=0), measures=(SUCCESS,), together=True)
