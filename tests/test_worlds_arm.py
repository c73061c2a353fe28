"""The arm over its table: one dynamics under six wishes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.core import capability
from umwelt.worlds import Announced, Arm
from umwelt.worlds.arm import BUTTON, DOOR, HINGE, LENGTHS, PEG, TOUCH, TRAVEL, WIDEST, ArmBody, handle, tip

WORLD = Arm()
KEY = jax.random.key(0)
WISH = WORLD.tasks()["button"]


def body(joints: tuple[float, float], peg: np.ndarray = PEG, puck: tuple[float, float] = (1.0, -1.0)) -> ArmBody:
    one = jnp.float32
    return ArmBody(
        joints=jnp.array(joints, one), button=one(0), door=one(0.7), puck=jnp.array(puck, one), peg=jnp.array(peg, one)
    )


def joints_for(place: np.ndarray) -> tuple[float, float]:
    """Two-link inverse kinematics by the law of cosines."""
    first, second = LENGTHS
    elbow = np.arccos((place @ place - first**2 - second**2) / (2 * first * second))
    shoulder = np.arctan2(place[1], place[0]) - np.arctan2(second * np.sin(elbow), first + second * np.cos(elbow))
    return float(shoulder), float(elbow)


def path_of(start: ArmBody, actions: np.ndarray) -> ArmBody:
    """The bodies after each action, stacked."""
    return jax.lax.scan(lambda now, action: (WORLD.advance(KEY, now, action, WISH)[0],) * 2, start, jnp.asarray(actions))[1]


def test_the_tip_is_where_two_links_end() -> None:
    np.testing.assert_allclose(tip(jnp.array([0.0, 0.0])), [sum(LENGTHS), 0.0], atol=1e-6)
    np.testing.assert_allclose(tip(jnp.array([np.pi / 2, -np.pi / 2])), [LENGTHS[1], LENGTHS[0]], atol=1e-6)
    for place in (BUTTON, PEG, np.array([0.4, 0.5])):
        np.testing.assert_allclose(tip(jnp.array(joints_for(place))), place, atol=1e-5)


def test_what_is_not_touched_stays() -> None:
    actions = np.random.default_rng(0).uniform(-1, 1, (400, 3)).astype(np.float32)
    path = jax.tree.map(np.asarray, path_of(body((1.2, 0.4), puck=(0.4, 0.4)), actions))
    tips = np.asarray(jax.vmap(tip)(path.joints))
    for thing in ("puck", "peg"):
        places = getattr(path, thing)
        moved = np.abs(np.diff(places, axis=0)).sum(axis=1) > 1e-6
        near = np.minimum(np.linalg.norm(tips[1:] - places[:-1], axis=1), np.linalg.norm(tips[:-1] - places[:-1], axis=1))
        assert (near[moved] < TOUCH + 1e-5).all()
    handles = np.asarray(jax.vmap(handle)(path.door))
    turned = np.abs(np.diff(path.door)) > 1e-6
    assert (np.linalg.norm(tips[:-1] - handles[:-1], axis=1)[turned] < TOUCH + 1e-5).all()
    assert (actions[1:, 2][turned] > 0).all(), "only a grip turns the door"
    assert np.linalg.norm(handles - HINGE, axis=1) == pytest.approx(DOOR, abs=1e-5)


def test_a_button_goes_down_under_the_tip_and_comes_up_without() -> None:
    above, below = (joints_for(BUTTON + np.array([0.0, dy])) for dy in (0.02, -TRAVEL))
    down = np.array([(np.array(below) - np.array(above)) / (4 * WORLD.dt * WORLD.fastest)] * 4)
    path = path_of(body(above), np.concatenate([down, np.zeros((4, 1))], axis=1).astype(np.float32))
    assert float(path.button[-1]) == pytest.approx(TRAVEL, abs=0.01)
    # away to the side: it halves at every decision
    left = jax.tree.map(lambda leaf: leaf[-1], path)
    after = path_of(left, np.tile([[1.0, 1.0, 0.0]], (12, 1)).astype(np.float32))
    assert float(after.button[-1]) < 1e-3


def test_a_held_peg_goes_where_the_tip_goes() -> None:
    held = path_of(body(joints_for(PEG)), np.array([[-0.5, 0.2, 1.0]] * 10, np.float32))
    apart = np.asarray(jax.vmap(tip)(held.joints)) - np.asarray(held.peg)
    np.testing.assert_allclose(apart, np.zeros_like(apart), atol=1e-5)
    free = path_of(body(joints_for(PEG)), np.array([[-0.5, 0.2, -1.0]] * 10, np.float32))
    np.testing.assert_array_equal(free.peg, np.tile(PEG, (10, 1)))


def test_a_known_reward_is_the_worlds_own_under_every_wish() -> None:
    world = Announced(world=Arm(batch=6))
    wishes = jax.tree.map(lambda *leaves: jnp.stack(leaves), *world.tasks().values())
    state, step = world.init(KEY, wishes)
    actions = jax.random.uniform(KEY, (20, 6, 3), minval=-1.0)
    move, reward = jax.jit(world.step), capability(world, "reward", required="here")
    for action in actions:
        state, after = move(KEY, state, action, wishes)
        shown = reward(step.observation, action, after.observation)
        np.testing.assert_allclose(shown, after.reward, atol=1e-5)
        alone = WORLD.reward(step.observation["seen"], action, after.observation["seen"], wishes)
        np.testing.assert_allclose(alone, after.reward, atol=1e-5)
        step = after


def test_opposite_wishes_pay_for_opposite_doors() -> None:
    seen = jax.vmap(WORLD.observe, (0, None))(
        jax.tree.map(lambda *leaves: jnp.stack(leaves), *(body((1.0, 1.0)) for _ in range(2))), WISH
    )
    seen = seen.at[:, 7].set(jnp.array([0.0, WIDEST]))
    opened, shut = (WORLD.reward(seen, seen[:, :3], seen, WORLD.tasks()[name]) for name in ("open", "close"))
    assert float(opened[1] - opened[0]) > 0.5 < float(shut[0] - shut[1])
