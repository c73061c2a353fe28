"""The built-in worlds against the Gymnasium originals: one step from each of 1,000 random states."""

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.worlds import Acrobot, Cartpole, MountainCar, MountainCarContinuous, Pendulum, stream
from umwelt.worlds.acrobot import AcrobotBody
from umwelt.worlds.cartpole import CartpoleBody
from umwelt.worlds.mountain_car import MountainCarBody
from umwelt.worlds.pendulum import PendulumBody

COUNT = 1000


def first_task(world):
    return stream.rows(next(iter(world.tasks().values())), COUNT)


def ours(world, body, action):
    """(next body, reward, terminated, observation) of COUNT rows on the default task."""
    dtype = jax.tree.leaves(body)[0].dtype
    task = jax.tree.map(lambda leaf: leaf.astype(dtype), first_task(world))
    keys = jax.random.split(jax.random.key(0), COUNT)
    moved, reward, terminated = jax.jit(jax.vmap(world.advance))(keys, body, action, task)
    return moved, np.asarray(reward), np.asarray(terminated), np.asarray(jax.vmap(world.observe)(moved, task))


def theirs(id, states, actions):
    """(states, rewards, terminated, observations) of the original, each step from a fresh reset."""
    environment = gymnasium.make(id).unwrapped
    made = []
    for state, action in zip(states, actions, strict=True):
        environment.reset(seed=0)
        environment.state = state
        observation, reward, terminated, _, _ = environment.step(action)
        made.append((np.asarray(environment.state, np.float64), reward, terminated, observation))
    environment.close()
    return [np.array(column) for column in zip(*made, strict=True)]


def uniform(low, high):
    return np.random.default_rng(0).uniform(low, high, (COUNT, len(low))).astype(np.float32)


def agree(mine, original):
    np.testing.assert_allclose(mine, original, rtol=1e-5, atol=1e-5)


def test_pendulum():
    states = uniform([-7.0, -8.0], [7.0, 8.0])
    actions = uniform([-2.5], [2.5])
    body = PendulumBody(angle=states[:, 0], speed=states[:, 1], torque=actions[:, 0])
    moved, reward, terminated, seen = ours(Pendulum(), body, actions)
    state, their_reward, their_end, observation = theirs("Pendulum-v1", states.astype(np.float64), actions.astype(np.float64))
    agree(np.stack([moved.angle, moved.speed], 1), state)
    agree(reward, their_reward)
    agree(seen, observation)
    assert not terminated.any()
    assert not their_end.any()


def test_cartpole():
    states = uniform([-2.5, -3.0, -0.25, -3.0], [2.5, 3.0, 0.25, 3.0])
    actions = np.random.default_rng(1).integers(0, 2, COUNT)
    moved, reward, terminated, seen = ours(
        Cartpole(), CartpoleBody(position=states[:, 0], speed=states[:, 1], angle=states[:, 2], turn=states[:, 3]), actions
    )
    state, their_reward, their_end, observation = theirs("CartPole-v1", states.astype(np.float64), actions)
    agree(np.stack([moved.position, moved.speed, moved.angle, moved.turn], 1), state)
    agree(reward, their_reward)
    agree(seen, observation)
    np.testing.assert_array_equal(terminated, their_end)
    assert 100 < terminated.sum() < 900


@pytest.mark.parametrize(("dtype", "fastest"), [("float64", 1.0), ("float32", 0.3)])
def test_acrobot(dtype, fastest):
    """At full speed the original's float64 is needed: float32 loses three digits in the squares of the speeds."""
    high = np.array([np.pi, np.pi, fastest * 4 * np.pi, fastest * 9 * np.pi])
    states = jnp.asarray(uniform(-high, high), dtype)
    actions = np.random.default_rng(1).integers(0, 3, COUNT)
    body = AcrobotBody(angles=states[:, :2], speeds=states[:, 2:])
    _, reward, terminated, seen = ours(Acrobot(), body, actions)
    _, their_reward, their_end, observation = theirs("Acrobot-v1", np.asarray(states, np.float64), actions)
    agree(seen, observation)
    agree(reward, their_reward)
    np.testing.assert_array_equal(terminated, their_end)
    assert 100 < terminated.sum() < 900


@pytest.mark.parametrize(
    ("world", "id"), [(MountainCar(), "MountainCar-v0"), (MountainCarContinuous(), "MountainCarContinuous-v0")]
)
def test_mountain_car(world, id):
    states = uniform([-1.25, -0.07], [0.6, 0.07])
    random = np.random.default_rng(1)
    discrete = id == "MountainCar-v0"
    actions = random.integers(0, 3, COUNT) if discrete else random.uniform(-1, 1, (COUNT, 1)).astype(np.float32)
    body = MountainCarBody(position=states[:, 0], speed=states[:, 1])
    moved, reward, terminated, seen = ours(world, body, jnp.asarray(actions))
    state, their_reward, their_end, observation = theirs(id, states.astype(np.float64), actions)
    agree(np.stack([moved.position, moved.speed], 1), state)
    agree(reward, their_reward)
    agree(seen, observation)
    np.testing.assert_array_equal(terminated, their_end)
    assert 10 < terminated.sum() < 900


@pytest.mark.parametrize(
    ("world", "id"),
    [
        (Pendulum(), "Pendulum-v1"),
        (Cartpole(), "CartPole-v1"),
        (Acrobot(), "Acrobot-v1"),
        (MountainCar(), "MountainCar-v0"),
        (MountainCarContinuous(), "MountainCarContinuous-v0"),
    ],
)
def test_the_time_limit_is_the_originals(world, id):
    assert world.time_limit == gymnasium.spec(id).max_episode_steps
