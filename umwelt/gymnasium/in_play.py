"""Step a pure world from outside: rows that begin on tasks by name, in one compiled call for all of them."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, spaces
from umwelt.worlds import BUILT_IN, stream_named, with_batch
from umwelt.worlds.announced import SEEN, Announced, seen_space
from umwelt.worlds.sketch import bodies, can_draw, drawing, innermost, picture
from umwelt.worlds.streams import PURE

LARGER = 4
"""How many times a drawing is enlarged to be shown."""
MODES = ("rgb_array",)
"""Render modes of a world that can be drawn."""


def world_named(name: Any, announced: bool, fields: dict[str, Any]) -> tuple[Any, str]:
    """A pure world of one row and its task at the start, from NAME, STREAM, STREAM:SIZE or a world itself."""
    world: Any = name
    task = ""
    if isinstance(name, str) and name in BUILT_IN:
        world = BUILT_IN[name](**fields)
    elif fields:
        raise ValueError(f"fields {', '.join(fields)} belong to a built-in world: make one with them, and give it as `name`")
    elif isinstance(name, str):
        if name.partition(":")[0] not in PURE:
            raise ValueError(f"name: there is no pure world called {name!r}; known: {', '.join([*BUILT_IN, *PURE])}")
        stream = stream_named(name)
        world, task = stream.world, stream.names[0]
    if world.spec.hosted:
        raise ValueError(f"name: {world.spec.name} is a hosted world, and so an environment already: make that one instead")
    return with_batch(Announced(world=world) if announced else world, 1), task


class Played:
    """A pure world in play: its state, the tasks of its rows, and the key of its randomness.

    task: the task of episodes for which `begin` names none, by name; empty for the world's first.
    """

    def __init__(self, world: Any, task: str) -> None:
        self.world, self.named = world, world.tasks()
        self.rows: int = world.spec.batch
        self.default = task or next(iter(self.named))
        self.names: list[str | None] = [self.default] * self.rows
        self.state: Any = None
        self.step: TimeStep | None = None
        self._begin, self._onward = programs(world)
        self._tasks: Any = self._stacked(self.names)
        self._key, self._count = np.zeros(2, np.uint32), 0

    def begin(self, random: np.random.Generator, options: dict[str, Any] | None) -> TimeStep:
        """Begin an episode in every row. `options["task"]`: a task for all rows, or a list of one for each."""
        check_options(options)
        asked = (options or {}).get("task", self.default)
        each = list(asked) if isinstance(asked, list | tuple | np.ndarray) else [asked] * self.rows
        if len(each) != self.rows:
            raise ValueError(f"options['task'] has {len(each)} tasks for {self.rows} rows: give one for all, or one for each")
        self._tasks = self._stacked(each)
        self.names = [str(one) if isinstance(one, str) else None for one in each]
        self._key, self._count = random.integers(0, 2**32, 2, dtype=np.uint32), 0
        return self._taken(*self._begin(self._key, self._tasks))

    def onward(self, action: np.ndarray) -> TimeStep:
        """Take one decision in every row; a row whose episode had ended begins its task again."""
        self._count += 1
        return self._taken(*self._onward(self._key, np.uint32(self._count), self.state, action, self._tasks))

    def frames(self) -> np.ndarray:
        """uint8 [B, H, W, 3]: how the rows look now."""
        paint = painter(self.world)
        assert paint is not None
        assert self.step is not None
        return np.array(paint(self.state, self.step.observation))

    def _taken(self, state: Any, step: TimeStep) -> TimeStep:
        # NumPy reads single entries much faster than JAX does, and every decision reads several
        taken: TimeStep = jax.tree.map(np.asarray, step)
        self.state, self.step = state, taken
        return taken

    def _stacked(self, tasks: Sequence[Any]) -> Any:
        """The tasks of all rows, leaves [B, ...]."""
        found = [self._task(task) for task in tasks]
        return jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *found)

    def _task(self, task: Any) -> Any:
        if isinstance(task, str):
            if task not in self.named:
                raise ValueError(f"task {task!r} is no task of {self.world.spec.name}; known: {', '.join(self.named)}")
            return self.named[task]
        if fault := spaces.contains(self.world.spec.task, task):
            raise ValueError(f"task {task!r} is neither a name nor a task of {self.world.spec.name}: {fault}")
        return task


@lru_cache(maxsize=32)
def programs(world: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """`begin(words, tasks)` and `onward(words, count, state, action, tasks)` of a world, compiled once for equal worlds."""

    def begin(words: Any, tasks: Any) -> Any:
        return world.init(jax.random.wrap_key_data(words), tasks)

    def onward(words: Any, count: Any, state: Any, action: Any, tasks: Any) -> Any:
        return world.step(jax.random.fold_in(jax.random.wrap_key_data(words), count), state, action, tasks)

    return jax.jit(begin), jax.jit(onward)


def check_options(options: dict[str, Any] | None) -> None:
    """Refuse options of `reset` that mean nothing here."""
    wrong = sorted(set(options or {}) - {"task"})
    if wrong:
        raise ValueError(f"options holds {', '.join(map(repr, wrong))}; the only option is 'task', the name of a task")


@lru_cache(maxsize=32)
def painter(world: Any) -> Callable[[Any, Any], jax.Array] | None:
    """From a state and observations to frames uint8 [B, H, W, 3]; None where there is nothing to look at."""
    space = world.spec.observation
    seen = seen_space(space)
    if isinstance(seen, Box) and len(seen.shape) == 3 and seen.dtype == "uint8":
        channels = 3 if seen.shape[-1] % 3 == 0 else 1
        return jax.jit(lambda _, shown: _coloured((shown if seen is space else shown[SEEN])[..., -channels:]))
    if not can_draw(innermost(world)):
        return None

    @jax.jit
    def paint(state: Any, _: Any) -> jax.Array:
        found = bodies(world, state)
        assert found is not None
        inside, body, task = found
        drawn = jax.vmap(lambda body, task: picture(drawing(inside, body, task)))(body, task)
        return _coloured(jnp.repeat(jnp.repeat(drawn, LARGER, axis=1), LARGER, axis=2))

    return paint


def modes(world: Any) -> tuple[str, ...]:
    """The render modes that a world has."""
    return MODES if painter(world) is not None else ()


def checked_mode(world: Any, mode: str | None) -> str | None:
    """A render mode, if the world has it; else a ValueError that names the mend."""
    if mode is None or mode in modes(world):
        return mode
    if mode in MODES:
        raise ValueError(
            f"render_mode {mode!r}: {world.spec.name} cannot be drawn; leave it None, or register a function (world, body,"
            " task) -> Strokes with umwelt.worlds.sketch.drawing.register"
        )
    raise ValueError(f"render_mode {mode!r} is not known: give 'rgb_array' or None")


def checked_actions(space: Any, action: Any, *lead: int) -> np.ndarray:
    """Actions with the leading axes `lead` as an array of the space's dtype; a ValueError where they do not fit."""
    array = np.asarray(action)
    if array.shape != (*lead, *space.shape):
        raise ValueError(f"action has shape {list(array.shape)}; give {[*lead, *space.shape]}, as the action space says")
    if isinstance(space, Discrete) and (array.dtype.kind not in "iu" or not np.all((array >= 0) & (array < space.n))):
        raise ValueError(f"action is {action}; give whole numbers 0 .. {space.n - 1}, as the action space says")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError("action holds NaN or infinity: whatever chose it has diverged")
    return array.astype(space.dtype, copy=False)


def plain_space(space: Any) -> Any:
    """The action space of a world; a TypeError where it is not one Box or one Discrete."""
    if not isinstance(space, Box | Discrete):
        raise TypeError(f"name: actions of {space} are not supported; give a world whose actions are one Box or one Discrete")
    return space


def shown(space: Any, value: Any, row: int | None = None) -> Any:
    """A value as Gymnasium has it: NumPy's arrays, dicts in the place of structs. row: that row alone."""
    if isinstance(space, Box | Discrete):
        return np.array(value if row is None else value[row])
    if isinstance(space, tuple):
        return tuple(shown(inner, part, row) for inner, part in zip(space, value, strict=True))
    if isinstance(space, dict):
        return {name: shown(inner, value[name], row) for name, inner in space.items()}
    return {name: shown(inner, getattr(value, name), row) for name, inner in vars(space).items()}


def _coloured(frames: jax.Array) -> jax.Array:
    return jnp.broadcast_to(frames, (*frames.shape[:-1], 3))
