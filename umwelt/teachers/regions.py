"""Learning progress by boxes: a tree of boxes, each cut where its halves progress most differently.

"R-IAC: Robust intrinsically motivated exploration and active learning" (2009), with the minimal sizes of "Teacher
algorithms for curriculum learning of Deep RL in continuously parameterized environments" (2019).
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Feedback, Info, keys, part, select, struct
from umwelt.teachers.cube import Cube, Range, cube_of
from umwelt.teachers.outcomes import Of, result_of


@struct
class Boxes:
    """low, high: float32 [N, D]. leaf: bool [N]. places: float32 [N, S, D] and values: float32 [N, S], the last episodes
    of each box. head: int32 [N], the slot that is written next. size: int32 [N]. used: int32, boxes so far."""

    low: jax.Array
    high: jax.Array
    leaf: jax.Array
    places: jax.Array
    values: jax.Array
    head: jax.Array
    size: jax.Array
    used: jax.Array


@struct
class RegionsState:
    """cube: where tasks lie. boxes: the tree. progress: float32 [N], of each box."""

    cube: Cube
    boxes: Boxes
    progress: jax.Array


@part
class Regions:
    """RIAC: draw a box by its progress, then a task in it. Boxes are cut, and progress is found, between two stretches.

    The progress of a box is how far the mean result of the later half of its episodes is from that of the earlier half.
    Most tasks are drawn evenly from a box, some evenly from everywhere, and some near the worst task of a box.

    >>> later = progress_of(jnp.array([0.0, 0.0, 1.0, 1.0]), jnp.ones(4, bool))
    >>> float(later)
    1.0
    """

    of: Of = "returns"
    """The result of an episode: its return, or the surprise or doubt of the student's model."""
    points: int = 200
    """Episodes that a box keeps; a leaf that is full is cut."""
    least: int = 10
    """Episodes on each side of a cut."""
    edge: float = 1 / 15
    """The shortest side of a box."""
    cuts: int = 50
    """Cuts that are tried, at random; the one with the greatest difference in progress is made."""
    even: float = 0.2
    """The share of tasks that are drawn evenly from everywhere."""
    worst: float = 0.1
    """The share of tasks near the worst one of a box."""
    jitter: float = 0.1
    """How far from it, as a standard deviation."""
    splits: int = 2
    """Leaves that are cut at most between two stretches."""
    regions: int = 255
    """Boxes that the tree may have, inner ones included."""
    within: tuple[Range, ...] = ()
    """(field of the task, lowest, highest) of what varies; empty for all fields of the task space."""

    cites = ("riac_2009", "alp_gmm_2019")

    def init(self, key: jax.Array, task_space: Any, named: dict[str, Any]) -> RegionsState:
        """One box, the whole space."""
        self._checked()
        cube = cube_of(task_space, named, self.within)
        number, width = self.regions, cube.width
        zeros = jnp.zeros(number, jnp.int32)
        boxes = Boxes(
            low=jnp.zeros((number, width)),
            high=jnp.ones((number, width)),
            leaf=zeros.at[0].set(1) > 0,
            places=jnp.zeros((number, self.points, width)),
            values=jnp.zeros((number, self.points)),
            head=zeros,
            size=zeros,
            used=jnp.int32(1),
        )
        return RegionsState(cube=cube, boxes=boxes, progress=jnp.zeros(number))

    def ask(self, key: jax.Array, state: RegionsState, n: int) -> tuple[RegionsState, Any]:
        """Draw n tasks."""
        choosing, boxing, placing, shaking = keys.split(key, "mode", "box", "place", "jitter")
        boxes, width = state.boxes, state.cube.width
        real = jnp.arange(self.regions) < boxes.used
        weights = jnp.where(jnp.sum(state.progress) > 0.0, state.progress, 1.0) * real
        box = jax.random.categorical(boxing, jnp.log(jnp.maximum(weights, 1e-30)), shape=(n,))
        low, high = boxes.low[box], boxes.high[box]
        uniform = jax.random.uniform(placing, (n, width))
        inside = low + uniform * (high - low)
        kept = jnp.arange(self.points) < boxes.size[box][:, None]
        poor = boxes.places[box, jnp.argmin(jnp.where(kept, boxes.values[box], jnp.inf), axis=1)]
        poor = jnp.clip(poor + self.jitter * jax.random.normal(shaking, (n, width)), low, high)
        mode = jax.random.uniform(choosing, (n, 1))
        known = (boxes.size[box] > 0)[:, None]
        places = jnp.where(mode < self.worst + self.even, uniform, inside)
        return state, state.cube.tasks(jnp.where((mode < self.worst) & known, poor, places))

    def tell(self, key: jax.Array, state: RegionsState, tasks: Any, feedback: Feedback) -> RegionsState:
        """Put each episode that has ended into every box that holds its task."""
        values, rows = result_of(feedback, self.of)

        def put(boxes: Boxes, given: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[Boxes, None]:
            place, value, ended = given
            inside = jnp.all((boxes.low <= place) & (place <= boxes.high), axis=1)
            inside = inside & (jnp.arange(self.regions) < boxes.used) & ended
            at = jnp.where(inside, boxes.head, self.points)  # what lies outside is dropped
            index = jnp.arange(self.regions)
            return replace(
                boxes,
                places=boxes.places.at[index, at].set(place, mode="drop"),
                values=boxes.values.at[index, at].set(value, mode="drop"),
                head=jnp.where(inside, (boxes.head + 1) % self.points, boxes.head),
                size=jnp.where(inside, jnp.minimum(boxes.size + 1, self.points), boxes.size),
            ), None

        return replace(state, boxes=jax.lax.scan(put, state.boxes, (state.cube.places(tasks), values, rows))[0])

    def reflect(self, key: jax.Array, state: RegionsState) -> tuple[RegionsState, Info]:
        """Cut leaves that are full, and find the progress of every box."""
        boxes = state.boxes
        for index in range(self.splits):
            boxes = self._cut(jax.random.fold_in(key, index), boxes)
        _, values, kept = jax.vmap(_in_order)(boxes.places, boxes.values, boxes.head, boxes.size)
        return replace(state, boxes=boxes, progress=jax.vmap(progress_of)(values, kept)), {}

    def panel(self, named: dict[str, Any]) -> dict[str, Any]:
        """Examine all named tasks of the world."""
        return dict(named)

    def _cut(self, key: jax.Array, boxes: Boxes) -> Boxes:
        """Cut one leaf that is full; where no cut is allowed it loses its oldest quarter."""
        siding, placing = keys.split(key, "side", "place")
        full = boxes.leaf & (boxes.size >= self.points)
        index = jnp.argmax(full)
        low, high = boxes.low[index], boxes.high[index]
        places, values, _ = _in_order(boxes.places[index], boxes.values[index], boxes.head[index], boxes.size[index])
        side = jax.random.randint(siding, (self.cuts,), 0, low.shape[0])
        at = low[side] + jax.random.uniform(placing, (self.cuts,)) * (high - low)[side]
        below = at[:, None] >= places[:, side].T
        sizes = jnp.sum(below, axis=1), jnp.sum(~below, axis=1)
        wide = jnp.minimum(at - low[side], high[side] - at) >= self.edge
        allowed = wide & (jnp.minimum(*sizes) >= self.least)
        apart = jax.vmap(progress_of, (None, 0))(values, below) - jax.vmap(progress_of, (None, 0))(values, ~below)
        score = jnp.where(allowed, sizes[0] * sizes[1] * jnp.abs(apart), -1.0)
        best = jnp.argmax(score)
        room = boxes.used + 2 <= self.regions
        halves = [_filled(places, values, mask) for mask in (below[best], ~below[best])]
        first, second = boxes.used, boxes.used + 1
        made = boxes
        for child, (points, numbers, size) in zip((first, second), halves, strict=True):
            edge = (child == first, side[best])
            made = replace(
                made,
                low=made.low.at[child].set(jnp.where(edge[0], low, low.at[edge[1]].set(at[best]))),
                high=made.high.at[child].set(jnp.where(edge[0], high.at[edge[1]].set(at[best]), high)),
                leaf=made.leaf.at[child].set(True),
                places=made.places.at[child].set(points),
                values=made.values.at[child].set(numbers),
                head=made.head.at[child].set(size % self.points),
                size=made.size.at[child].set(size),
            )
        made = replace(made, leaf=made.leaf.at[index].set(False), used=boxes.used + 2)
        shorter = replace(boxes, size=boxes.size.at[index].add(-(self.points // 4)))
        cut = select((score[best] >= 0.0) & room, made, shorter)
        return select(jnp.any(full), cut, boxes)

    def _checked(self) -> None:
        if self.of not in ("returns", "surprise", "doubt"):
            raise ValueError(f"of={self.of!r}: Regions takes 'returns', 'surprise' or 'doubt'")
        if self.points < 4 * self.least or self.least < 1:
            raise ValueError(f"points={self.points}, least={self.least}: a box keeps four times as many episodes as a side needs")
        if not 0.0 <= self.even + self.worst <= 1.0 or min(self.even, self.worst) < 0.0:
            raise ValueError(f"even={self.even}, worst={self.worst}: two shares whose sum is 1 at most")
        if self.regions < 3:
            raise ValueError(f"regions={self.regions}: 3 boxes at least, a whole and its two parts")


def progress_of(values: jax.Array, kept: jax.Array) -> jax.Array:
    """How far the mean of the later half of values [S] is from that of the earlier one, of those that are kept [S]."""
    size = jnp.sum(kept)
    later = kept & (jnp.cumsum(kept) > size - size // 2)
    earlier = kept & ~later
    means = [jnp.sum(jnp.where(half, values, 0.0)) / jnp.maximum(jnp.sum(half), 1) for half in (later, earlier)]
    return jnp.where(size > 2, jnp.abs(means[0] - means[1]), 0.0)


def _in_order(places: jax.Array, values: jax.Array, head: jax.Array, size: jax.Array) -> tuple[jax.Array, ...]:
    """The episodes of one box, the oldest first, and which slots [S] hold one."""
    slots = values.shape[0]
    at = (head - size + jnp.arange(slots)) % slots
    return places[at], values[at], jnp.arange(slots) < size


def _filled(places: jax.Array, values: jax.Array, mask: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Episodes of `mask` [S] moved to the first slots, in order, and how many they are."""
    order = jnp.argsort(~mask, stable=True)
    return places[order], values[order], jnp.sum(mask)
