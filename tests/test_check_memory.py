"""The checker of memories passes the library's own, and names what is wrong with faulty ones."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from umwelt.check.memory import memory
from umwelt.core import BROKEN, MID, Experience, TimeStep, lived, part
from umwelt.memory.ring import Ring, RingState
from umwelt.memory.trajectories import Trajectories


def test_the_ring_passes():
    memory(Ring(), oldest_first=True).raise_if_broken()


def test_trajectories_across_episodes_pass_with_another_example():
    step = TimeStep(kind=jnp.zeros(1, jnp.int8), observation=jnp.zeros((1, 8, 8, 3), jnp.uint8), reward=jnp.zeros(1))
    example = lived(step, jnp.zeros(1, jnp.int32), step)
    memory(Trajectories(length=5, across=True), example, jax.random.key(7), oldest_first=True).raise_if_broken()


@part
class Faulty:
    """A sound memory of which single methods are replaced by faulty ones."""

    bytes: int = 64_000_000
    length: int = 1
    sound: Callable[[int, int], Any] = lambda size, length: Ring(bytes=size)
    init_badly: Callable[..., Any] | None = None
    add_badly: Callable[..., Any] | None = None
    sample_badly: Callable[..., Any] | None = None
    count_badly: Callable[..., Any] | None = None

    def init(self, example: Experience) -> Any:
        return (self.init_badly or self.sound(self.bytes, self.length).init)(example)

    def add(self, key: jax.Array, state: Any, experience: Experience) -> Any:
        return (self.add_badly or self.sound(self.bytes, self.length).add)(key, state, experience)

    def sample(self, key: jax.Array, state: Any, shape: tuple[int, ...]) -> Experience:
        return (self.sample_badly or self.sound(self.bytes, self.length).sample)(key, state, shape)

    def count(self, state: Any) -> jax.Array:
        return (self.count_badly or self.sound(self.bytes, self.length).count)(state)


def blind(steps: Experience) -> Experience:
    """The same as if no episode ever ended."""
    return replace(steps, step=replace(steps.step, kind=jnp.zeros_like(steps.step.kind)))


def add_with_seams(key, state, steps):
    return Ring().add(key, state, blind(steps))


def add_what_broke(key, state, steps):
    whole = jnp.where(steps.next.kind == BROKEN, jnp.int8(MID), steps.next.kind)
    return Ring().add(key, state, replace(steps, next=replace(steps.next, kind=whole)))


def add_to_a_stream_with_seams(key, state, steps):
    kept = Trajectories(length=2).add(key, state, blind(steps))
    newest = replace(kept.recent.newest, kind=jnp.zeros_like(kept.recent.newest.kind))
    return replace(kept, recent=replace(kept.recent, newest=newest))


def add_by_shifting(key, state, steps):
    """Moves everything so that the oldest lies in front, which copies."""
    full = state.filled == state.rows.origin.shape[0]
    shift = jnp.where(full, state.head, 0)
    moved = jax.tree.map(lambda leaf: jnp.roll(leaf, -shift, axis=0), state.rows)
    return Ring().add(key, replace(state, rows=moved, head=state.head - shift), steps)


def add_at_random(key, state, steps):
    """Overwrites any slot once it is full."""
    rows = state.rows.origin.shape[0]
    slot = jax.random.randint(jax.random.fold_in(key, state.head), (), 0, rows)
    kept = Ring().add(key, replace(state, head=jnp.where(state.filled < rows, state.head, slot)), steps)
    return replace(kept, head=jnp.where(kept.filled < rows, kept.head, slot + 1))


def add_in_float32(key, state, steps):
    kept = Ring().add(key, state, steps)
    return replace(kept, filled=kept.filled.astype(jnp.float32))


def sample_without_the_task(key, state, shape):
    drawn = Ring().sample(key, state, shape)
    return replace(drawn, task=jnp.zeros_like(drawn.task))


def sample_without_the_origin(key, state, shape):
    drawn = Ring().sample(key, state, shape)
    return replace(drawn, origin=jnp.zeros_like(drawn.origin))


def sample_the_unknown_as_zero(key, state, shape):
    drawn = Ring().sample(key, state, shape)
    return replace(drawn, to_come=jnp.nan_to_num(drawn.to_come))


def sample_by_a_global_count(key, state, shape):
    return Ring().sample(jax.random.fold_in(key, next(CALLS)), state, shape)


def add_as_it_comes(key, state, steps):
    """Forgets that some experience has no surprise."""
    return Ring().add(key, state, replace(steps, surprise=steps.surprise + 0.0))


def sample_what_is_not_there(key, state, shape):
    return Ring().sample(key, replace(state, filled=jnp.int32(state.rows.origin.shape[0])), shape)


def sample_by_the_number(key, state, shape):
    return Ring().sample(jax.random.fold_in(key, int(state.filled)), state, shape)


def sample_without_the_key(key, state, shape):
    return Ring().sample(jax.random.key(0), state, shape)


def count_in_float32(state):
    return state.filled.astype(jnp.float32)


@part
class Otherwise:
    """Takes no key, as its parameters show."""

    def init(self, example: Experience) -> RingState:
        return Ring().init(example)

    def add(self, state: RingState, steps: Experience) -> RingState:
        return Ring().add(jax.random.key(0), state, steps)


CALLS = itertools.count()
FAULTS = {
    "names": (Otherwise(), {"parameter names": "`add` takes (state, steps)"}),
    "overspends": (Faulty(init_badly=Ring(bytes=128_000_000).init), {"budget": "where bytes=64000000"}),
    "form": (Faulty(add_badly=add_in_float32), {"state keeps its form": ".filled changed from int32[] to float32[]"}),
    "numbers": (Faulty(sample_badly=sample_by_the_number), {"can be traced": "ConcretizationTypeError"}),
    "count": (Faulty(count_badly=count_in_float32), {"the form of count": "count is float32[]"}),
    "state": (Faulty(sample_badly=sample_by_a_global_count), {"pure": "two traces of it differ"}),
    "fields": (Faulty(add_badly=add_as_it_comes), {"what is not known keeps the form": "for experience of which"}),
    "origin": (Faulty(sample_badly=sample_without_the_origin), {"what is drawn was added": ".origin differs"}),
    "unknown": (Faulty(sample_badly=sample_the_unknown_as_zero), {"what is not known": "an unknown `to_come` is drawn"}),
    "seams": (Faulty(add_badly=add_with_seams), {"count": "no seams", "what is drawn was added": "it draws seams"}),
    "broken": (Faulty(add_badly=add_what_broke), {"count": "no seams", "what is drawn was added": ".next.kind differs"}),
    "stream": (
        Faulty(length=2, sound=lambda size, length: Trajectories(bytes=size, length=2), add_badly=add_to_a_stream_with_seams),
        {"what is drawn was added": "it draws seams"},
    ),
    "task": (Faulty(sample_badly=sample_without_the_task), {"what is drawn was added": ".task differs"}),
    "nothing": (
        Faulty(sample_badly=sample_what_is_not_there),
        {"empty": "looks real", "what is drawn was added": "never filled"},
    ),
    "key": (Faulty(sample_badly=sample_without_the_key), {"same key, same draw": "use `key`"}),
    "order": (Faulty(add_badly=add_at_random), {"the oldest leaves first": "are gone"}),
    "copies": (Faulty(add_badly=add_by_shifting), {"no scratch that grows": "it copies what it holds"}),
}


TRACED = {
    "parameter names", "budget", "can be traced", "pure", "state keeps its form", "the form of count",
    "what is not known keeps the form",
}  # fmt: skip
"""Rules that a trace decides."""


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_memory_is_caught(name):
    faulty, wanted = FAULTS[name]
    report = memory(faulty, oldest_first=True, depth="shapes" if set(wanted) <= TRACED else "values")
    found = {fault.rule: fault.sentence for fault in report.faults}
    for rule, words in wanted.items():
        assert words in found.get(rule, ""), str(report)
