"""Explore three locked rooms, from the usual beginning or from a shelf of places; and make a policy of what was found."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import DQN, Curious, ModelFree, RandomAgent
from umwelt.claims.arms import Computed, Measure
from umwelt.core import keys, part
from umwelt.curiosity import Counts
from umwelt.life.body import Body
from umwelt.memory import Ring
from umwelt.teachers import Blocks
from umwelt.teachers.retreat import Retreat
from umwelt.teachers.returning import Returning
from umwelt.worlds import with_batch
from umwelt.worlds.grid import Grid
from umwelt.worlds.restarted import Places, Restarted
from umwelt.worlds.stream import rows
from umwelt.worlds.wrappers import sticky

CELLS = Measure(name="cells", unit="cells", better="up")
"""Places with what is held and what is open that were visited."""
FAR = Measure(name="far", unit="share", better="up")
"""1 where the room behind both doors was entered, else 0."""
SUCCESS = Measure(name="success", unit="share", better="up")
"""Episodes of the policy that reach the goal from the usual beginning."""
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
        state, _ = lived_through(Body(world=world, agent=self.agent, teacher=self.teacher), key, self.ticks, self.learns)
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
        agent, teacher = ModelFree(learner=self.learner, memory=Ring(bytes=20_000_000), batch=64), Blocks()
        state = None
        if self.explored:
            body = Body(world=world, agent=RandomAgent(hold=4.0), teacher=Returning())
            state, _ = lived_through(body, exploring, self.explored, False)
            teacher = Retreat()
        body = Body(world=world, agent=agent, teacher=teacher)
        _, mind = lived_through(body, learning, self.ticks - self.explored, True, state, self._way(world, state))
        return {"success": self._examined(examining, body, mind.agent)}

    def _way(self, world: Restarted, state: Any) -> Any:
        """The starts along the best way that was found, from its end: int32 [256], padded with the usual beginning."""
        if state is None:
            return None
        best = jnp.argmax(jnp.where(state.shelf.held, state.shelf.score, -jnp.inf))
        # no episode begins where one terminated
        return world.chain(state.shelf, best, 257)[1:] + 1

    def _examined(self, key: jax.Array, body: Body, agent: Any) -> jax.Array:
        """The share of 100 episodes from the usual beginning that end at the goal."""
        world = with_batch(body.world, 100)
        task = rows(next(iter(world.tasks().values())), 100)
        state, step = world.init(key, task)
        acting = body.agent.embody(key, agent, world.spec)

        def tick(held: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            state, acting, step, done = held
            acting, _ = body.agent.see(key, acting, step)
            acting, action = body.agent.act(key, acting, "exploit")
            state, step = world.step(key, state, action, task)
            won = ~done & (step.reward > 0.5)
            return (state, acting, step, done | step.last), won

        begun = state, acting, step, jnp.zeros(100, bool)
        _, won = jax.lax.scan(tick, begun, jax.random.split(key, GRID.time_limit))
        return jnp.mean(jnp.any(won, axis=0).astype(jnp.float32))


def lived_through(
    body: Body, key: jax.Array, ticks: int, learns: bool, state: Any = None, starts: Any = None
) -> tuple[Any, Any]:
    """Live `ticks` decisions, each followed by an update where `learns`: (the world's state, the mind). `state`: a shelf to go
    on with. `starts`: the demonstration of a `Retreat`."""
    agent, teacher, task = body.create(keys.fold(key, "create"))
    fresh, step = body.world.init(keys.fold(key, "world"), task)
    state = fresh if state is None else replace(fresh, shelf=state.shelf)
    teacher = teacher if starts is None else replace(teacher, starts=starts)
    mind = body.open("explore", key, agent, teacher, task, step)

    def tick(life: Any, _: None) -> tuple[Any, None]:
        state, mind = life
        decision = mind.decision
        state, next = body.world.step(jax.random.wrap_key_data(decision.key), state, decision.action, decision.next_task)
        mind, _ = body.turn("explore", mind, next)
        if learns:
            agent, _ = body.agent.learn(jax.random.fold_in(keys.fold(key, "learn"), mind.clock), mind.agent)
            mind = replace(mind, agent=agent)
        return (state, mind), None

    return jax.lax.scan(tick, (state, mind), None, length=ticks)[0]


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
