"""Eight small problems with known answers, one in each row of a batch, for the checker of planners.

A batch holds all of them at once, so that one compiled call answers everything, and rows that leak into each other give
wrong answers. Actions are read in units of half the range (-1 is low, 1 high; of five choices -1, -0.5, 0, 0.5, 1). Only
their first entry counts, except in HINT and ALONE. The question is the first action of a plan; later ones pay only in
DRIVE, LIFE and TWO.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, Objective, Prediction, WorldSpec, spaces, struct
from umwelt.core.contracts import Planner, Prospect

DRIVE, DOUBT, LIFE, BEYOND, HINT, ALONE, BROKEN, TWO = range(8)
KINDS = 8

CONTINUOUS = Box(shape=(3,), low=(-2.0, -1.0, 0.0), high=(2.0, 1.0, 6.0))
DISCRETE = Discrete(n=5)

FORCE = 0.5
"""change of speed for a whole unit of action"""


@struct
class Puzzle:
    """kind: int32 [N], which problem. age: int32 [N], steps since the start. position, speed: float32 [N]. aim: float32
    [N], the answer of BEYOND."""

    kind: jax.Array
    age: jax.Array
    position: jax.Array
    speed: jax.Array
    aim: jax.Array


def puzzles(each: int) -> Puzzle:
    """Every kind `each` times, side by side; positions, speeds and aims differ from row to row."""
    kind = np.tile(np.arange(KINDS), each).astype(np.int32)
    copy = np.repeat(np.arange(each), KINDS)
    drive = kind == DRIVE
    return Puzzle(
        kind=jnp.asarray(kind),
        age=jnp.zeros(kind.size, jnp.int32),
        position=jnp.asarray(np.where(drive, np.linspace(-2, 2, each)[copy], 0.0), jnp.float32),
        speed=jnp.asarray(np.where(drive, np.cos(2.0 * copy), 0.0), jnp.float32),
        aim=jnp.asarray(np.array([-1.0, 0.5, 0.0, 1.0, -0.5])[copy % 5], jnp.float32),
    )


def first_action(planner: Planner, best: float = 0.3) -> float:
    """What a planner chooses for one row where a step pays most for the action `best`, of -1 .. 1: the least example."""

    def pays(key: jax.Array, belief: jax.Array, action: jax.Array) -> tuple[jax.Array, Prediction]:
        one = jnp.ones(len(action))
        return belief, Prediction(observation=belief, reward=-((action[:, 0] - best) ** 2), continues=one, doubt=0.0 * one)

    point, reach = Box(shape=(1,)), Box(shape=(1,), low=-1.0, high=1.0)
    spec = WorldSpec(name="point", observation=point, action=reach, task=())
    state, prospect = planner.init(jax.random.key(0), spec), Prospect(imagine=pays, objective=Objective())
    plan = jax.jit(lambda key, state, belief: planner.plan(key, state, belief, prospect)[1])
    return float(plan(jax.random.key(1), state, jnp.zeros((1, 1)))[0, 0])


def unit(space: Box | Discrete, action: Any) -> jax.Array:
    """Actions [N, ...] as float32 [N, A] between -1 and 1."""
    if isinstance(space, Discrete):
        return (2.0 * action / (space.n - 1) - 1.0).astype(jnp.float32)[:, None]
    low, high = space.bounds
    return 2.0 * (action - low) / (high - low) - 1.0


def whole(space: Box | Discrete, units: jax.Array) -> Any:
    """The opposite of `unit`: actions [N, ...] from float32 [N] for the first entry; the others are the middle."""
    if isinstance(space, Discrete):
        return jnp.round((units + 1.0) / 2.0 * (space.n - 1)).astype(jnp.int32)
    low, high = space.bounds
    every = jnp.zeros((units.shape[0], *space.shape), jnp.float32).at[:, 0].set(units)
    return low + (every + 1.0) / 2.0 * (high - low)


@partial(jax.jit, static_argnums=0)
def imagine(space: Box | Discrete, key: jax.Array, belief: Puzzle, action: Any) -> tuple[Puzzle, Prediction]:
    """One step of every problem.

    DRIVE: bring a mass to rest at zero. DOUBT: all pay the same, but above 0 nothing is known.
    LIFE: above 0 pays most and ends everything. BEYOND: the first action is kept, and nothing pays. HINT: a first action
    near 0.8 in every entry pays, and the prior proposes it; elsewhere lower is better. ALONE: the same without the hint.
    BROKEN: higher is better, and above 0.3 the model returns NaN. TWO: above 0.75 pays a little now; about -0.5 pays
    nothing, and lets a second action of about 0.5 pay more.
    """
    units = unit(space, action)
    first, begins, kind = units[:, 0], belief.age == 0, belief.kind
    speed = jnp.where(kind == DRIVE, belief.speed + FORCE * first, belief.speed)
    opened = (jnp.abs(first + 0.5) < 0.25).astype(jnp.float32)
    kept = jnp.where(begins, jnp.where(kind == TWO, opened, first), belief.position)
    position = jnp.where(kind == DRIVE, belief.position + speed, kept)
    found = jnp.all(jnp.abs(units - 0.8) < 0.08, axis=1)
    second = (belief.age == 1) & (belief.position > 0.5) & (jnp.abs(first - 0.5) < 0.25)
    hidden = jnp.where(begins, found - 0.1 * jnp.mean(units, axis=1), 0.0)
    pays = {
        DRIVE: -(position**2 + 0.1 * speed**2 + 0.1 * first**2),
        DOUBT: jnp.zeros_like(first),
        LIFE: 0.6 + 0.4 * jax.nn.sigmoid(10.0 * first),
        BEYOND: jnp.zeros_like(first),
        HINT: hidden,
        ALONE: hidden,
        BROKEN: jnp.where(begins, jnp.where(first > 0.3, jnp.nan, first), 0.0),
        TWO: 0.5 * (begins & (first > 0.75)) + 3.0 * second,
    }
    prediction = Prediction(
        observation=None,
        reward=jnp.select([kind == name for name in pays], list(pays.values())),
        continues=jnp.where(kind == LIFE, jax.nn.sigmoid(-10.0 * first), 1.0),
        doubt=jnp.where((kind == DOUBT) & begins, jax.nn.sigmoid(6.0 * first), 0.0),
    )
    return Puzzle(kind=kind, age=belief.age + 1, position=position, speed=speed, aim=belief.aim), prediction


def value(belief: Puzzle) -> jax.Array:
    """The value that BEYOND asks about: the first action should have been the aim."""
    return jnp.where(belief.kind == BEYOND, -((belief.position - belief.aim) ** 2), 0.0)


def prior(space: Box | Discrete, key: jax.Array, belief: Puzzle) -> Any:
    """The answer of HINT, and bad advice everywhere else."""
    units = jnp.where(belief.kind == HINT, 0.8, 1.0)
    if isinstance(space, Discrete):
        return whole(space, units)
    low, high = space.bounds
    return (low + (units[:, None] + 1.0) / 2.0 * (high - low)).astype(jnp.float32)


@lru_cache
def references(space: Box | Discrete, each: int, steps: int) -> tuple[float, float]:
    """What DRIVE pays in all, on average: under random actions, and under the known answer."""
    start = puzzles(each)
    drive = np.asarray(start.kind) == DRIVE

    def run(act: Callable[[jax.Array, Puzzle], Any]) -> float:
        def step(belief: Puzzle, key: jax.Array) -> tuple[Puzzle, jax.Array]:
            belief, prediction = imagine(space, key, belief, act(key, belief))
            return belief, prediction.reward

        rewards = jax.lax.scan(step, start, jax.random.split(jax.random.key(0), steps))[1]
        return float(np.asarray(rewards).sum(axis=0)[drive].mean())

    return run(lambda key, _: spaces.sample(key, space, drive.size)), run(lambda _, belief: _regulate(space, belief))


def _regulate(space: Box | Discrete, belief: Puzzle) -> Any:
    """The known answer of DRIVE: the linear-quadratic regulator of the unbounded problem, clipped
    (or rounded) to the space."""
    a, b = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[FORCE], [FORCE]])
    state_cost = np.diag([1.0, 0.1])
    worth, gain = state_cost, np.zeros((1, 2))
    for _ in range(200):
        gain = np.linalg.solve(0.1 + b.T @ worth @ b, b.T @ worth @ a)
        worth = state_cost + a.T @ worth @ (a - b @ gain)
    best = -float(gain[0, 0]) * belief.position - float(gain[0, 1]) * belief.speed
    return whole(space, jnp.clip(best, -1.0, 1.0))
