"""Eight seeds of a small life, for a process with one device and for one with eight.

`main` is for the process with eight: it begins a life `by-eight`, goes on with `by-one`, which one device began, and
prints what it found as JSON.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from drawing_agents import Drawing

from umwelt.check.base import same_values
from umwelt.core import Metric, part, static, struct
from umwelt.life.api import fingerprints, live, resume
from umwelt.life.composition import Life
from umwelt.life.engine import Engine
from umwelt.life.rhythm import Rhythm
from umwelt.life.spreading import of_seed, on_first, place, sentence
from umwelt.teachers import Blocks
from umwelt.worlds import Pendulum

SEEDS = 8
FIRST, ALL = 8 * 20, 8 * 40
"""Decisions of all seeds, until the save and in all."""


@part
class Musing(Blocks):
    """Blocks, and a reflection that depends on its key."""

    metrics = (Metric(name="mused", unit="none", meaning="a number that is drawn", better="neither"),)

    def reflect(self, key: jax.Array, state: Any) -> tuple[Any, dict[str, jax.Array]]:
        """Change nothing, and report a number that is drawn."""
        return state, {"mused": jax.random.uniform(key)}


@struct
class Lessons:
    """number: int32 [], rounds of learning. drawn: uint32 [], the sum of what they drew."""

    number: Any
    drawn: Any
    rows: Any
    action_space: Any = static()


@part
class Counting(Drawing):
    """Acts at random, and adds up what its lessons draw. No sum of floats depends on how many seeds share a program."""

    def init(self, key: Any, spec: Any) -> Lessons:
        """No lessons."""
        rows = jnp.zeros(spec.batch, jnp.int8)
        return Lessons(number=jnp.int32(0), drawn=jax.random.bits(key), rows=rows, action_space=spec.action)

    def learn(self, key: Any, state: Lessons) -> tuple[Lessons, Any]:
        """One more lesson."""
        number, drawn = state.number + 1, state.drawn + jax.random.bits(key)
        return replace(state, number=number, drawn=drawn), {}


LIFE = Life(
    world=Pendulum(time_limit=12),
    agent=Counting(),
    teacher=Musing(names=("earth", "moon"), steps=15),
    rhythm=Rhythm(random=10, learn_every=5, updates=2, chunk=10, probe_episodes=0),
    seeds=SEEDS,
)


def looked() -> dict[str, Any]:
    """Where the values of a life lie, and whether each seed's part of them is the right one."""
    engine = Engine(LIFE)
    value = engine.begin()
    held = jax.device_get(value[1].agent)
    row = of_seed(value[1].agent, 5, engine.mesh)
    stacked = jax.tree.map(lambda leaf: jnp.stack([leaf[seed] for seed in range(SEEDS)]), value[1].step)
    return {
        "sentence": sentence(SEEDS),
        "devices": sorted({len(leaf.sharding.device_set) for leaf in jax.tree.leaves(value)}),
        "seed 5": same_values(row, jax.tree.map(lambda leaf: leaf[5], held), "agent"),
        "on": sorted({device.id for leaf in jax.tree.leaves(row) for device in leaf.devices()}),
        "first": same_values(on_first(value[1].agent, engine.mesh), jax.tree.map(lambda leaf: leaf[:1], held), "agent"),
        "placed": [bool(leaf.is_fully_replicated) for leaf in jax.tree.leaves(place(stacked, engine.mesh))],
        "kept": all(new is old for new, old in zip(*map(jax.tree.leaves, (place(value, engine.mesh), value)), strict=True)),
    }


def main(folder: Path) -> None:
    """Run what needs eight devices."""
    live(LIFE, steps=FIRST, name="by-eight", lives=folder)
    begun = fingerprints("by-eight", lives=folder)
    resume("by-one", steps=ALL, lives=folder)
    with jax.default_device(jax.devices()[3]):
        alone = str(Engine(LIFE).mesh)
    print(json.dumps({"begun": begun, "ended": fingerprints("by-one", lives=folder), "alone": alone, **looked()}))
