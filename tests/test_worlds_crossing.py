"""The field of posts: its routes are 24, the expert takes the one that is asked for, and a touch ends."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.core import TERMINATED
from umwelt.memory.played import Played
from umwelt.worlds import crossing
from umwelt.worlds.crossing import POSTS, ROWS, Crossing

KEY = jax.random.key(0)


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_the_expert_crosses_on_the_route_that_it_is_given(noise: float) -> None:
    world, number = Crossing(batch=48), 48
    tasks = jax.tree.map(lambda *leaves: jnp.stack(leaves), *[crossing.task(row % 24) for row in range(number)])

    def tick(carry: tuple, key: jax.Array) -> tuple:
        state, step, going, total = carry
        done = world.expert(key, step.observation, tasks)
        noisy = jnp.clip(done + noise * jax.random.normal(key, done.shape), -1.0, 1.0)
        state, after = world.step(key, state, noisy, tasks)
        place = jnp.where(going[:, None], after.observation, jnp.full((1, 2), crossing.LINE))
        return (state, after, going & ~after.last, total + jnp.where(going, after.reward, 0.0)), place

    @jax.jit
    def crossed(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        begun = (*world.init(key, tasks), jnp.ones(number, bool), jnp.zeros(number))
        (_, _, going, total), path = jax.lax.scan(tick, begun, jax.random.split(key, world.time_limit))
        return jnp.where(going, 0.0, total), jax.vmap(crossing.route, 1)(path)

    total, routes = (np.asarray(each) for each in crossed(KEY))
    assert total.mean() >= (1.0 if noise == 0 else 0.95)
    np.testing.assert_array_equal(routes[total > 0], (np.arange(number) % 24)[total > 0])


def test_routes_are_all_ways_through_the_gaps_and_evenly_chosen_ones_differ_in_every_row() -> None:
    ways = [crossing.gaps(route) for route in range(24)]
    assert set(ways) == {(one, two, three) for one in range(2) for two in range(3) for three in range(4)}
    assert crossing.modes(6) == ("route00", "route04", "route08", "route12", "route16", "route20")
    for number in (4, 6, 12):
        chosen = [ways[int(name[-2:])] for name in crossing.modes(number)]
        assert all(len({way[row] for way in chosen}) > 1 for row in range(3))
    with pytest.raises(ValueError, match="number=5"):
        crossing.modes(5)


def test_a_path_is_named_by_the_gaps_that_it_goes_through() -> None:
    def path(*gaps: float) -> jax.Array:
        places = [(0.0, -0.95), *((x, y + 0.1) for x, y in zip(gaps, ROWS, strict=True)), (gaps[-1], 1.0)]
        # each leg in two steps, so that rows are crossed between places
        return jnp.asarray([place for a, b in pairwise(places) for place in (a, tuple(np.add(a, b) / 2), b)])

    assert crossing.gaps(int(crossing.route(path(-0.5, -0.7, -0.9)))) == (0, 0, 0)
    assert crossing.gaps(int(crossing.route(path(0.5, 0.0, 0.3)))) == (1, 1, 2)
    assert crossing.gaps(int(crossing.route(path(0.5, 0.7, 0.9)))) == (1, 2, 3)
    assert int(crossing.route(path(-0.5, -0.7, -0.9)[:6])) == -1, "a path that ends in the field has no route"


def test_a_touch_ends_the_episode_without_reward_and_a_gate_pays_for_itself_alone() -> None:
    world = Crossing()
    named = world.tasks()
    for xs, y in zip(POSTS, ROWS, strict=True):
        for x in xs:
            body = crossing.CrossingBody(place=jnp.array([x, y - 0.12]))
            _, reward, ended = world.advance(KEY, body, jnp.array([0.0, 1.0]), named["any"])
            assert (float(reward), bool(ended)) == (0.0, True)
    for place, wanted in ((-0.6, "left"), (0.1, "middle"), (0.9, "right")):
        body = crossing.CrossingBody(place=jnp.array([place, 0.9]))
        paid = {name: float(world.advance(KEY, body, jnp.array([0.0, 1.0]), named[name])[1]) for name in crossing.GATES}
        assert paid == {name: float(name == wanted) for name in crossing.GATES}


def test_episodes_of_six_modes_are_played_evenly() -> None:
    source = Played(world=Crossing(), tasks=crossing.modes(6), episodes=12, noise=0.1, batch=12)
    (piece,) = source.read(KEY, Crossing(batch=12).spec)
    assert int((piece.next.kind == TERMINATED).sum()) == 12
    assert sorted(set(np.asarray(piece.task.route)[piece.valid].tolist())) == [0, 4, 8, 12, 16, 20]
