"""Particles: what they are spread by, where a teacher sends them, and the goals of rejection."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.core import Box, Feedback
from umwelt.networks import particles as stein
from umwelt.teachers import Halfway, Stein
from umwelt.worlds import PointMaze

KEY = jax.random.key(0)


def test_particles_recover_a_normal_density() -> None:
    mean, deviation = jnp.array([1.0, -0.5]), jnp.array([0.5, 1.0])
    begin = jax.random.normal(KEY, (100, 2))
    found = jax.jit(lambda x: stein.moved(x, lambda place: -0.5 * jnp.sum(((place - mean) / deviation) ** 2), 0.3, 300))(begin)
    np.testing.assert_allclose(found.mean(axis=0), mean, atol=0.1)
    np.testing.assert_allclose(found.std(axis=0), deviation, rtol=0.15)


def test_the_direction_is_that_of_its_definition() -> None:
    particles, slopes = jax.random.normal(KEY, (5, 2)), jax.random.normal(jax.random.key(1), (5, 2))
    square = np.sum((np.asarray(particles)[:, None] - np.asarray(particles)[None]) ** 2, axis=-1)
    width = np.median(square) / np.log(6.0)

    def kernel(x: jax.Array, y: jax.Array) -> jax.Array:
        return jnp.exp(-jnp.sum((x - y) ** 2) / width)

    slope = jax.jit(jax.grad(kernel))
    expected = [
        sum(kernel(other, here) * pull + slope(other, here) for other, pull in zip(particles, slopes, strict=True)) / 5
        for here in particles
    ]
    np.testing.assert_allclose(stein.direction(particles, slopes), np.stack(expected), atol=1e-5)


def test_the_density_prefers_intermediate_success_and_valid_places() -> None:
    teacher = Stein(particles=4, units=4, recent=8)
    state = teacher.init(KEY, Box(shape=(1,), low=0.0, high=1.0), {"one": np.zeros(1, np.float32)})
    density = jax.jit(teacher.log_density)
    place = jnp.array([0.3])
    easy = float(teacher.success(state, place[None])[0])
    assert float(density(state, place)) == pytest.approx(20.0 * 6.0 * easy * (1.0 - easy), rel=1e-4)
    reached = jnp.full((1, 1), 0.9)
    one = jnp.ones(1)
    feedback = Feedback(finished=one > 0, returns=one, length=one, surprise=one, doubt=one, reached=reached)
    after = teacher.tell(KEY, state, reached, feedback)
    fell = density(state, place) - density(after, place)
    assert float(fell) == pytest.approx(-np.log(1e-6), rel=1e-3), "nothing was achieved there"
    assert float(density(after, jnp.array([0.9]))) == pytest.approx(float(density(state, jnp.array([0.9]))))


@pytest.mark.parametrize("teacher", [Stein(particles=4, recent=8), Halfway(recent=8)], ids=lambda teacher: type(teacher).__name__)
def test_teachers_keep_the_contract(teacher: Any) -> None:
    check.teacher(teacher, depth="shapes").raise_if_broken()
    maze = PointMaze()
    goals = type(teacher)(**{**vars(teacher), "within": (("goal", 0.0, 9.0),)})
    check.teacher(goals, maze.spec.task, maze.tasks(), depth="shapes", achieved=maze.spec.task.goal).raise_if_broken()


def test_rejection_draws_what_sometimes_succeeds() -> None:
    teacher = Halfway(even=0.0, jitter=0.01, recent=64, scale=(0.0, 1.0))
    ask = jax.jit(lambda state: teacher.ask(KEY, state, 200)[1])
    state = teacher.init(KEY, Box(low=0.0, high=1.0), {"one": np.float32(0.0)})
    assert np.std(np.asarray(ask(state))) > 0.2, "even before any result"
    tasks = jnp.linspace(0.0, 1.0, 50)
    feedback = Feedback(finished=tasks >= 0, returns=tasks, length=tasks, surprise=tasks, doubt=tasks)
    asked = np.asarray(ask(teacher.tell(KEY, state, tasks, feedback)))
    assert asked.min() > 0.05
    assert asked.max() < 0.95


@pytest.mark.parametrize(("teacher", "field"), [
    (Stein(particles=1), "particles"), (Stein(alpha=0.5), "alpha"), (Stein(even=2.0), "even"), (Halfway(low=0.9), "low"),
])  # fmt: skip
def test_bad_values_are_named(teacher: Any, field: str) -> None:
    with pytest.raises(ValueError, match=f"{field}="):
        teacher.init(KEY, Box(low=0.0, high=1.0), {"one": np.float32(0.0)})
