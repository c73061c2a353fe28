"""Finding a goal in a place that was never seen, after logs of others: the study of latent goals."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.claims.arms import Measure
from umwelt.core import keys, part
from umwelt.memory.topology import Topology
from umwelt.models.navigator import Navigator
from umwelt.worlds.point_maze import MazeBody, MazeTask, PointMaze

FOUND = Measure(name="found", unit="decisions", better="down")
"""Decisions until the goal is found, mean of walkers; all of them where it is not."""
PILLARS = (
    "###########",
    "#S...B.C..#",
    "#.#.#.#.#.#",
    "#...E.F.G.#",
    "#.#H#I#J#.#",
    "#K.L.M.N.O#",
    "#.#.#.#.#.#",
    "#.P.Q.R.T.#",
    "#U#V#.#W#.#",
    "#..X.Y..Z.#",
    "###########",
)
"""Pillars, and cells between them that each layout leaves free or fills, as doors."""
AROUND = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0))


@part
class NewPlace:
    """Decisions until walkers find a goal in a new layout, after logs of other ones; a function of a key."""

    navigator: Navigator = Navigator(beta=0.002)
    graph: Topology = Topology()
    goals: str = "prior"
    """Where latent goals come from: "prior", "log" (moments of the logs, as seen from here) or "random" (actions drawn)."""
    shut: float = 0.3
    """The share of cells that a layout fills."""
    logs: int = 8
    """Layouts of the logs."""
    rows: int = 16
    """Walkers of one log."""
    ticks: int = 312
    """Decisions of each."""
    held: int = 8
    """Decisions for which a random action is held."""
    updates: int = 2000
    batch: int = 128
    horizon: int = 20
    """How much later the goal of a pair lies, at most."""
    legs: int = 150
    """Legs of ten decisions on the search."""
    walkers: int = 4
    """Searches in the new layout, from the same start."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Learn from the logs and search: {measure: float32 []}."""
        drawing, logging, learning, searching = keys.split(key, "draw", "log", "learn", "search")
        doors = (jax.random.uniform(drawing, (self.logs + 1, self._doors)) > self.shut).astype(jnp.float32)
        logs = jax.vmap(self.log)(jax.random.split(logging, self.logs), doors[:-1])
        state = self.learned(learning, logs, doors[:-1])
        goal = self.goal(doors[-1])
        walks = jax.random.split(searching, self.walkers)
        found = jax.vmap(lambda key: self.searched(key, state, logs, doors[-1], goal))(walks)
        return {"found": jnp.mean(found)}

    def log(self, key: jax.Array, doors: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Random motion in a layout: bodies float32 [rows, ticks, 4] and actions [rows, ticks, 2]."""
        placing, pushing = keys.split(key, "place", "push")
        cells = jnp.array(np.argwhere(np.array([list(line) for line in PILLARS]) == "."))
        middle = cells[jax.random.randint(placing, (self.rows,), 0, len(cells))][:, ::-1] + 0.5
        pushes = jax.random.uniform(pushing, (-(-self.ticks // self.held), self.rows, 2), minval=-1.0, maxval=1.0)
        pushes = jnp.repeat(pushes, self.held, axis=0)[: self.ticks]

        def tick(body: jax.Array, push: jax.Array) -> tuple[jax.Array, jax.Array]:
            return jax.vmap(lambda one, push: self.moved(one, push, doors))(body, push), body

        start = jnp.concatenate([middle.astype(jnp.float32), jnp.zeros((self.rows, 2))], axis=1)
        _, bodies = jax.lax.scan(tick, start, pushes)
        return bodies.swapaxes(0, 1), pushes.swapaxes(0, 1)

    def learned(self, key: jax.Array, logs: tuple[jax.Array, jax.Array], doors: jax.Array) -> Any:
        """The navigator after all updates."""

        def update(at: Any, state: Any) -> Any:
            where, when, later, learning = jax.random.split(jax.random.fold_in(key, at), 4)
            log, row = jax.random.randint(where, (2, self.batch), 0, jnp.array([[self.logs], [self.rows]]))
            now = jax.random.randint(when, (self.batch,), 0, self.ticks - self.horizon)
            steps = jax.random.randint(later, (self.batch,), 1, self.horizon + 1)
            body, then = logs[0][log, row, now], logs[0][log, row, now + steps]
            seen, wanted = self.seen(body, doors[log]), self.wanted(body, then)
            return self.navigator.learn(
                learning, state, seen, wanted, logs[1][log, row, now], steps.astype(jnp.float32), jnp.ones(self.batch)
            )[0]

        return jax.lax.fori_loop(0, self.updates, update, self.navigator.init(key, 2 + len(AROUND), 2, 2))

    def searched(self, key: jax.Array, state: Any, logs: Any, doors: jax.Array, goal: jax.Array) -> jax.Array:
        """The decisions until the goal is found, from the start: float32 []."""
        start = jnp.array([1.5, 1.5, 0.0, 0.0])
        graph = self.graph.init(width=4)
        zero = jnp.int32(0)

        def leg(held: Any, key: jax.Array) -> tuple[Any, None]:
            body, graph, target, arrived, left = held
            drawing, pushing, logging = jax.random.split(key, 3)
            graph, node = self.graph.visited(graph, body, *self.apart(state, graph.places, body, doors))
            ways = self.graph.ways(graph)
            # where the target is reached, one leg explores from it; then the next target is set
            target = jnp.where(arrived, self.graph.rarest(graph, ways, node), target)
            here = node == target
            explore = self.proposed(drawing, logging, state, logs, body, doors)
            hop = graph.places[self.graph.next_hop(graph, ways, node, target)]
            latent = jnp.where(here, explore, self.towards(state, body, hop, doors))
            close = self.navigator.far(state, self.towards(state, body, goal, doors)[None], self.seen(body[None], doors[None]))[0]
            seeks = (close < 10.0) & (jnp.sum((body[:2] - goal[:2]) ** 2) < 4.0)
            latent = jnp.where(seeks, self.towards(state, body, goal, doors), latent)

            def tick(held: Any, _: Any) -> tuple[Any, None]:
                body, left, found = held
                push = self.navigator.act(state, latent[None], self.seen(body[None], doors[None]))[0]
                push = jax.random.uniform(pushing, (2,), minval=-1.0, maxval=1.0) if self.goals == "random" else push
                body = self.moved(body, push, doors)
                found = found | (jnp.sum((body[:2] - goal[:2]) ** 2) < 0.25)
                return (body, left - ~found, found), None

            (body, left, found), _ = jax.lax.scan(tick, (body, left, left < 0), None, length=10)
            return (body, graph, target, here, jnp.where(found & (left >= 0), -1 - left, left)), None

        begun = (start, graph, zero, jnp.bool_(True), jnp.int32(10 * self.legs))
        (_, _, _, _, left), _ = jax.lax.scan(leg, begun, jax.random.split(key, self.legs))
        # a negative number says that it was found with so many left, less one
        return (10 * self.legs - jnp.where(left < 0, -1 - left, 0)).astype(jnp.float32)

    def proposed(self, key: jax.Array, logging: jax.Array, state: Any, logs: Any, body: jax.Array, doors: jax.Array) -> jax.Array:
        """A latent goal to explore: float32 [size]."""
        if self.goals != "log":
            return self.navigator.sampled(key, 1)[0]
        log, row, at = (jax.random.randint(jax.random.fold_in(logging, index), (), 0, most)
                        for index, most in enumerate((self.logs, self.rows, self.ticks)))  # fmt: skip
        return self.towards(state, body, logs[0][log, row, at], doors)

    def towards(self, state: Any, body: jax.Array, goal: jax.Array, doors: jax.Array) -> jax.Array:
        """The latent of a goal as seen from a body: float32 [size]."""
        return self.navigator.encode(state, self.seen(body[None], doors[None]), self.wanted(body[None], goal[None]))[0][0]

    def apart(self, state: Any, places: jax.Array, body: jax.Array, doors: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Predicted decisions from a body to places [K, 4], and back: float32 [K] each."""
        here = jnp.broadcast_to(body, places.shape)
        walls = jnp.broadcast_to(doors, (places.shape[0], *doors.shape))
        found = []
        for one, other in ((here, places), (places, here)):
            seen = self.seen(one, walls)
            latent, _ = self.navigator.encode(state, seen, self.wanted(one, other))
            # the logs hold no pairs that lie further apart
            outside = jnp.sum((one[:, :2] - other[:, :2]) ** 2, axis=-1) > 4.0
            found.append(jnp.where(outside, jnp.inf, self.navigator.far(state, latent, seen)))
        return found[0], found[1]

    def seen(self, body: jax.Array, doors: jax.Array) -> jax.Array:
        """What bodies [N, 4] see in layouts [N, D]: place in the cell and the walls around, float32 [N, 10]. The speed is not
        shown: it would tell the action that a log holds."""

        def one(body: jax.Array, doors: jax.Array) -> jax.Array:
            cell = jnp.floor(body[:2])
            walls = [self._maze._shut(cell[0] + right + 0.5, cell[1] + down + 0.5, doors) for down, right in AROUND]
            return jnp.concatenate([body[:2] - cell - 0.5, jnp.stack(walls).astype(jnp.float32)])

        return jax.vmap(one)(body, doors)

    def wanted(self, body: jax.Array, goal: jax.Array) -> jax.Array:
        """Goals [N, 4] as seen from bodies [N, 4]: float32 [N, 2]."""
        return jnp.clip((goal[:, :2] - body[:, :2]) / 3.0, -3.0, 3.0)

    def goal(self, doors: jax.Array) -> jax.Array:
        """The cell ten steps away, or the nearest to that many, of those that can be reached: float32 [4]."""
        task = MazeTask(doors=doors, goal=jnp.array([1.5, 1.5]))
        far = self._maze._steps_from(task)[1:-1, 1:-1]
        best = jnp.argmin(jnp.where(jnp.isfinite(far), jnp.abs(far - 10.0), jnp.inf))
        row, column = jnp.divmod(best, far.shape[1])
        return jnp.array([0.5, 0.5, 0.0, 0.0]).at[:2].add(jnp.stack([column, row]).astype(jnp.float32))

    def moved(self, body: jax.Array, push: jax.Array, doors: jax.Array) -> jax.Array:
        """The body [4] after one decision."""
        task = MazeTask(doors=doors, goal=jnp.zeros(2))
        after = self._maze.advance(jax.random.key(0), MazeBody(position=body[:2], speed=body[2:]), push, task)[0]
        return jnp.concatenate([after.position, after.speed])

    @property
    def _maze(self) -> PointMaze:
        return PointMaze(layout=PILLARS)

    @property
    def _doors(self) -> int:
        return self._maze.spec.task.doors.shape[0]
