"""Worlds that turn a point about the middle, each by its own angle, which is the task. No model that does not read the
task can be right about two of them. And what the tests of models of many tasks ask of their models."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import MID, Box, Experience, TimeStep, WorldSpec
from umwelt.networks.form import form

SPEC = WorldSpec(
    name="turning",
    observation={"seen": Box(shape=(2,), low=-9.0, high=9.0), "task": Box(low=-9.0, high=9.0)},
    action=Box(shape=(1,), low=-1.0, high=1.0),
    task=Box(low=-9.0, high=9.0),
)
KEY = jax.random.key(0)


def turned(turn: float, number: int, seed: int) -> Experience:
    """Transitions [number] of a point that turns about the middle by so much, and is pushed; the turn is the task."""
    random = np.random.default_rng(seed)
    position, push = random.normal(size=(number, 2)), random.uniform(-1, 1, (number, 1))
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    after = position @ matrix.T + push * np.array([0.3, 0.1])

    def step(seen: np.ndarray) -> TimeStep:
        observation = {"seen": jnp.asarray(seen, jnp.float32), "task": jnp.full(number, turn, jnp.float32)}
        return TimeStep(kind=jnp.full(number, MID, jnp.int8), observation=observation, reward=jnp.zeros(number))

    return Experience(
        step=step(position), action=jnp.asarray(push, jnp.float32), next=step(after), origin=jnp.zeros(number, jnp.int8)
    )


def taught(model: Any, state: Any, turn: float, updates: int) -> Any:
    """The state after so many updates on 64 rows of one world."""
    rows = jax.tree.map(lambda leaf: leaf.reshape(updates, 64, *leaf.shape[1:]), turned(turn, 64 * updates, 1))
    run = jax.jit(lambda state: jax.lax.scan(lambda state, some: (model.learn(KEY, state, some)[0], None), state, rows)[0])
    return run(state)


def predicted(model: Any, state: Any, rows: Experience) -> jax.Array:
    """The predicted next observations, flat: [N, 3]."""

    def predict(state: Any, rows: Experience) -> jax.Array:
        number = rows.origin.shape[0]
        begin = replace(rows.step, kind=jnp.zeros(number, jnp.int8))
        belief, _ = model.observe(KEY, state, model.start(state, number), rows.action, begin)
        return form(SPEC.observation).flat(model.imagine(KEY, state, belief, rows.action)[1].observation)

    return jax.jit(predict)(state, rows)


def error(model: Any, state: Any, turn: float) -> float:
    """The share of the change that the model does not predict."""
    rows, flat = turned(turn, 200, 7), form(SPEC.observation).flat
    change = jnp.sum((flat(rows.next.observation) - flat(rows.step.observation)) ** 2)
    return float(jnp.sum((predicted(model, state, rows) - flat(rows.next.observation)) ** 2) / change)
