"""Whether one observation is enough: how much of the next change it explains, and how much the last few explain.

A world that hides a velocity shows it in two observations. An agent without memory then learns little, and nothing in its
returns says why.
"""

import jax
import numpy as np

from umwelt.check.walk import Walk, subject_of, walk
from umwelt.core import FIRST, TERMINATED, WorldSpec, spaces
from umwelt.core.contracts import World

STACKS = (1, 2, 4)
"""How many observations are looked at together."""
LEAST = 60
"""Transitions below which nothing can be said."""
WIDEST = 64
"""Numbers of the widest observation that is looked at: a picture needs other means."""
RIDGE = 1e-2
"""Penalty on the weights of standardised features."""
TELLING = 6.0
"""How many times less a stack has to leave unexplained before it is worth a note."""
ENOUGH = 0.05
"""A share of the change that may stay unexplained."""


def hidden(world: World, steps: int = 300) -> str:
    """Walk through a world at random, and say whether one observation hides something; empty where it does not."""
    if spaces.width(world.spec.observation) > WIDEST:
        return ""
    return remark(walk(subject_of(world, jax.random.key(0)), steps, to_an_end=True), world.spec)


def remark(taken: Walk, spec: WorldSpec) -> str:
    """A sentence where several observations explain the next change much better than one; else empty."""
    if spaces.width(spec.observation) > WIDEST:
        return ""
    shares = unexplained(taken, spec)
    if not shares or shares[0] < ENOUGH:
        return ""
    best = next((index for index in range(1, len(STACKS)) if shares[index] <= 1.2 * min(shares)), 0)
    if not best or shares[0] < TELLING * shares[best]:
        return ""
    number = STACKS[best]
    times = shares[0] / max(shares[best], 1e-3)
    return (
        f"one observation leaves {shares[0]:.0%} of the next change unexplained, {number} in a row {shares[best]:.0%}:"
        f" they explain it {times:.0f} times better, so something is hidden in one; wrap with `--wrap stack_frames={number}`"
    )


def unexplained(taken: Walk, spec: WorldSpec) -> list[float]:
    """The share of the change that a fit leaves unexplained on moments that it did not see, for each of `STACKS`.

    All fits see the same moments of the first row. Empty where there are too few.
    """
    seen = np.stack([np.asarray(spaces.features(spec.observation, step.observation))[0] for step in taken.steps]).astype(
        np.float64
    )
    done = np.stack([np.asarray(spaces.features(spec.action, action))[0] for action in taken.actions]).astype(np.float64)
    kinds = np.array([int(step.kind[0]) for step in taken.steps])
    most = max(STACKS)
    begin = np.maximum.accumulate(np.where(kinds == FIRST, np.arange(len(kinds)), -1))
    moments = np.array([t for t in range(most - 1, len(done)) if t - begin[t] >= most - 1 and kinds[t] < TERMINATED])
    if len(moments) < LEAST:
        return []
    change = seen[moments + 1] - seen[moments]
    moving = change.std(axis=0) > 1e-9
    if not moving.any():
        return []
    target = change[:, moving] / change[:, moving].std(axis=0)
    tested = (np.arange(len(moments)) // 10) % 2 == 1
    shares = []
    for number in STACKS:
        inputs = [array[moments - back] for back in range(number) for array in (seen, done)]
        shares.append(_left(np.concatenate(inputs, axis=1), target, tested))
    return shares


def _left(inputs: np.ndarray, target: np.ndarray, tested: np.ndarray) -> float:
    """The mean over targets of squared error over variance, on the tested rows, of a ridge regression on the others."""
    fit = ~tested
    spread = inputs[fit].std(axis=0)
    plain = np.clip((inputs - inputs[fit].mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0), -4.0, 4.0)
    features = np.concatenate([plain, _products(plain) if fit.sum() > 4 * plain.shape[1] ** 2 else plain**2], axis=1)
    features = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    rows = features[fit]
    weights = np.linalg.solve(rows.T @ rows + RIDGE * len(rows) * np.eye(rows.shape[1]), rows.T @ target[fit])
    error = (features[tested] @ weights - target[tested]) ** 2
    return float(np.mean(error.mean(axis=0) / np.maximum(target[tested].var(axis=0), 1e-9)))


def _products(plain: np.ndarray) -> np.ndarray:
    """Products of all pairs of columns."""
    left, right = np.triu_indices(plain.shape[1])
    return plain[:, left] * plain[:, right]
