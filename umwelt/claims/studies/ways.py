"""How well a distance orders pairs of moments in a maze by the steps between them on foot."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.claims.arms import Measure
from umwelt.claims.studies.ordered import spearman
from umwelt.core import keys, part
from umwelt.networks.form import form
from umwelt.networks.temporal import Temporal, TemporalState, length
from umwelt.worlds.point_maze import MazeBody, PointMaze

ORDER = Measure(name="order", unit="rank correlation", better="up")
"""Spearman's correlation of the distance with the steps between two cells, over pairs of moments."""


@part
class Ordered:
    """The order of distances that were learned from random motion; a function of a key."""

    world: PointMaze
    temporal: Temporal = Temporal()
    updates: int = 1500
    """Updates of the representation; 0 measures the straight line instead."""
    batch: int = 512
    rows: int = 64
    ticks: int = 300
    """Random decisions of each row, which begins anywhere."""
    pairs: int = 600
    """Pairs of moments that are compared."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Wander, learn and compare: {measure: float32 []}."""
        wandering, learning, comparing = keys.split(key, "wander", "learn", "compare")
        seen = self.wandered(wandering)
        units = form(self.world.spec.observation).units(seen.reshape(-1, seen.shape[-1])).reshape(seen.shape)
        chosen = jax.random.randint(comparing, (2, 2, self.pairs), 0, jnp.array([self.ticks, self.rows])[:, None, None])
        one, other = ((chosen[0, side], chosen[1, side]) for side in (0, 1))
        steps = self.steps(seen[one], seen[other])
        if not self.updates:
            return {"order": spearman(length((seen[one] - seen[other])[:, :2]), steps)}
        state = self.learned(learning, units)
        return {"order": spearman(self.temporal.distance(state, units[one], units[other]), steps)}

    def wandered(self, key: jax.Array) -> jax.Array:
        """Observations float32 [ticks, rows, 4] of random motion from anywhere."""
        placing, moving = keys.split(key, "place", "move")
        task = {name: task for name, task in self.world.tasks().items()}["far"]  # noqa: C416
        free = np.argwhere(np.isfinite(_steps_from(self.world, *_free(self.world)[0])))
        cells = jnp.asarray(free)[jax.random.randint(placing, (self.rows,), 0, len(free))]
        middle = cells[:, ::-1].astype(jnp.float32) + 0.5
        bodies = MazeBody(position=middle, speed=jnp.zeros_like(middle))

        def tick(bodies: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            action = jax.random.uniform(key, (self.rows, 2), minval=-1.0, maxval=1.0)
            moved = jax.vmap(lambda body, push: self.world.advance(key, body, push, task)[0])(bodies, action)
            return moved, jnp.concatenate([bodies.position, bodies.speed], axis=-1)

        return jax.lax.scan(tick, bodies, jax.random.split(moving, self.ticks))[1]

    def learned(self, key: jax.Array, units: jax.Array) -> TemporalState:
        """The representation after all updates."""

        def update(at: Any, state: TemporalState) -> TemporalState:
            drawing = jax.random.fold_in(key, at)
            ends = jnp.array([self.ticks - 1, self.rows])[:, None, None]
            chosen = jax.random.randint(drawing, (2, 2, self.batch), 0, ends)
            now, after = units[chosen[0, 0], chosen[1, 0]], units[chosen[0, 0] + 1, chosen[1, 0]]
            other = units[chosen[0, 1], chosen[1, 1]]
            return self.temporal.learn(state, now, after, other, jnp.ones(self.batch))[0]

        begun = self.temporal.init(keys.fold(key, "begin"), units.shape[-1])
        return jax.lax.fori_loop(0, self.updates, update, begun)

    def steps(self, one: jax.Array, other: jax.Array) -> jax.Array:
        """Steps from cell to cell between observations [N, 4]: float32 [N]."""
        columns = len(self.world.layout[0])
        number = len(self.world.layout) * columns
        table = np.full((number, number), np.inf, np.float32)
        for row, column in _free(self.world):
            table[row * columns + column] = _steps_from(self.world, row, column).reshape(-1)
        cells = [
            jnp.floor(each[:, 1]).astype(jnp.int32) * columns + jnp.floor(each[:, 0]).astype(jnp.int32) for each in (one, other)
        ]
        return jnp.asarray(table)[cells[0], cells[1]]


def _free(world: PointMaze) -> list[tuple[int, int]]:
    """The row and column of every cell that is no wall."""
    return [(row, column) for row, line in enumerate(world.layout) for column, cell in enumerate(line) if cell != "#"]


def _steps_from(world: PointMaze, row: int, column: int) -> np.ndarray:
    """float32 [rows, columns]: steps to a cell from all others, by breadth-first search."""
    free = set(_free(world))
    far, edge = {(row, column): 0}, [(row, column)]
    while edge:
        around = [(at, (at[0] + down, at[1] + right)) for at in edge for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0))]
        edge = []
        for at, next in around:
            if next in free and next not in far:
                far[next] = far[at] + 1
                edge.append(next)
    made = np.full((len(world.layout), len(world.layout[0])), np.inf, np.float32)
    for (down, right), steps in far.items():
        made[down, right] = steps
    return made
