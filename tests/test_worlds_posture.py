"""From an observation back to a drawing: what is drawn is what the world itself would draw."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.worlds import BUILT_IN, Announced, Pendulum, normalised, pictured, repeated, sketch, stack_frames, sticky
from umwelt.worlds.pendulum import PendulumBody
from umwelt.worlds.posture import drawer, posture
from umwelt.worlds.stream import rows


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_posture_is_drawn_like_the_body_that_was_observed(name: str) -> None:
    world, random = BUILT_IN[name](), np.random.default_rng(0)
    for task in list(world.tasks().values())[:3]:
        body = world.begin(jax.random.key(1), task)
        moved = jax.tree.map(lambda leaf: leaf + jnp.asarray(random.uniform(-2, 2, leaf.shape), jnp.float32), body)
        found = posture(world, world.observe(moved, task))
        expected, drawn = sketch.drawing(world, moved, task), sketch.drawing(world, found, task)
        for leaf in ("ends", "thickness", "shade"):
            np.testing.assert_allclose(getattr(drawn, leaf), getattr(expected, leaf), atol=1e-5)


@pytest.mark.parametrize("wrap", [lambda world: Announced(world=world), lambda world: repeated(world, 2), sticky])
def test_wrapped_worlds_are_drawn_as_the_world_inside(wrap) -> None:
    world, task = Pendulum(), next(iter(Pendulum().tasks().values()))
    bodies = [PendulumBody(angle=jnp.float32(angle), speed=jnp.float32(1), torque=jnp.float32(0)) for angle in (0.1, 2, -3)]
    seen = np.stack([world.observe(body, task) for body in bodies])
    told = np.full((3, wrap(world).spec.observation.shape[0] - 3), 0.7, np.float32)  # what `Announced` adds, or nothing
    frames = drawer(wrap(world))(np.concatenate([seen, told], axis=1), rows(task, 3))
    expected = np.stack([sketch.picture(sketch.drawing(world, body, task)) for body in bodies])
    # an angle that went through a sine and back may fall on the other side of a rounding
    assert np.abs(np.asarray(frames, int) - expected.astype(int)).max() <= 1
    assert len(np.unique(expected.reshape(3, -1), axis=0)) == 3


def test_pictures_are_their_own_frames_and_of_several_the_last() -> None:
    stack = np.arange(2 * 64 * 64 * 4).astype(np.uint8).reshape(2, 64, 64, 4)
    draw = drawer(stack_frames(pictured(Pendulum()), 4))
    np.testing.assert_array_equal(draw(stack, None), stack[..., -1:])


def test_what_cannot_be_drawn_is_said_to_be_none() -> None:
    assert drawer(normalised(Pendulum())) is None, "standard units tell no angle"

    @dataclasses.dataclass
    class Own:
        spec = Pendulum().spec

    assert drawer(Own()) is None
    with pytest.raises(TypeError, match=r"posture\.register"):
        posture(Own(), jnp.zeros(3))
