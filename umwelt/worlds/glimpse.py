"""Simulate an eye over a field in which a digit lies: it sees a few coarse pixels of a square, and moves and zooms it."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Box, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream
from umwelt.worlds.card_sets import digits

SIDE = 8
"""Pixels of a digit along each axis."""
SPREAD = 4.0
"""Pixels of the field that a pixel of a digit is enlarged to."""


@struct
class GlimpseTask:
    """held_out: int32 [], 1 for digits that are kept apart for exams."""

    held_out: Any


@struct
class GlimpseBody:
    """table: float32 [9, 9], the sums of the digit's pixels above and left of each of their corners. corner: float32 [2],
    where its upper left corner lies in the field, row and column. label: int32 []. where: float32 [3], the last glimpse."""

    table: jax.Array
    corner: jax.Array
    label: jax.Array
    where: jax.Array


@part
class Glimpse:
    """Look at a digit somewhere in a field by small coarse glimpses; where they are, and how wide, is the action.

    A glimpse is x, y and scale, each from -1 to 1. The first one shows the whole field. The world pays nothing: what a
    look is worth is the affair of the agent.

    >>> world = Glimpse(batch=1)
    >>> task = jax.tree.map(lambda leaf: leaf[None], world.tasks()["all"])
    >>> world.init(jax.random.key(0), task)[1].observation["glimpse"].shape
    (1, 16)
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 3
    """Glimpses after the first one."""
    field: float = 64.0
    """Pixels of the field along each axis."""
    pixels: int = 4
    """Pixels of a glimpse along each axis."""
    nearest: float = 16.0
    """Pixels of the field along the narrowest glimpse; the widest shows all of it."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        where = Box(shape=(3,), low=-1.0, high=1.0)
        return WorldSpec(
            name="glimpse",
            observation={"glimpse": Box(shape=(self.pixels**2,)), "where": where},
            action=where,
            task=GlimpseTask(held_out=Box(low=0, high=1, dtype="int32")),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, GlimpseTask]:
        """Named tasks: digits to learn from, and those that are held out."""
        found = {"all": 0, "all_held_out": 1}
        return {name: GlimpseTask(held_out=jnp.int32(each)) for name, each in found.items()}

    def begin(self, key: jax.Array, task: GlimpseTask) -> GlimpseBody:
        """Draw a digit and where it lies, and show the whole field."""
        choosing, drawing, placing = jax.random.split(key, 3)
        pictures, table, counts = digits()
        held_out = jnp.asarray(task.held_out)
        label = jax.random.randint(choosing, (), 0, 10, jnp.int32)
        which = (jax.random.uniform(drawing) * jnp.asarray(counts)[held_out, label]).astype(jnp.int32)
        # the field around a digit is as dark as its darkest pixel
        digit = jnp.asarray(pictures)[jnp.asarray(table)[held_out, label, which]] - pictures.min()
        summed = jnp.pad(jnp.cumsum(jnp.cumsum(digit, axis=0), axis=1), ((1, 0), (1, 0)))
        corner = jax.random.uniform(placing, (2,)) * (self.field - SIDE * SPREAD)
        return GlimpseBody(table=summed, corner=corner, label=label, where=jnp.array([0.0, 0.0, 1.0]))

    def advance(
        self, key: jax.Array, body: GlimpseBody, action: jax.Array, task: GlimpseTask
    ) -> tuple[GlimpseBody, jax.Array, jax.Array]:
        """Move the eye."""
        where = jnp.clip(action, -1.0, 1.0)
        after = GlimpseBody(table=body.table, corner=body.corner, label=body.label, where=where)
        return after, jnp.float32(0.0), jnp.bool_(False)

    def observe(self, body: GlimpseBody, task: GlimpseTask) -> dict[str, jax.Array]:
        """The glimpse, float32 [pixels squared], and where it is, float32 [3]."""
        return {"glimpse": self.look(body, body.where), "where": body.where}

    def look(self, body: GlimpseBody, where: jax.Array) -> jax.Array:
        """Average the field over each pixel of a glimpse: float32 [pixels squared], the upper row first."""
        width = self.nearest * (self.field / self.nearest) ** ((where[2] + 1.0) / 2.0)
        left, top = (0.5 * (where[axis] + 1.0) * (self.field - width) for axis in (0, 1))
        edges = jnp.arange(self.pixels + 1) * (width / self.pixels)
        rows, columns = ((start + edges - body.corner[axis]) / SPREAD for axis, start in ((0, top), (1, left)))
        sums = _summed(body.table, rows, columns)
        inside = sums[1:, 1:] - sums[:-1, 1:] - sums[1:, :-1] + sums[:-1, :-1]
        return (inside * (SPREAD * self.pixels / width) ** 2).reshape(-1)

    def init(self, key: jax.Array, task: GlimpseTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: GlimpseTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


def _summed(table: jax.Array, rows: jax.Array, columns: jax.Array) -> jax.Array:
    """The sum of all that lies above and left of rows [n] and columns [m], in pixels of the digit: float32 [n, m]. Between
    corners it is bilinear, because a pixel is even."""

    def shares(places: jax.Array) -> jax.Array:
        """How far each corner counts, float32 [n, 9]: a tent around each place."""
        inside = jnp.clip(places, 0.0, float(SIDE))
        return jnp.maximum(1.0 - jnp.abs(inside[:, None] - jnp.arange(SIDE + 1)), 0.0)

    return shares(rows) @ table @ shares(columns).T
