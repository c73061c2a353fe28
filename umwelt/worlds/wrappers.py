"""Wrap a world: functions from a world to a world.

- `sticky(world, 0.25)`: an action is at times replaced by the one before.
- `stack_frames(world, 4)`: the last observations side by side.
- `normalised(world)`: observations in standard units, measured at random before life (`umwelt.worlds.standard`).
- `scaled_reward(world, 0.1)`: the reward times a factor.
- `repeated(world, 2)`: a decision lasts several steps.
- `limited(world, 100)`: episodes are cut off after so many steps.
- `pictured(world)`: a built-in world seen as 64 x 64 pixels.
- `resized(world, 64)`, `grey(world)`: smaller and grey pictures (`umwelt.worlds.pixels`).
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, TimeStep, WorldSpec, layers, part, select, spaces, struct
from umwelt.networks.inside import around
from umwelt.worlds import sketch
from umwelt.worlds.pixels import grey, resized
from umwelt.worlds.standard import normalised
from umwelt.worlds.wrapped import Wrapped


def sticky(world: Any, chance: float = 0.25) -> Wrapped:
    """With this chance an action is replaced by the one before it in the same episode.

    >>> from umwelt.worlds.pendulum import Pendulum
    >>> layer = sticky(Pendulum(), chance=1.0).layer
    >>> held = Held(action=jnp.array([[2.0]]), fresh=jnp.array([False]))
    >>> float(layer.on_action(jax.random.key(0), held, jnp.array([[-1.0]]))[1][0, 0])
    2.0
    """
    return Wrapped(world=world, layer=Sticky(chance=chance))


def stack_frames(world: Any, number: int = 4) -> Wrapped:
    """The last `number` observations along the last axis; an episode begins with copies of its first.

    >>> from umwelt.worlds.pendulum import Pendulum
    >>> stack_frames(Pendulum(), 2).spec.observation.shape
    (6,)
    """
    return Wrapped(world=world, layer=Frames(number=number))


def scaled_reward(world: Any, factor: float) -> Wrapped:
    """The reward times a factor.

    >>> from umwelt.worlds.pendulum import Pendulum
    >>> step = TimeStep(kind=np.array([1]), observation=np.zeros((1, 3)), reward=np.array([-5.0]))
    >>> float(scaled_reward(Pendulum(), 0.1).layer.on_step((), step)[1].reward[0])
    -0.5
    """
    return Wrapped(world=world, layer=Scaled(factor=factor))


def repeated(world: Any, times: int = 2) -> "Repeated":
    """Each decision of a pure world lasts `times` steps, whose rewards are summed.

    >>> from umwelt.worlds.pendulum import Pendulum
    >>> repeated(Pendulum(), 4).spec.repeat
    4
    """
    return Repeated(world=world, times=times)


def limited(world: Any, decisions: int) -> Any:
    """Episodes of a pure world are truncated after so many steps of the innermost world.

    >>> from umwelt.worlds.pendulum import Pendulum
    >>> limited(Pendulum(), 50).time_limit
    50
    """
    if decisions < 1:
        raise ValueError(f"decisions={decisions}: an episode lasts at least 1 step")
    inside = list(layers(world))[1:]
    if inside:
        return around(world, limited(inside[0], decisions))
    if "time_limit" not in {field.name for field in dataclasses.fields(world)}:
        raise TypeError(
            f"world={type(world).__name__} has no `time_limit`: a hosted world takes its own,"
            " such as options='{\"max_episode_steps\": 100}' of a Gymnasium world"
        )
    return dataclasses.replace(world, time_limit=decisions)


def pictured(world: Any) -> "Pictured":
    """A built-in pure world, wrapped or not, whose observation is uint8 [64, 64, 1].

    >>> from umwelt.worlds.pendulum import Pendulum
    >>> pictured(Pendulum()).spec.observation.shape
    (64, 64, 1)
    """
    return Pictured(world=world)


@struct
class Held:
    """action: [B, ...], the last one. fresh: bool [B], none has been done yet in this episode."""

    action: Any
    fresh: Any


@part
class Sticky:
    """Replaces actions at random by the ones before them."""

    chance: float = 0.25
    """How often."""

    keeps = ("observation", "reward")
    """What it leaves as it is."""

    def spec(self, inner: WorldSpec) -> WorldSpec:
        """Unchanged."""
        if not 0 <= self.chance <= 1:
            raise ValueError(f"chance={self.chance} of sticky: a probability lies in 0 .. 1")
        return inner

    def begin(self, inner: WorldSpec, step: TimeStep) -> Held:
        """No action yet."""
        return Held(action=spaces.zeros(inner.action, inner.batch), fresh=jnp.ones(inner.batch, bool))

    def on_action(self, key: jax.Array, state: Held, action: Any) -> tuple[Held, Any]:
        """This action, or the last one again."""
        again = (jax.random.uniform(key, state.fresh.shape) < self.chance) & ~state.fresh
        done = select(again, state.action, action)
        return Held(action=done, fresh=state.fresh), done

    def on_step(self, state: Held, step: TimeStep) -> tuple[Held, TimeStep]:
        """An episode that begins has no action before it."""
        return dataclasses.replace(state, fresh=jnp.asarray(step.first)), step


@part
class Frames:
    """Shows the last observations of one Box side by side."""

    number: int = 4
    """How many."""

    keeps = ("action", "reward")
    """What it leaves as it is."""

    def spec(self, inner: WorldSpec) -> WorldSpec:
        """The last axis is longer."""
        if self.number < 1:
            raise ValueError(f"number={self.number} of stack_frames: show at least 1 observation")
        seen = inner.observation
        if not isinstance(seen, Box) or not seen.shape:
            raise TypeError(f"stack_frames needs an observation that is one Box with an axis, and {inner.name!r} has {seen}")
        low, high = (tuple(np.concatenate([edge] * self.number, axis=-1).reshape(-1).tolist()) for edge in seen.bounds)
        shape = (*seen.shape[:-1], seen.shape[-1] * self.number)
        plain = len(set(low)) == 1 and len(set(high)) == 1
        box = Box(shape=shape, low=low[0] if plain else low, high=high[0] if plain else high, dtype=seen.dtype)
        return dataclasses.replace(inner, observation=box)

    def renamed(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Each name with the age of its observation, the newest last."""
        ages = range(self.number - 1, -1, -1)
        return tuple(f"{name} ({age} before)" if age else name for age in ages for name in names)

    def begin(self, inner: WorldSpec, step: TimeStep) -> jax.Array:
        """Copies of the first observation, [B, number, ...]."""
        return jnp.repeat(jnp.asarray(step.observation)[:, None], self.number, axis=1)

    def on_action(self, key: jax.Array, state: jax.Array, action: Any) -> tuple[jax.Array, Any]:
        """Unchanged."""
        return state, action

    def on_step(self, state: jax.Array, step: TimeStep) -> tuple[jax.Array, TimeStep]:
        """The oldest leaves, the newest comes last."""
        newest = jnp.asarray(step.observation)[:, None]
        frames = jnp.concatenate([state[:, 1:], newest], axis=1)
        frames = select(jnp.asarray(step.first), jnp.repeat(newest, self.number, axis=1), frames)
        side = jnp.concatenate([frames[:, index] for index in range(self.number)], axis=-1)
        return frames, dataclasses.replace(step, observation=side)


@part
class Scaled:
    """Multiplies rewards."""

    factor: float = 1.0
    """By this."""

    keeps = ("observation", "action")
    """What it leaves as it is."""

    def spec(self, inner: WorldSpec) -> WorldSpec:
        """Unchanged."""
        return inner

    def begin(self, inner: WorldSpec, step: TimeStep) -> tuple[()]:
        """Nothing to remember."""
        return ()

    def on_action(self, key: jax.Array, state: tuple[()], action: Any) -> tuple[tuple[()], Any]:
        """Unchanged."""
        return state, action

    def on_step(self, state: tuple[()], step: TimeStep) -> tuple[tuple[()], TimeStep]:
        """The reward times the factor."""
        return state, dataclasses.replace(step, reward=jnp.asarray(step.reward, jnp.float32) * np.float32(self.factor))


@part
class Repeated:
    """A pure world in which one decision lasts several steps; it stands inside other wrappers."""

    world: Any
    """The world inside, whose state has the leading axis B throughout."""
    times: int = 2
    """Steps of one decision."""

    passes = ("position", "achieved", "task_of", "body", "observe", "expert", "guard", "observation_names")
    """Capabilities of the world inside that hold here too."""

    @property
    def inner(self) -> Any:
        """The world inside."""
        return self.world

    @property
    def spec(self) -> WorldSpec:
        """The inner spec, with more frames for a decision."""
        inner = self.world.spec
        if inner.hosted:
            raise TypeError(f"repeated needs a pure world, and {inner.name!r} is hosted; its adapter has an option `repeat`")
        if not isinstance(self.times, int) or self.times < 1:
            raise ValueError(f"times={self.times} of repeated: a decision lasts a whole number of steps, 1 at least")
        return dataclasses.replace(inner, repeat=inner.repeat * self.times)

    def tasks(self) -> dict[str, Any]:
        """The inner world's."""
        return self.world.tasks()

    def init(self, key: jax.Array, task: Any) -> tuple[Any, TimeStep]:
        """Begin an episode in every row."""
        return self.world.init(key, task)

    def step(self, key: jax.Array, state: Any, action: Any, next_task: Any) -> tuple[Any, TimeStep]:
        """As many steps as the decision lasts, or until the episode ends; a row that begins takes none."""
        state, shown = self.world.step(key, state, action, next_task)
        for index in range(1, self.times):
            halted = shown.last | shown.first
            after, step = self.world.step(jax.random.fold_in(key, index), state, action, next_task)
            summed = dataclasses.replace(step, reward=shown.reward + step.reward)
            state, shown = select(halted, (state, shown), (after, summed))
        return state, shown


@part
class Pictured:
    """A built-in pure world, seen as a picture."""

    world: Any
    """The world inside, whose innermost is one that `umwelt.worlds.sketch` can draw."""

    passes = ()
    """Capabilities of the world inside that hold here too: none, for they read what it shows."""

    @property
    def inner(self) -> Any:
        """The world inside."""
        return self.world

    @property
    def spec(self) -> WorldSpec:
        """The inner spec, with pixels to see."""
        inner = self.world.spec
        if inner.hosted:
            raise TypeError(f"pictured needs a pure world, and {inner.name!r} is hosted; take one that shows pictures itself")
        sketch.require_drawing(self.world)
        return dataclasses.replace(inner, observation=Box(shape=(sketch.SIDE, sketch.SIDE, 1), low=0, high=255, dtype="uint8"))

    def tasks(self) -> dict[str, Any]:
        """The inner world's."""
        return self.world.tasks()

    def init(self, key: jax.Array, task: Any) -> tuple[Any, TimeStep]:
        """Begin an episode in every row."""
        return self._show(*self.world.init(key, task))

    def step(self, key: jax.Array, state: Any, action: Any, next_task: Any) -> tuple[Any, TimeStep]:
        """Take one decision in every row."""
        return self._show(*self.world.step(key, state, action, next_task))

    def _show(self, state: Any, step: TimeStep) -> tuple[Any, TimeStep]:
        found = sketch.bodies(self.world, state)
        assert found is not None
        world, bodies, tasks = found

        def one(body: Any, task: Any) -> jax.Array:
            return sketch.picture(sketch.drawing(world, body, task))

        return state, dataclasses.replace(step, observation=jax.vmap(one)(bodies, tasks))


WRAPPERS = {
    "sticky": sticky,
    "stack_frames": stack_frames,
    "normalised": normalised,
    "scaled_reward": scaled_reward,
    "repeated": repeated,
    "limited": limited,
    "pictured": pictured,
    "resized": resized,
    "grey": grey,
}
"""Every wrapper by name; each takes a world, and at most one number."""
