"""The arm as a skill for one thing sees and moves it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.worlds.arm import HOLE, Arm, tip
from umwelt.worlds.local import Local, local

KEY = jax.random.key(0)


def test_the_view_keeps_the_contract() -> None:
    check.world(local(Arm(batch=2, time_limit=6), "peg"), steps=20).raise_if_broken()


def test_hand_and_thing_that_move_together_look_the_same_bit_for_bit() -> None:
    random = np.random.default_rng(0)
    # eighths and quarters are exact, so that sums are
    seen = (random.integers(-8, 8, (20, 12)) / 8).astype(np.float32)
    moved = seen.copy()
    shift = (random.integers(-4, 4, (20, 2)) / 4).astype(np.float32)
    moved[:, 4:6] += shift
    moved[:, 10:12] += shift
    first, second = (np.asarray(Local(thing="peg").shown(jnp.asarray(each))) for each in (seen, moved))
    np.testing.assert_array_equal(first[:, :2], second[:, :2])
    np.testing.assert_allclose(first[:, 2:], HOLE - seen[:, 10:12], atol=1e-6)


def test_the_hand_goes_where_it_should_and_no_joint_too_fast() -> None:
    layer = Local(thing="puck", damping=0.01)
    joints = jnp.array([[1.2, -0.8], [0.3, 1.5], [2.0, 0.9]])
    velocity = jnp.array([[0.1, 0.05], [-0.2, 0.1], [3.0, -3.0]])
    action = jnp.concatenate([velocity, jnp.ones((3, 1))], axis=-1)
    _, turned = layer.on_action(KEY, joints, action)
    assert float(jnp.max(jnp.abs(turned[:, :2]))) <= 1.0 + 1e-6
    moves = jax.vmap(lambda at, speed: jax.jvp(tip, (at,), (speed,))[1])(joints, turned[:, :2])
    np.testing.assert_allclose(moves[:2], velocity[:2], atol=2e-3)
    # too fast: slower, in the same direction
    assert float(moves[2] @ velocity[2]) > 0.99 * float(jnp.linalg.norm(moves[2]) * jnp.linalg.norm(velocity[2]))
    assert turned[:, 2].tolist() == [1.0, 1.0, 1.0]


def test_an_unknown_thing_is_named() -> None:
    with pytest.raises(ValueError, match="thing"):
        _ = local(Arm(), "door").spec  # type: ignore[arg-type]
