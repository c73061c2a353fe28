"""What can be controlled, against the closed forms of two levers."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours import Asking, Cloning, Controlled
from umwelt.behaviours.batch import Batch
from umwelt.core import Discrete

KEY = jax.random.key(3)
BETTER, WORSE, RARELY = 0.6, 0.4, 0.1
"""What the two levers pay, and how often the data take the better one."""


def pulled(key, number=256):
    taking, paying = jax.random.split(key)
    action = jax.random.bernoulli(taking, 1 - RARELY, (number,)).astype(jnp.int32)
    paid = jax.random.bernoulli(paying, jnp.where(action == 0, BETTER, WORSE)).astype(jnp.float32)
    seen, ones = jnp.zeros((number, 1)), jnp.ones(number)
    return Batch(now=seen, action=action, reward=paid, continues=0 * ones, after=seen, weight=ones, to_come=paid)


def taught(learner, updates):
    def update(state, key):
        return learner.learn(key, state, pulled(key))[0], None

    begun = learner.init(KEY, 1, Discrete(n=2))
    return jax.jit(lambda state: jax.lax.scan(update, state, jax.random.split(KEY, updates))[0])(begun)


def better(learner, state):
    """How often it takes the better lever."""
    return float(jnp.mean(learner.act(KEY, state, jnp.zeros((4000, 1)), "explore") == 0))


def told(learner, state):
    """What the latent says of the pay, given the lever, by counting: nats."""
    rows = pulled(jax.random.key(8), 4000)
    chance = np.asarray(learner.hidden(state, rows.now, rows.action, rows.to_come), np.float64)
    total = 0.0
    for lever in (0, 1):
        joint = np.stack([chance[(rows.action == lever) & (rows.to_come == paid)].sum(0) for paid in (0, 1)]) / 4000
        share = joint.sum()
        apart = joint.sum(0)[None] * joint.sum(1)[:, None] / share
        total += np.sum(joint * np.log(np.maximum(joint, 1e-12) / np.maximum(apart, 1e-12)))
    return total


@pytest.fixture(scope="module")
def controlled():
    return taught(Controlled(units=32, learning_rate=3e-3), 800)


def test_a_latent_without_luck_takes_the_better_lever(controlled):
    learner = Controlled(units=32, learning_rate=3e-3)
    assert told(learner, controlled) < 0.02
    assert better(learner, controlled) > 0.9


def test_asking_for_the_best_return_repeats_the_lucky_ones():
    # P(better | paid 1) = 0.1 * 0.6 / (0.1 * 0.6 + 0.9 * 0.4)
    exact = RARELY * BETTER / (RARELY * BETTER + (1 - RARELY) * WORSE)
    assert exact == pytest.approx(0.143, abs=1e-3)
    asking, lucky = Asking(learner=Cloning(units=32, learning_rate=3e-3)), Controlled(units=32, learning_rate=3e-3, energy=0.0)
    assert better(asking, taught(asking, 800)) == pytest.approx(exact, abs=0.04)
    state = taught(lucky, 800)
    assert better(lucky, state) == pytest.approx(exact, abs=0.04)
    assert told(lucky, state) > 0.3


def test_rows_without_a_weight_or_a_return_teach_nothing():
    rows = pulled(KEY, 16)
    learners: tuple[Any, ...] = (Controlled(units=8), Asking(learner=Cloning(units=8)))
    for learner in learners:
        state = learner.init(KEY, 1, Discrete(n=2))
        for nothing in (replace(rows, weight=jnp.zeros(16)), replace(rows, to_come=jnp.full(16, jnp.nan))):
            after, _ = learner.learn(KEY, state, nothing)
            jax.tree.map(np.testing.assert_array_equal, after, state)
