"""Worlds that turn a point about the middle, each by its own angle, which is shown: no two of them can be learned by one
model that does not see it. And what the tests of models of many tasks ask of them."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import MID, Box, Experience, TimeStep, WorldSpec

SPEC = WorldSpec(
    name="turning", observation=Box(shape=(3,), low=-9.0, high=9.0), action=Box(shape=(1,), low=-1.0, high=1.0), task=Box()
)
KEY = jax.random.key(0)


def lived(turn: float, number: int, seed: int) -> Experience:
    """Transitions [number] of a point that turns about the middle by so much, and is pushed; the turn is shown."""
    random = np.random.default_rng(seed)
    place, push = random.normal(size=(number, 2)), random.uniform(-1, 1, (number, 1))
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    after = place @ matrix.T + push * np.array([0.3, 0.1])

    def step(seen: np.ndarray) -> TimeStep:
        told = np.concatenate([seen, np.full((number, 1), turn)], axis=1)
        return TimeStep(
            kind=jnp.full(number, MID, jnp.int8), observation=jnp.asarray(told, jnp.float32), reward=jnp.zeros(number)
        )

    return Experience(
        step=step(place), action=jnp.asarray(push, jnp.float32), next=step(after), origin=jnp.zeros(number, jnp.int8)
    )


def taught(model: Any, state: Any, turn: float, lessons: int) -> Any:
    """The state after so many lessons of 64 rows of one world."""
    all_rows = jax.tree.map(lambda leaf: leaf.reshape(lessons, 64, *leaf.shape[1:]), lived(turn, 64 * lessons, 1))
    run = jax.jit(lambda state: jax.lax.scan(lambda state, rows: (model.learn(KEY, state, rows)[0], None), state, all_rows)[0])
    return run(state)


def foreseen(model: Any, state: Any, rows: Experience) -> jax.Array:
    """What is imagined to follow, [N, 3]."""
    number = rows.origin.shape[0]
    begin = replace(rows.step, kind=jnp.zeros(number, jnp.int8))
    belief, _ = model.observe(KEY, state, model.start(state, number), rows.action, begin)
    return model.imagine(KEY, state, belief, rows.action)[1].observation


def error(model: Any, state: Any, turn: float) -> float:
    """The share of the change that is not foreseen."""
    rows = lived(turn, 200, 7)
    change = jnp.sum((rows.next.observation - rows.step.observation) ** 2)
    return float(jnp.sum((foreseen(model, state, rows) - rows.next.observation) ** 2) / change)
