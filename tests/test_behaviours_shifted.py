"""Shifted rewards against value iteration, and Q-learning with a table and with another optimiser."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings, strategies

import umwelt.check
from umwelt.behaviours import DQN, ModelFree, Shifted
from umwelt.behaviours.batch import Batch
from umwelt.core import Box, Discrete, WorldSpec
from umwelt.memory import Ring
from umwelt.networks.noisy_steps import Langevin

KEY = jax.random.key(5)
CHOICES = Discrete(n=2)
TABLE = DQN(layers=0, learning_rate=0.05, discount=0.5, ema_rate=1.0)


def batch_of(cells: list[int], actions: list[int], rewards: list[float], steps: int = 1) -> Batch:
    now, after = jnp.eye(3)[jnp.array(cells)], jnp.eye(3)[(jnp.array(cells) + 1) % 3]
    ones = jnp.ones(len(cells))
    taken = jnp.array(actions, jnp.int32)
    return Batch(now=now, action=taken, reward=jnp.array(rewards), continues=ones, after=after, weight=ones, steps=steps)


@settings(max_examples=40, deadline=None)
@given(strategies.integers(0, 10**6), strategies.sampled_from([-0.5, -0.1, 0.3]))
def test_a_shift_is_another_first_value_and_a_constant(seed: int, shift: float) -> None:
    random, discount = np.random.default_rng(seed), 0.8
    moves = random.dirichlet(np.ones(4), size=(4, 2))
    rewards = random.normal(size=(4, 2))
    shifted, plain = np.zeros((4, 2)), np.full((4, 2), -shift / (1 - discount))
    for _ in range(30):
        shifted = rewards + shift + discount * moves @ shifted.max(1)
        plain = rewards + discount * moves @ plain.max(1)
        np.testing.assert_allclose(shifted - plain, shift / (1 - discount), rtol=1e-9)
        np.testing.assert_array_equal(shifted.argmax(1), plain.argmax(1))


def test_the_table_learns_the_values_of_the_shifted_rewards() -> None:
    # three cells in a ring, one action of each is known: 1 for leaving cell 2
    learner = Shifted(learner=TABLE, shifts=(0.0, -0.2))
    batch = batch_of([0, 1, 2], [1, 1, 1], [0.0, 0.0, 1.0])

    def update(state, _):
        return learner.learn(KEY, state, batch)[0], None

    state = jax.jit(lambda state: jax.lax.scan(update, state, None, length=600)[0])(learner.init(KEY, 3, CHOICES))
    values = np.asarray(state.inner.network[0].weight)
    last = 1 / (1 - 0.125)
    np.testing.assert_allclose(values[0, :, 1], [last / 4, last / 2, last], atol=1e-2)
    # each is lower by 0.2 / (1 - 0.5), but where that is below what was never tried
    assert (values[:, :, 0] == 0).all(), "features are one-hot, so what was not tried stays at 0"
    best = np.zeros(3)
    for _ in range(60):
        best = np.maximum(np.array([0, 0, 1]) - 0.2 + 0.5 * np.roll(best, -1), 0.0)
    np.testing.assert_allclose(values[1, :, 1], np.array([0, 0, 1]) - 0.2 + 0.5 * np.roll(best, -1), atol=1e-2)


def test_one_learner_acts_at_a_time_and_a_probe_follows_the_first() -> None:
    learner = Shifted(learner=replace(TABLE, final_epsilon=0.0, epsilon_updates=1), shifts=(0.0, 5.0), hold=2)
    state, batch = learner.init(KEY, 3, CHOICES), batch_of([0, 1, 2], [1, 1, 1], [-1.0, -1.0, -1.0])
    learn, seen, acted = jax.jit(learner.learn), [], []
    for index in range(24):
        state, info = learn(jax.random.key(index), state, batch)
        seen.append(int(state.chosen))
        acted.append(int(learner.act(KEY, state, batch.now, "explore")[0]))
        assert int(learner.act(KEY, state, batch.now, "exploit")[0]) == 0
    assert set(seen) == {0, 1}
    assert all(one == other for one, other in zip(seen[1::2], seen[2::2], strict=False)), "each holds for two lessons"
    assert seen == acted, "with 5 more, what was tried looks better than what was not"
    assert np.isfinite(info["value"])
    after, _ = learn(KEY, state, replace(batch, weight=jnp.zeros(3)))
    jax.tree.map(np.testing.assert_array_equal, after, state)


def test_what_cannot_be_shifted_is_named() -> None:
    with pytest.raises(ValueError, match="at least one shift"):
        Shifted(learner=TABLE, shifts=()).init(KEY, 3, CHOICES)
    learner = Shifted(learner=TABLE)
    with pytest.raises(ValueError, match="set steps=1"):
        learner.learn(KEY, learner.init(KEY, 3, CHOICES), batch_of([0], [0], [1.0], steps=3))
    with pytest.raises(ValueError, match="layers=-1"):
        DQN(layers=-1).init(KEY, 3, CHOICES)


def test_an_agent_around_it_keeps_the_contract() -> None:
    spec = WorldSpec(name="ring", observation=Box(shape=(3,), low=0.0, high=1.0), action=CHOICES, task=Box(), batch=2)
    learner = Shifted(learner=DQN(units=4, layers=1, optimiser=Langevin()), shifts=(-0.1, 0.1))
    umwelt.check.agent(ModelFree(learner=learner, memory=Ring(bytes=10_000), batch=8), spec, depth="shapes").raise_if_broken()


def adam(rate: float, key: jax.Array) -> optax.GradientTransformation:
    return optax.adam(rate)


def test_another_optimiser_takes_the_place_of_adam() -> None:
    batch, found = batch_of([0, 1, 2], [1, 0, 1], [1.0, 0.0, 2.0]), []
    for learner in (DQN(units=4), DQN(units=4, optimiser=adam), DQN(units=4, optimiser=Langevin(noise=0.1))):
        state, learn = learner.init(KEY, 3, CHOICES), jax.jit(learner.learn)
        for _ in range(3):
            state, _ = learn(KEY, state, batch)
        found.append(state.network)
    jax.tree.map(np.testing.assert_array_equal, found[0], found[1])
    assert float(jnp.abs(found[2][0].weight - found[0][0].weight).max()) > 1e-3


def test_worth_is_the_value_of_the_choice() -> None:
    state = TABLE.init(KEY, 3, CHOICES)
    weight = jnp.arange(6.0).reshape(3, 2)
    state = replace(state, network=(replace(state.network[0], weight=weight),))
    assert TABLE.worth(state, jnp.eye(3), jnp.array([0, 1, 0])).tolist() == [0, 3, 4]
