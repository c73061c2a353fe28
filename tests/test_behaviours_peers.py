"""Learners of logs against d3rlpy: five updates on one batch, with the same noise, end in the same weights.

`tests/offline_updates.py` says how the file that is read here came about.
"""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours import DQN, IQL, SAC, TD3, Conservative
from umwelt.behaviours.batch import Batch
from umwelt.core import Box, Discrete
from umwelt.networks import actors, policies
from umwelt.networks.actors import Actor
from umwelt.networks.layers import Bundle, Layer
from umwelt.networks.optimise import optimiser

KEY = jax.random.key(0)
KNOWN = np.load(Path(__file__).parent / "offline_updates.npz")
SEEN, ACTS, CHOICES, UNITS, DRAWS = 3, 2, 3, 6, 4
BOX = Box(shape=(ACTS,), low=-1.0, high=1.0)
SIZES = {"units": UNITS, "learning_rate": 0.01}


class Weights:
    """Weights in a row, which are taken from its front in PyTorch's order."""

    def __init__(self, row):
        self.row = row

    def take(self, *shape):
        size = int(np.prod(shape))
        found, self.row = self.row[:size], self.row[size:]
        return jnp.asarray(found.reshape(shape))

    def layer(self, into, out):
        return Layer(weight=self.take(out, into).T, bias=self.take(out))

    def stack(self, into, out):
        return self.layer(into, UNITS), self.layer(UNITS, UNITS), self.layer(UNITS, out)

    def forked(self):
        """A policy whose means and log deviations have a last layer each."""
        *first, last = self.stack(SEEN, ACTS)
        return *first, beside(last, self.layer(UNITS, ACTS))

    def bundle(self, into=SEEN + ACTS, out=1, number=2):
        stacks = [self.stack(into, out) for _ in range(number)]
        return Bundle(first=beside(*(stack[0] for stack in stacks)), rest=tuple(stack[1:] for stack in stacks))


def beside(*layers):
    """Layers that read the same, as one."""
    return jax.tree.map(lambda *leaves: jnp.concatenate(leaves, axis=-1), *layers)


def batch(**changes):
    rows = {name: jnp.asarray(KNOWN[name]) for name in ("now", "action", "reward", "after", "to_come")}
    found = Batch(**rows, continues=jnp.asarray(KNOWN["goes_on"]), weight=jnp.ones(len(KNOWN["now"])))
    return dataclasses.replace(found, **changes)


def assert_five_updates(learner, space, name, read, batch, noise=(), **fields):
    """Begin from the peer's weights, learn five times, and end in the peer's weights. read: Weights -> fields of the state.
    noise: its names, in the order of draws of one update, which is traced once; an empty name is no noise."""
    before, wanted = (read(Weights(KNOWN[f"{name}/{when}"])) for when in ("before", "after"))
    state = learner.init(KEY, SEEN, space)
    state = dataclasses.replace(state, **before, **fields)
    learn, left = jax.jit(learner.learn), [jnp.asarray(KNOWN[one]) if one else jnp.zeros((32, ACTS)) for one in noise]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jax.random, "normal", lambda _, shape: fitting(left.pop(0), shape))
        patch.setattr(jax.random, "uniform", lambda _, shape, minval: fitting(jnp.asarray(KNOWN["even"]), shape))
        for _ in range(5):
            state, _ = learn(KEY, state, batch)
    assert not left
    for field, after in wanted.items():
        found = getattr(state, field)
        moved = max(jax.tree.leaves(jax.tree.map(lambda one, other: float(jnp.abs(one - other).max()), found, before[field])))
        assert moved > 1e-3 or (field == "target" and not learner.ema_rate), f"{field} moved by {moved}"
        # where a gradient is near zero, Adam makes much of how it was rounded
        jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=0, atol=1e-5), found, after)


def fitting(noise, shape):
    assert noise.shape == tuple(shape)
    return noise


def test_iql(monkeypatch):
    """The peer's log deviations are a squashed weight, where ours, as those of the paper's code, are the weight itself."""
    middle, half = 0.5 * (actors.HIGHEST + actors.LOWEST), 0.5 * (actors.HIGHEST - actors.LOWEST)
    monkeypatch.setattr(actors, "spread", lambda actor: middle + half * jnp.tanh(0.5 * actor.deviation))

    def read(weights):
        deviation = weights.take(ACTS)
        policy = Actor(network=weights.stack(SEEN, ACTS), deviation=deviation)
        return {"policy": policy, "critics": weights.bundle(), "target": weights.bundle(), "value": weights.stack(SEEN, 1)}

    assert_five_updates(IQL(**SIZES), BOX, "iql", read, batch())


def test_td3_that_stays_near_to_the_data():
    """The peer multiplies values by 2.5, where ours multiplies the distance by 0.4: one factor, which Adam does not see."""

    def read(weights):
        policy, critics, target = weights.stack(SEEN, ACTS), weights.bundle(), weights.bundle()
        return {"policy": policy, "critics": critics, "target": target, "slow": weights.stack(SEEN, ACTS)}

    assert_five_updates(TD3(**SIZES, clone=0.4), BOX, "td3_bc", read, batch(), noise=("target",))


class Cut(policies.Gaussian):
    """Log deviations as the peer bounds them."""

    def moments(self, outputs):
        mean, raw = jnp.split(outputs, 2, axis=-1)
        return mean, jnp.clip(raw, -20.0, 2.0)


@pytest.mark.parametrize(
    ("name", "learner", "first"),
    [
        # the peer's target takes the policy's middle action where ours draws one: here without noise
        ("cql", SAC(**SIZES, soft=False, conservative=Conservative(alpha=2.5, draws=DRAWS)), ""),
        ("cal_ql", SAC(**SIZES, conservative=Conservative(alpha=2.5, draws=DRAWS, calibrated=True)), "target"),
    ],
)
def test_conservative_critics(monkeypatch, name, learner, first):
    """The peer counts the squared error whole and the term 5 times, where ours counts half of it and the term 2.5 times: one
    factor. It would move the temperature before the policy, not after it; so here the temperature does not learn."""
    frozen = optimiser(learner.learning_rate), optimiser(0.0)
    monkeypatch.setattr(SAC, "_optimisers", lambda _: frozen)

    def read(weights):
        return {"policy": weights.forked(), "critics": weights.bundle(), "target": weights.bundle()}

    noise = (first, "here", "there", "policy")
    assert_five_updates(learner, BOX, name, read, batch(), noise=noise, acts=Cut(space=BOX))


@pytest.mark.parametrize(("name", "conservative"), [("dqn", 0.0), ("cql_of_choices", 0.7)])
def test_deep_q_learning_with_a_double_target(name, conservative):
    """The peer copies its target network now and then, where ours moves a little each time: here neither does."""

    def read(weights):
        return {"network": weights.stack(SEEN, CHOICES), "target": weights.stack(SEEN, CHOICES)}

    learner = DQN(**SIZES, ema_rate=0.0, conservative=conservative)
    choice = jnp.asarray(KNOWN["choice"], jnp.int32)
    assert_five_updates(learner, Discrete(n=CHOICES), name, read, batch(action=choice))
