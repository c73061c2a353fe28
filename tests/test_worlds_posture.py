"""From an observation back to its body and its drawing: what is drawn is what the world itself would draw."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.core import part
from umwelt.worlds import BUILT_IN, Announced, Pendulum, normalised, pictured, repeated, sketch, stack_frames, sticky
from umwelt.worlds.announced import scaled
from umwelt.worlds.pendulum import PendulumBody
from umwelt.worlds.posture import drawer
from umwelt.worlds.stream import rows


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_body_of_an_observation_is_observed_and_drawn_like_the_body_itself(name: str) -> None:
    world, random = BUILT_IN[name](), np.random.default_rng(0)
    for task in list(world.tasks().values())[:3]:
        body = world.begin(jax.random.key(1), task)
        moved = jax.tree.map(lambda leaf: leaf + jnp.asarray(random.uniform(-2, 2, leaf.shape), jnp.float32), body)
        found = world.body(world.observe(moved, task), task)
        np.testing.assert_allclose(world.observe(found, task), world.observe(moved, task), rtol=1e-4, atol=1e-4)
        expected, drawn = sketch.drawing(world, moved, task), sketch.drawing(world, found, task)
        for leaf in ("ends", "thickness", "shade"):
            np.testing.assert_allclose(getattr(drawn, leaf), getattr(expected, leaf), atol=1e-5)


@pytest.mark.parametrize("wrap", [lambda world: Announced(world=world), lambda world: repeated(world, 2), sticky])
def test_wrapped_worlds_are_drawn_as_the_world_inside(wrap: Any) -> None:
    world, task = Pendulum(), next(iter(Pendulum().tasks().values()))
    bodies = [PendulumBody(angle=jnp.float32(angle), speed=jnp.float32(1), torque=jnp.float32(0)) for angle in (0.1, 2, -3)]
    seen: Any = np.stack([world.observe(body, task) for body in bodies])
    outside = wrap(world)
    shown = {"seen": seen, "task": scaled(world.spec.task, rows(task, 3))} if isinstance(outside, Announced) else seen
    draw = drawer(outside)
    assert draw is not None
    expected = np.stack([sketch.picture(sketch.drawing(world, body, task)) for body in bodies])
    # an angle that went through a sine and back may fall on the other side of a rounding
    assert np.abs(np.asarray(draw(shown, rows(task, 3)), int) - expected.astype(int)).max() <= 1
    assert len(np.unique(expected.reshape(3, -1), axis=0)) == 3


def test_pictures_are_their_own_frames_and_of_several_the_last() -> None:
    stack = np.arange(2 * 64 * 64 * 4).astype(np.uint8).reshape(2, 64, 64, 4)
    world = stack_frames(pictured(Pendulum()), 4)
    for draw, seen in ((drawer(world), stack), (drawer(Announced(world=world)), {"seen": stack, "task": None})):
        assert draw is not None
        np.testing.assert_array_equal(draw(seen, None), stack[..., -1:])


def test_what_cannot_be_drawn_has_no_drawer() -> None:
    assert drawer(normalised(Pendulum())) is None, "standard units show no angle"

    @part
    class Own:
        spec = Pendulum().spec

    assert drawer(Own()) is None
