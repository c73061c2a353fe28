"""A teacher that has taught others: it finds an earlier student that tested alike, and follows what helped that one.

"Meta Automatic Curriculum Learning" (2020).
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Feedback, Info, keys, part, struct
from umwelt.teachers.em import Gaussians, drawn
from umwelt.teachers.mixture import Mixture, MixtureState
from umwelt.teachers.outcomes import Outcomes, scaled


@struct
class Records:
    """Earlier students, E of them, with T fits each. tests: float32 [E, V], their tests. scores: float32 [E], how well they
    ended. mixtures: leaves [E, T, K, ...]. weights: float32 [E, T, K], the progress of each component. returns: float32
    [E, T], the mean result just before each fit."""

    tests: jax.Array
    scores: jax.Array
    mixtures: Gaussians
    weights: jax.Array
    returns: jax.Array


@struct
class EldersState:
    """inner: the running teacher. records: earlier students. chosen: int32, the one that is followed, -1 before the test.
    index: int32, its present fit."""

    inner: MixtureState
    records: Records
    chosen: jax.Array
    index: jax.Array


@part
class Elders:
    """AGAIN: test a new student, take the best of those that tested alike, and go through its fits without idle parts.

    The test is what the first episodes came to, as a smooth map over a grid of tasks. Fits are followed in one of three
    ways: one after the other as results reach what the elder's were (`R`), one after each fit of its own (`T`), or all
    together (`P`). A share of tasks comes from a running teacher of its own.

    >>> past = Outcomes(places=jnp.array([[0.1], [0.9]]), values=jnp.array([1.0, 0.0]), count=jnp.int32(2))
    >>> [round(float(value), 1) for value in surveyed(past, cells=3)]
    [1.0, 0.5, 0.0]
    """

    file: str = ""
    """Where `save_records` has put earlier students; empty for none, and then `begun` is given them."""
    teacher: Mixture = Mixture()
    """Teaches before the test, and beside the elder's fits after it."""
    variant: Literal["R", "T", "P"] = "R"
    """How the fits of an elder are followed."""
    pretest: int = 1000
    """Episodes of the test."""
    nearest: int = 5
    """Elders that tested most alike, of which the best is followed."""
    alike: bool = True
    """Look for those that tested alike; else draw as many at random, as a control."""
    floor: float = 0.2
    """Progress below which a component of an elder's fit is idle, as a share of its greatest."""
    own: float = 0.5
    """The share of tasks of the running teacher, after the test."""
    even: float = 0.02
    """The share of even tasks among the others."""
    cells: int = 10
    """Places of the test along each side of the cube."""

    cites = ("again_2020", "alp_gmm_2019")

    def init(self, key: jax.Array, task_space: Any, named: dict[str, Any]) -> EldersState:
        """Read the earlier students from `file`."""
        if not self.file:
            raise ValueError("file: Elders needs earlier students; write them with save_records, and name the file here")
        return self.begun(key, task_space, named, load_records(Path(self.file)))

    def begun(self, key: jax.Array, task_space: Any, named: dict[str, Any], records: Records) -> EldersState:
        """Know these earlier students, and follow none yet."""
        if self.variant not in ("R", "T", "P"):
            raise ValueError(f"variant={self.variant!r}: Elders follows in the ways 'R', 'T' or 'P'")
        inner = self.teacher.init(key, task_space, named)
        if records.tests.shape[1] != self.cells**inner.cube.width:
            raise ValueError(f"cells={self.cells}: earlier students were tested in {records.tests.shape[1]} places")
        return EldersState(inner=inner, records=records, chosen=jnp.int32(-1), index=jnp.int32(0))

    def ask(self, key: jax.Array, state: EldersState, n: int) -> tuple[EldersState, Any]:
        """Ask the running teacher for n tasks, and after the test replace most of them."""
        asking, choosing, placing, drawing = keys.split(key, "inner", "choose", "even", "elder")
        inner, tasks = self.teacher.ask(asking, state.inner, n)
        cube = state.inner.cube
        mixture, weights = self._followed(state)
        busy = jnp.where(weights >= self.floor * jnp.max(weights), weights, 0.0)
        elder = drawn(drawing, mixture, busy, n, cube.width)
        mode = jax.random.uniform(choosing, (n, 1))
        even = (mode < self.own + self.even) | (jnp.max(busy) <= 0.0)
        places = jnp.where(even, jax.random.uniform(placing, (n, cube.width)), elder)
        running = (mode < self.own) | (state.chosen < 0)
        return replace(state, inner=inner), cube.tasks(jnp.where(running, cube.places(tasks), places))

    def tell(self, key: jax.Array, state: EldersState, tasks: Any, feedback: Feedback) -> EldersState:
        """Hand the results to the running teacher."""
        return replace(state, inner=self.teacher.tell(key, state.inner, tasks, feedback))

    def reflect(self, key: jax.Array, state: EldersState) -> tuple[EldersState, Info]:
        """Let the running teacher fit, choose an elder once the test is over, and go on to its next fits."""
        inner, info = self.teacher.reflect(key, state.inner)
        count = inner.outcomes.count
        due = (count >= self.pretest) & (state.chosen < 0)
        chosen = jnp.where(due, self._chosen(key, state, inner.outcomes), state.chosen)
        fits = state.records.returns.shape[1]
        if self.variant == "T":
            index = jnp.clip((count - self.pretest) // self.teacher.every, 0, fits - 1)
        else:
            _, values, numbers = inner.outcomes.newest(50)
            recent = jnp.sum(jnp.where(numbers >= 0, values, 0.0)) / 50.0
            # the first fit from here on whose results are not reached yet
            missing = (state.records.returns[chosen] > recent) & (jnp.arange(fits) >= state.index)
            index = jnp.where(jnp.any(missing), jnp.argmax(missing), fits - 1)
        index = jnp.where((state.chosen >= 0) & (self.variant != "P"), index, state.index)
        return replace(state, inner=inner, chosen=chosen, index=index), info

    def panel(self, named: dict[str, Any]) -> dict[str, Any]:
        """Examine all named tasks of the world."""
        return dict(named)

    def _chosen(self, key: jax.Array, state: EldersState, outcomes: Outcomes) -> jax.Array:
        """The elder to follow: int32."""
        test = surveyed(replace(outcomes, values=scaled(outcomes.values, outcomes, self.teacher.scale)), self.cells)
        apart = jnp.sum((state.records.tests - test) ** 2, axis=1)
        if not self.alike:
            apart = jax.random.uniform(key, apart.shape)
        near = jnp.argsort(apart)[: self.nearest]
        return near[jnp.argmax(state.records.scores[near])].astype(jnp.int32)

    def _followed(self, state: EldersState) -> tuple[Gaussians, jax.Array]:
        """The mixture of the present fit of the elder, or of all its fits together, and its weights."""
        at = jnp.maximum(state.chosen, 0)
        mixtures, weights = jax.tree.map(lambda leaf: leaf[at], (state.records.mixtures, state.records.weights))
        if self.variant == "P":
            return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), (mixtures, weights))
        return jax.tree.map(lambda leaf: leaf[state.index], (mixtures, weights))


def surveyed(outcomes: Outcomes, cells: int, width: float = 0.1) -> jax.Array:
    """A smooth map of results over a grid of `cells` places along each side: float32 [cells ** D]."""
    sides = outcomes.places.shape[1]
    line = (jnp.arange(cells) + 0.5) / cells
    grid = jnp.stack(jnp.meshgrid(*[line] * sides, indexing="ij"), axis=-1).reshape(-1, sides)
    apart = sum((grid[:, None, side] - outcomes.places[None, :, side]) ** 2 for side in range(sides))
    near = jnp.exp(-0.5 * apart / width**2) * (outcomes.numbers >= 0)
    return near @ outcomes.values / jnp.maximum(jnp.sum(near, axis=1), 1e-6)


def save_records(path: Path, records: Records) -> None:
    """Write earlier students to a file of NumPy arrays."""
    mixtures = {f"mixture_{name}": leaf for name, leaf in vars(records.mixtures).items()}
    plain = {name: getattr(records, name) for name in ("tests", "scores", "weights", "returns")}
    arrays: dict[str, Any] = {name: np.asarray(leaf) for name, leaf in (plain | mixtures).items()}
    np.savez_compressed(path, **arrays)


def load_records(path: Path) -> Records:
    """Read earlier students from a file of NumPy arrays."""
    with np.load(path) as found:
        arrays = {name: jnp.asarray(found[name]) for name in found.files}
    mixture = {name.removeprefix("mixture_"): leaf for name, leaf in arrays.items() if name.startswith("mixture_")}
    plain = {name: leaf for name, leaf in arrays.items() if not name.startswith("mixture_")}
    return Records(mixtures=Gaussians(**mixture), **plain)
