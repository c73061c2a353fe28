"""A student that sees a grid from inside, and an adviser that sees its symbolic twin."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import Tutored
from umwelt.behaviours.batch import Batch
from umwelt.claims.arms import Measure
from umwelt.claims.studies.offline import mean_return, studied
from umwelt.core import Box, Discrete, TimeStep, WorldSpec, keys, part
from umwelt.networks.inside import with_batch
from umwelt.worlds import Grids, stream

REACHED = Measure(name="reached", unit="share", better="up")
"""The share of new layouts in which the student reaches the goal."""
SIDE = 7
"""Cells of a side of what the student sees around itself."""
VIEW = 4 * SIDE**2 + 1
"""Numbers of its view: planes of walls and sides, door, key and goal, and whether it holds the key."""


@part
class Inside:
    """The door and its key, seen from inside: a view that moves with the agent, and behind it all that `Grids` shows."""

    batch: int = 1
    time_limit: int = 30
    grids: Grids = Grids()

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        seen = Box(shape=(VIEW + self.grids.spec.observation.shape[0],), low=0, high=1, dtype="uint8")
        spec = self.grids.spec
        return WorldSpec(name="inside", observation=seen, action=spec.action, task=spec.task, batch=self.batch)

    def tasks(self) -> dict[str, Any]:
        """The one task: the door and its key."""
        return {"key": self.grids.tasks()["key"]}

    def begin(self, key: jax.Array, task: Any) -> Any:
        """A new layout."""
        return self.grids.begin(key, task)

    def advance(self, key: jax.Array, body: Any, action: jax.Array, task: Any) -> tuple[Any, jax.Array, jax.Array]:
        """As in the grid; the goal pays 1, however late."""
        body, reward, ended = self.grids.advance(key, body, action, task)
        return body, (reward > 0.0).astype(jnp.float32), ended

    def observe(self, body: Any, task: Any) -> jax.Array:
        """uint8 [VIEW + ...]: the view, and then the twin."""
        twin, size, half = self.grids.observe(body, task), self.grids.size, SIDE // 2
        planes = twin[: 5 * size**2].reshape(5, size, size)
        goal = jnp.zeros((size, size), jnp.uint8).at[-1, -1].set(1)
        # what lies outside looks like a wall
        walls = jnp.pad(planes[1], half, constant_values=1)
        shown = jnp.stack([walls, *(jnp.pad(plane, half) for plane in (planes[3], planes[4], goal))])
        view = jax.lax.dynamic_slice(shown, (0, body.agent[0], body.agent[1]), (4, SIDE, SIDE))
        return jnp.concatenate([view.ravel(), twin[-1:], twin])

    def init(self, key: jax.Array, task: Any) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: Any) -> Any:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


@part
class FromTheTwin:
    """The adviser: it reads the twin alone, and at times says anything."""

    grids: Grids = Grids()
    wrong: float = 0.05
    """The chance of any action in place of the best."""

    def __call__(self, key: jax.Array, features: jax.Array) -> jax.Array:
        """Actions int32 [N] for features [N, F]."""
        straying, drawing = jax.random.split(key)
        best = self.grids.expert(key, features[:, VIEW:])
        anything = jax.random.randint(drawing, best.shape, 0, 4)
        return jnp.where(jax.random.uniform(straying, best.shape) < self.wrong, anything, best)


@part
class Twins:
    """Clone a few episodes of the adviser, live and be corrected, and be examined; a function of a key."""

    how: str = "advised"
    """"advised" in the student's own episodes, or "shown" as many more episodes of the adviser."""
    learner: Tutored = Tutored(advise=FromTheTwin(), seen=VIEW, begins=500, temperature=1.0)
    world: Inside = Inside()
    shown: int = 10
    """Episodes of the adviser to begin with."""
    rounds: int = 10
    """Rounds of `rows` further episodes."""
    rows: int = 4
    updates: int = 200
    """Updates after a round."""
    batch: int = 128
    probes: int = 256

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Learn and be examined: {measure: float32 []}."""
        showing, beginning, cloning, living, probing = keys.split(key, "show", "begin", "clone", "live", "probe")
        advise = lambda key, features: self.learner.advise(key, features)  # noqa: E731
        state = self.learner.init(beginning, self.world.spec.observation.shape[0], Discrete(n=4))
        data = self.lived(showing, advise, self.shown)
        state = studied(self.learner, state, data, cloning, self.learner.begins, self.batch)

        def round(state: Any, key: jax.Array) -> tuple[Any, Batch]:
            return state, self.lived(key, advise, self.rows)

        each = jax.random.split(living, self.rounds)
        if self.how == "shown":
            _, more = jax.lax.scan(round, state, each)
            more = jax.tree.map(lambda leaf: leaf.reshape(leaf.shape[0] * leaf.shape[1], *leaf.shape[2:]), more)
            both = jax.tree.map(lambda one, other: jnp.concatenate([one, other]), data, more)
            state = studied(self.learner, state, both, keys.fold(living, "learn"), self.rounds * self.updates, self.batch)
        else:
            state = self.corrected(state, data, each)
        act = lambda key, seen: self.learner.act(key, state, seen.astype(jnp.float32), "exploit")  # noqa: E731
        return {"reached": mean_return(with_batch(self.world, self.probes), probing, act)}

    def corrected(self, state: Any, data: Batch, each: jax.Array) -> Any:
        """The student after rounds of its own episodes, which are added to what was shown."""
        size = self.rows * self.world.time_limit
        room = jax.tree.map(
            lambda leaf: jnp.concatenate([leaf, jnp.zeros((self.rounds * size, *leaf.shape[1:]), leaf.dtype)]), data
        )

        def round(held: Any, given: tuple[jax.Array, jax.Array]) -> tuple[Any, None]:
            state, room = held
            key, number = given
            acting, learning = keys.split(key, "act", "learn")
            own = self.lived(acting, lambda key, features: self.learner.act(key, state, features, "explore"), self.rows)
            begin = data.weight.shape[0] + number * size
            room = jax.tree.map(lambda leaf, new: jax.lax.dynamic_update_slice_in_dim(leaf, new, begin, 0), room, own)
            # rows that weigh nothing, such as those that are still empty, are passed over
            places = jnp.cumsum(room.weight)

            def update(state: Any, key: jax.Array) -> tuple[Any, None]:
                drawing, learning = keys.split(key, "draw", "learn")
                drawn = jax.random.uniform(drawing, (self.batch,)) * places[-1]
                rows = jnp.searchsorted(places, drawn, side="right")
                return self.learner.learn(learning, state, jax.tree.map(lambda leaf: leaf[rows], room))[0], None

            return (jax.lax.scan(update, state, jax.random.split(learning, self.updates))[0], room), None

        return jax.lax.scan(round, (state, room), (each, jnp.arange(self.rounds)))[0][0]

    def lived(self, key: jax.Array, act: Any, rows: int) -> Batch:
        """The moments [T * rows] of one episode of each row; those after its end weigh nothing."""
        world = with_batch(self.world, rows)
        task = stream.default(world, None, rows)

        def tick(held: Any, key: jax.Array) -> tuple[Any, Any]:
            state, step, going = held
            acting, stepping = keys.split(key, "act", "step")
            seen = step.observation.astype(jnp.float32)
            action = act(acting, seen)
            state, after = world.step(stepping, state, action, task)
            moment = (seen, action, going.astype(jnp.float32))
            return (state, after, going & ~after.last), moment

        begun = (*world.init(keys.fold(key, "init"), task), jnp.ones(rows, bool))
        _, found = jax.lax.scan(tick, begun, jax.random.split(key, world.time_limit))
        now, action, weight = (leaf.reshape(-1, *leaf.shape[2:]) for leaf in found)
        return Batch(now=now, action=action, reward=0 * weight, continues=weight, after=now[:, :0], weight=weight)
