"""What the tasks change, and that the worlds can be solved."""

import dataclasses

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.core import Box, spaces
from umwelt.worlds import BUILT_IN, Acrobot, Cartpole, CartpoleSwingup, MountainCar, MountainCarContinuous, Pendulum, stream
from umwelt.worlds.cartpole import CartpoleBody
from umwelt.worlds.mountain_car import MountainCarBody
from umwelt.worlds.pendulum import PendulumBody

KEY = jax.random.key(0)


def task_of(world, name=None, **changes):
    named = world.tasks()
    task = named[name] if name else next(iter(named.values()))
    return dataclasses.replace(task, **{field: np.float32(value) for field, value in changes.items()})


@pytest.mark.parametrize("name", BUILT_IN)
def test_named_tasks_are_in_the_space_and_differ(name):
    world = BUILT_IN[name]()
    tasks = world.tasks()
    assert len(tasks) >= 4
    assert world.spec.name == name
    assert all(isinstance(leaf, Box) for leaf in spaces.leaves(world.spec.task))
    for task in tasks.values():
        assert spaces.contains(world.spec.task, task) == ""
    assert len({b"".join(leaf.tobytes() for leaf in jax.tree.leaves(task)) for task in tasks.values()}) == len(tasks)


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_first_line_of_the_docstring_describes_the_world(name):
    first = BUILT_IN[name].__doc__.splitlines()[0]
    assert 20 < len(first) < 110
    assert first.endswith(".")


@pytest.mark.parametrize("gravity", [1.62, 10.0, 24.79])
def test_gravity_of_the_pendulum_is_gymnasiums(gravity):
    environment = gymnasium.make("Pendulum-v1", g=gravity).unwrapped
    environment.reset(seed=0)
    environment.state = np.array([1.0, 0.5])
    _, reward, _, _, _ = environment.step(np.array([0.7], np.float32))
    world = Pendulum()
    body = PendulumBody(angle=jnp.float32(1.0), speed=jnp.float32(0.5), torque=jnp.float32(0.0))
    moved, mine, _ = world.advance(KEY, body, jnp.array([0.7]), task_of(world, gravity=gravity))
    np.testing.assert_allclose([moved.angle, moved.speed, mine], [*environment.state, reward], rtol=1e-5)


def test_length_and_mass_of_the_pendulum():
    """Torque over inertia m l^2 / 3, without gravity's pull at the top: 1 N m on 2 kg and 1.5 m is 2/3 rad/s2."""
    world = Pendulum()
    body = PendulumBody(angle=jnp.float32(0.0), speed=jnp.float32(0.0), torque=jnp.float32(0.0))
    moved, _, _ = world.advance(KEY, body, jnp.array([1.0]), task_of(world, mass=2.0, length=1.5))
    np.testing.assert_allclose(moved.speed, 0.05 * 2 / 3, rtol=1e-5)


def test_friction_motor_and_delay_of_the_pendulum():
    """At the top, where gravity does not pull: 3 torque / (m l^2) - friction * speed, in rad/s2."""
    world = Pendulum()
    body = PendulumBody(angle=jnp.float32(0.0), speed=jnp.float32(2.0), torque=jnp.float32(-2.0))
    for changed, pushed in (
        ({"friction": 0.3}, 3.0 * 1.0 - 0.6),
        ({"motor": -1.0}, -3.0),
        ({"motor": 0.5}, 1.5),
        ({"delay": 1.0}, -6.0),
        ({"delay": 0.25}, 3.0 * (0.75 * 1.0 + 0.25 * -2.0)),
    ):
        moved, _, _ = world.advance(KEY, body, jnp.array([1.0]), task_of(world, **changed))
        np.testing.assert_allclose(moved.speed - 2.0, 0.05 * pushed, rtol=1e-4)
        np.testing.assert_allclose(moved.torque, 1.0)


@pytest.mark.parametrize(("goal", "angle", "cost"), [(0.0, np.pi, np.pi**2), (np.pi, np.pi, 0.0), (3.0, -3.0, 0.283185307**2)])
def test_the_pendulum_is_paid_for_its_goal_the_short_way_round(goal, angle, cost):
    world = Pendulum()
    body = PendulumBody(angle=jnp.float32(angle), speed=jnp.float32(0.0), torque=jnp.float32(0.0))
    _, reward, _ = world.advance(KEY, body, jnp.zeros(1), task_of(world, goal=goal))
    np.testing.assert_allclose(-reward, cost, rtol=1e-4, atol=1e-10)


def test_a_leaning_pendulum_can_be_held_by_its_motor():
    """At the goal, the torque m g l / 2 sin(goal) holds it still, and it is within the motor's reach."""
    world, task = Pendulum(), Pendulum().tasks()["lean"]
    torque = -task.mass * task.gravity * task.length / 2 * np.sin(task.goal)
    assert abs(torque) < world.max_torque
    body = PendulumBody(angle=jnp.asarray(task.goal), speed=jnp.float32(0.0), torque=jnp.float32(0.0))
    moved, _, _ = world.advance(KEY, body, jnp.array([torque]), task)
    np.testing.assert_allclose([moved.angle, moved.speed], [task.goal, 0.0], atol=1e-6)


@pytest.mark.parametrize("length", [0.25, 1.5])
def test_length_and_mass_of_the_cartpole_are_gymnasiums(length):
    environment = gymnasium.make("CartPole-v1").unwrapped
    environment.reset(seed=0)
    environment.masspole, environment.length = 0.3, length
    environment.total_mass, environment.polemass_length = 1.3, 0.3 * length
    environment.state = np.array([0.1, 0.2, 0.05, -0.4])
    environment.step(1)
    world = Cartpole()
    body = CartpoleBody(**dict(zip(("position", "speed", "angle", "turn"), jnp.array([0.1, 0.2, 0.05, -0.4]), strict=True)))
    moved, _, _ = world.advance(KEY, body, jnp.int32(1), task_of(world, length=length, mass=0.3))
    np.testing.assert_allclose([moved.position, moved.speed, moved.angle, moved.turn], environment.state, rtol=1e-5)


def test_mirrored_tasks_swap_the_actions():
    for world, name, left, right in (
        (Cartpole(), "mirrored", 0, 1),
        (Acrobot(), "mirrored", 0, 2),
        (MountainCar(), "reversed", 0, 2),
    ):
        body = world.begin(KEY, task_of(world))
        plain, _, _ = world.advance(KEY, body, jnp.int32(left), task_of(world))
        swapped, _, _ = world.advance(KEY, body, jnp.int32(right), task_of(world, name))
        jax.tree.map(np.testing.assert_array_equal, plain, swapped)


def test_the_cartpoles_track_lies_around_its_goal():
    world = Cartpole()
    body = CartpoleBody(position=jnp.float32(-1.0), speed=jnp.float32(0.0), angle=jnp.float32(0.0), turn=jnp.float32(0.0))
    ends = {name: bool(world.advance(KEY, body, jnp.int32(0), task)[2]) for name, task in world.tasks().items()}
    assert ends["right"]
    assert not ends["earth"]
    assert not ends["left"]


@pytest.mark.parametrize(
    ("position", "speed", "goal", "end"),
    [
        (0.46, 0.01, 0.45, True),
        (0.3, 0.01, 0.45, False),
        (-1.15, -0.01, -1.1, True),
        (-1.0, -0.01, -1.1, False),
        (0.5, 0.01, -1.1, False),
    ],
)
def test_the_mountain_cars_goal_is_on_either_hill(position, speed, goal, end):
    world = MountainCarContinuous()
    body = MountainCarBody(position=jnp.float32(position), speed=jnp.float32(speed))
    _, reward, terminated = world.advance(KEY, body, jnp.zeros(1), task_of(world, goal=goal))
    assert bool(terminated) is end
    assert float(reward) == (100.0 if end else 0.0)


def test_the_swingup_keeps_its_energy_without_force():
    """A swinging pole on a free cart loses and gains nothing: the simulation's steps are small enough."""
    world, task = CartpoleSwingup(), CartpoleSwingup().tasks()["centre"]
    body = CartpoleBody(position=jnp.float32(0.0), speed=jnp.float32(0.0), angle=jnp.float32(2.0), turn=jnp.float32(0.0))
    energies = []
    for _ in range(100):
        body, _, _ = world.advance(KEY, body, jnp.zeros(1), task)
        v, angle, turn = (float(leaf) for leaf in (body.speed, body.angle, body.turn))
        rod = task.mass * ((v + task.length * turn * np.cos(angle)) ** 2 + (task.length * turn * np.sin(angle)) ** 2)
        spin = task.mass * (2 * task.length) ** 2 / 12 * turn**2
        potential = task.mass * task.gravity * task.length * np.cos(angle)
        energies.append((world.cart_mass * v**2 + rod + spin) / 2 + potential)
    swing = task.mass * task.gravity * task.length
    assert np.abs(np.array(energies) - swing * np.cos(2.0)).max() < 0.05 * swing


def test_the_swingups_walls_hold():
    world, task = CartpoleSwingup(), CartpoleSwingup().tasks()["centre"]

    def push(body, _):
        body, reward, _ = world.advance(KEY, body, jnp.ones(1), task)
        return body, (body.position, reward)

    _, (places, rewards) = jax.lax.scan(push, world.begin(KEY, task), None, length=300)
    assert 2.4 < float(places.max()) < 2.9
    assert 0.0 <= float(rewards.min()) <= float(rewards.max()) <= 1.0


def test_the_swingup_is_solved_by_planning():
    """The cross-entropy method with a horizon of 25 on the true dynamics, from hanging."""
    world, task = CartpoleSwingup(), stream.rows(CartpoleSwingup().tasks()["centre"], 1)
    task = jax.tree.map(lambda leaf: leaf[0], task)

    def promise(body, plan):
        def move(body, action):
            body, reward, _ = world.advance(KEY, body, action, task)
            return body, reward

        return jax.lax.scan(move, body, plan)[1].sum()

    def refine(body, beliefs, key):
        mean, spread = beliefs
        plans = jnp.clip(mean + spread * jax.random.normal(key, (60, 25, 1)), -1.0, 1.0)
        best = plans[jax.lax.top_k(jax.vmap(promise, (None, 0))(body, plans), 8)[1]]
        return (best.mean(0), best.std(0)), None

    def decide(carry, key):
        body, mean = carry
        start = (mean, jnp.full((25, 1), 0.5))
        (mean, _), _ = jax.lax.scan(lambda beliefs, key: refine(body, beliefs, key), start, jax.random.split(key, 4))
        body, reward, _ = world.advance(KEY, body, mean[0], task)
        return (body, jnp.concatenate([mean[1:], jnp.zeros((1, 1))])), (jnp.cos(body.angle), reward)

    start = (world.begin(KEY, task), jnp.zeros((25, 1)))
    cosines, rewards = jax.jit(lambda keys: jax.lax.scan(decide, start, keys)[1])(jax.random.split(KEY, 200))
    assert float(cosines[0]) < -0.9
    assert float(cosines[100:].mean()) >= 0.9
    assert float(rewards.sum()) > 120.0
