"""A cart with two eyes: it rolls as wheels do, sees as light falls, and searches count their episodes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.claims.studies import lamps
from umwelt.claims.studies.lamps import NEAR, ROOMS, Cart, Lamps, LampTask
from umwelt.networks.inside import with_batch

KEY = jax.random.key(0)
SIDES = jnp.array([-0.3, 0.3, 0.3, 0.3])
"""A body with an eye on each side."""
CROSSED = jnp.array([-10.0, 10.0, 10.0, -10.0, 0.5, 0.5])
"""Each eye drives the wheel of the other side, so that the cart turns to the light."""


def test_the_world_keeps_the_contract() -> None:
    check.world(Lamps()).raise_if_broken()


def test_equal_wheels_go_straight_and_opposite_ones_turn_on_the_spot() -> None:
    cart = Cart(place=np.zeros(2, np.float32), heading=np.float32(0.0))
    np.testing.assert_allclose(lamps.rolled(cart, jnp.ones(2)).place, [0.0, 0.1], atol=1e-6)
    turned = lamps.rolled(cart, jnp.array([-1.0, 1.0]))
    np.testing.assert_allclose(turned.place, 0.0, atol=1e-6)
    assert float(turned.heading) == pytest.approx(0.4)
    left = lamps.rolled(Cart(place=np.zeros(2, np.float32), heading=np.float32(np.pi / 2)), jnp.ones(2))
    np.testing.assert_allclose(left.place, [-0.1, 0.0], atol=1e-6)


def test_light_falls_with_the_square_of_the_distance_from_each_eye() -> None:
    """Turned to the left, the eye on the right lies ahead of the start, and the one ahead on the left."""
    eyes = np.array([[0.5, 0.0], [0.0, 0.5]], np.float32)
    cart = Cart(place=np.zeros(2, np.float32), heading=np.float32(np.pi / 2))
    found = lamps.light(cart, jnp.array([0.0, 0.5]), eyes)
    np.testing.assert_allclose(found, [1.0, 1.0 / 1.5], rtol=1e-5)


@pytest.mark.parametrize(("weights", "finds"), [(CROSSED, True), (CROSSED * jnp.array([-1, -1, -1, -1, 1, 1]), False)])
def test_a_policy_ends_where_it_ends_in_the_world_and_crossed_eyes_find_both_lamps(weights: jax.Array, finds: bool) -> None:
    room = with_batch(Lamps(), 2)
    task = LampTask(lamp=jnp.asarray(ROOMS), eyes=jnp.broadcast_to(SIDES.reshape(2, 2), (2, 2, 2)))
    matrix, offset = weights[:4].reshape(2, 2), weights[4:]

    def tick(held: tuple, _: None) -> tuple:
        world, step = held
        world, step = room.step(KEY, world, jnp.tanh(step.observation @ matrix.T + offset), task)
        return (world, step), step.reward

    paid = jax.lax.scan(tick, room.init(KEY, task), length=room.time_limit)[1]
    apart = np.sqrt(2.0) - np.asarray(paid).sum(axis=0)
    found = float(lamps.farther(weights, SIDES))
    assert found == pytest.approx(apart.max(), abs=1e-4)
    assert (found < NEAR) == finds


def test_episodes_are_counted_until_the_first_success_and_two_for_each_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [float(lamps.first(jnp.array(good))) for good in ([False, True, True], [False, False], [True])] == [2.0, 2.0, 1.0]
    # a room in which every policy is at its goal, and one in which none ever is
    monkeypatch.setattr(lamps, "farther", lambda weights, body: 0.0 * weights.sum())
    assert float(lamps.climbed(KEY, SIDES, 5)) == 2.0
    assert float(lamps.evolved(KEY, SIDES, 40)) == 20.0
    monkeypatch.setattr(lamps, "farther", lambda weights, body: 1.0 + 0.0 * weights.sum())
    assert float(lamps.climbed(KEY, SIDES, 5)) == 10.0
    assert float(lamps.evolved(KEY, SIDES, 40)) == 80.0


def test_a_climber_changes_its_body_only_where_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only the body counts, the one that leaves it as it is never arrives."""
    monkeypatch.setattr(lamps, "farther", lambda weights, body: jnp.sum((body - 0.2) ** 2) + 0.3)
    assert float(lamps.climbed(KEY, jnp.full(4, -0.4), 100)) == 200.0
    assert float(lamps.climbed(KEY, jnp.full(4, -0.4), 100, 0.2)) < 200.0
