"""A small memory and a short made-up life to fill it with, for the checker of memories."""

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import (
    BROKEN,
    FIRST,
    LIVED,
    MID,
    SHOWN,
    TERMINATED,
    TRUNCATED,
    WATCHED,
    Experience,
    TimeStep,
    part,
    scan,
)

OPTIONAL = ("task", "surprise", "to_come", "born")
"""Fields of experience that may be unknown."""
WHOLE = ("task", "born")
"""Those that are filled with zeros; the others are float32 and filled with NaN."""
EARLY = 48
"""After so many ticks nothing is forgotten."""
ROOM = 96
"""The small memory of the check has room for at least so many complete transitions of each row."""


@part
class Trial:
    """A small memory, the life [T, B] that it keeps as NumPy arrays, its states (empty, early: all within the budget, and
    full), and its methods, compiled."""

    memory: Any
    key: jax.Array
    lived: Experience
    shapes: list[tuple[int, ...]]
    empty: Any
    early: Any
    full: Any
    feed: Callable[..., Any]
    draw: Callable[..., Experience]
    both: Callable[..., Any]
    count: Callable[..., Any]


def shapes_of(small: Any) -> list[tuple[int, ...]]:
    """Transitions, and sequences of its own length and of half of it."""
    length = getattr(small, "length", 1)
    return [(256,)] + [(64, each) for each in sorted({length, (length + 1) // 2}) if each > 1]


def fill(small: Any, key: jax.Array, lived: Experience) -> Trial:
    """Add a life to a small memory, and compile its methods."""
    shapes = shapes_of(small)

    def both(key: jax.Array, state: Any, experience: Experience) -> Any:
        """Add, and draw transitions and the longest sequences in the same program."""
        state = small.add(key, state, experience)
        return state, small.count(state), [small.sample(key, state, shape) for shape in {shapes[0], shapes[-1]}]

    feed = jax.jit(lambda state, rows: scan(lambda held, row: (small.add(key, held, row), None), state, rows)[0])
    empty = small.init(some_of(lived, 0))
    states = [empty]
    # piece by piece, so that one program serves
    for begin in range(0, lived.origin.shape[0], EARLY):
        states.append(feed(states[-1], some_of(lived, slice(begin, begin + EARLY))))
    return Trial(
        memory=small,
        key=key,
        lived=lived,
        shapes=shapes,
        empty=empty,
        early=states[1],
        full=states[-1],
        feed=feed,
        draw=jax.jit(small.sample, static_argnums=2),
        both=jax.jit(both),
        count=jax.jit(small.count),
    )


def example_experience() -> Experience:
    """Three rows with observations of two dtypes, a mixed action, and all that may be known."""
    observation = {"image": jnp.zeros((3, 2, 2), jnp.uint8), "joint": jnp.zeros((3, 5))}
    step = TimeStep(kind=jnp.zeros(3, jnp.int8), observation=observation, reward=jnp.zeros(3))
    action = (jnp.zeros(3, jnp.int32), jnp.zeros((3, 2)))
    known = {"task": jnp.zeros((3, 1)), "surprise": jnp.zeros(3), "to_come": jnp.zeros(3), "born": jnp.zeros(3, jnp.int32)}
    return Experience(step=step, action=action, next=step, origin=jnp.zeros(3, jnp.int8), **known)


def made_up(example: Experience, ticks: int) -> Experience:
    """Experience [ticks, B] in NumPy, in which every number names its transition. Each episode has one origin."""
    batch = example.origin.shape[0]
    random = np.random.default_rng(0)
    kind, origin = np.full((ticks + 1, batch), MID, np.int8), np.full((ticks + 1, batch), LIVED, np.int8)
    kind[0] = FIRST
    for row in range(batch):
        end = 0
        # Some episodes of a single transition, most longer than the sequences that are drawn.
        while (begin := end) <= ticks:
            end += int(random.choice([1, 7, 40]))
            origin[begin : end + 1, row] = random.choice([LIVED, SHOWN, WATCHED])
            if end < ticks:
                kind[end, row] = random.choice([TERMINATED, TRUNCATED, BROKEN])
                kind[end + 1, row] = FIRST
            end += 1
    name = 1 + np.arange((ticks + 1) * batch).reshape(ticks + 1, batch)

    def tag(leaf: Any, names: np.ndarray) -> np.ndarray:
        shape = names.shape + (1,) * (len(leaf.shape) - 1)
        return np.broadcast_to(names.reshape(shape), names.shape + leaf.shape[1:]).astype(leaf.dtype)

    observation = jax.tree.map(lambda leaf: tag(leaf, name), example.step.observation)
    steps = TimeStep(kind=kind, observation=observation, reward=np.where(kind == FIRST, 0, name).astype(np.float32))
    action = jax.tree.map(lambda leaf: tag(leaf, np.where(origin == WATCHED, 0, name)[:-1]), example.action)
    known = jax.tree.map(lambda leaf: tag(leaf, name[:-1]), {field: getattr(example, field) for field in OPTIONAL})
    before, after = rows_of(steps, slice(-1)), rows_of(steps, slice(1, None))
    return Experience(step=before, action=action, next=after, origin=origin[:-1], **known)


def rows_of(tree: Any, index: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf[index], tree)


def some_of(lived: Experience, index: Any) -> Experience:
    """Some of a life, as JAX arrays. NumPy cuts it, and compiles nothing for each new length."""
    return jax.tree.map(jnp.asarray, rows_of(lived, index))


def bytes_of(tree: Any) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(jax.eval_shape(lambda same: same, tree)))


def small_one(instance: Any, example: Experience) -> Any:
    """The same memory with little room, so that a short life overfills it."""
    budget = ROOM * bytes_of(example)
    while True:
        try:
            small = sized(instance, budget)
            jax.eval_shape(small.init, example)
            return small
        except ValueError:
            if budget > instance.bytes:
                raise
            budget *= 2


def sized(instance: Any, budget: int) -> Any:
    """The same memory with another budget. One that consists of memories gives each its share."""
    inside = {field.name: getattr(instance, field.name) for field in dataclasses.fields(instance)}
    if "bytes" in inside:
        return replace(instance, bytes=budget)
    memories = {name: value for name, value in inside.items() if isinstance(getattr(value, "bytes", None), int)}
    shares = {name: sized(value, budget * value.bytes // instance.bytes) for name, value in memories.items()}
    return replace(instance, **shares)
