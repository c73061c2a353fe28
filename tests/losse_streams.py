"""Streams of transitions, and the note's encoder and update in plain NumPy, for the tests of Losse."""

import itertools

import numpy as np

from umwelt.core import MID, Box, TimeStep, WorldSpec, lived

PENDULUM = WorldSpec(
    name="pendulum",
    observation=Box(shape=(3,), low=(-1.0, -1.0, -8.0), high=(1.0, 1.0, 8.0)),
    action=Box(shape=(1,), low=-2.0, high=2.0),
    task=Box(),
)


def pendulum(steps, seed=0, episode=200):
    """Random torques on Gymnasium's Pendulum-v1: observation, action, next observation, reward."""
    rng = np.random.default_rng(seed)
    rows = []
    for index in range(steps):
        if index % episode == 0:
            angle, speed = rng.uniform(-np.pi, np.pi), rng.uniform(-1, 1)
        torque = rng.uniform(-2, 2)
        wrapped = (angle + np.pi) % (2 * np.pi) - np.pi
        reward = -(wrapped**2 + 0.1 * speed**2 + 0.001 * torque**2)
        before = (np.cos(angle), np.sin(angle), speed)
        speed = np.clip(speed + (15 * np.sin(angle) + 3 * torque) * 0.05, -8, 8)
        angle = angle + speed * 0.05
        rows.append((*before, torque, np.cos(angle), np.sin(angle), speed, reward))
    table = np.asarray(rows, np.float32)
    return table[:, :3], table[:, 3:4], table[:, 4:7], table[:, 7]


def smooth(steps, seed=0, observed=3):
    """Independent draws of a smooth, noisy plant in the unit box: as `pendulum`, and quick to make."""
    rng = np.random.default_rng(seed)
    before, action = rng.uniform(-1, 1, (steps, observed)), rng.uniform(-1, 1, (steps, 1))
    change = 0.2 * np.sin(2 * before @ np.linspace(-1, 1, observed**2).reshape(observed, observed)) + 0.1 * action * before
    change += 0.02 * rng.standard_normal(change.shape)
    reward = np.cos(before.sum(1))
    return tuple(array.astype(np.float32) for array in (before, action, before + change, reward))


def plant(observed=3):
    """The spec of `smooth`."""
    return WorldSpec(
        name="smooth",
        observation=Box(shape=(observed,), low=-2.0, high=2.0),
        action=Box(shape=(1,), low=-1.0, high=1.0),
        task=Box(),
    )


def experience(data, kinds=None, before=None):
    """The arrays of a stream as lived experience [B]; kinds of the steps after and before, MID unless given."""
    observation, action, following, reward = data
    count = len(reward)
    kinds = np.full(count, MID, np.int8) if kinds is None else kinds
    before = np.full(count, MID, np.int8) if before is None else before
    step = TimeStep(kind=before, observation=observation, reward=np.zeros(count, np.float32))
    return lived(step, action, TimeStep(kind=kinds, observation=following, reward=reward))


def dense_features(projection, bins, grids, axes, inputs):
    """The note's encoder, one feature at a time: float64 [N, grids * (bins + 1)**axes]."""
    side = bins + 1
    features = np.zeros((len(inputs), grids * side**axes))
    for row, x in enumerate(np.asarray(inputs, np.float64)):
        height = bins / (1 + np.exp(-(x @ np.asarray(projection, np.float64))))
        for grid in range(grids):
            place = height[grid * axes : (grid + 1) * axes]
            for corner in itertools.product((0, 1), repeat=axes):
                index, value = grid * side**axes, 1.0
                for axis in range(axes):
                    cell = int(np.floor(place[axis]))
                    offset = place[axis] - cell
                    index += (cell + corner[axis]) * side ** (axes - 1 - axis)
                    value *= offset if corner[axis] else 1 - offset
                features[row, index] += value
    return features


def block_update(features, targets, ridge):
    """The note's update with a fixed ridge, in its own dense form: (A, B, W) after all rows."""
    size, outputs = features.shape[1], targets.shape[1]
    gram, cross, weights = np.zeros((size, size)), np.zeros((size, outputs)), np.zeros((size, outputs))
    for phi, y in zip(features, targets, strict=True):
        gram += np.outer(phi, phi)
        cross += np.outer(phi, y)
        touched = np.flatnonzero(phi)
        others = np.setdiff1d(np.arange(size), touched)
        right = cross[touched] - gram[np.ix_(touched, others)] @ weights[others]
        weights[touched] = np.linalg.solve(gram[np.ix_(touched, touched)] + ridge * np.eye(len(touched)), right)
    return gram, cross, weights


def standard_rows(state, data, dtype=np.float64):
    """Inputs and targets of a stream in the model's standard units."""
    observation, action, following, reward = data
    inputs = np.concatenate([observation, action], 1).astype(dtype)
    targets = np.concatenate([following - observation, reward[:, None], np.zeros((len(reward), 1))], 1).astype(dtype)
    units = state.standard
    return (
        (inputs - np.asarray(units.input_centre, dtype)) / np.asarray(units.input_scale, dtype),
        (targets - np.asarray(units.target_centre, dtype)) / np.asarray(units.target_scale, dtype),
    )
