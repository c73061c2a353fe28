"""Wrappers by hand, under the checker, and saved with a hosted world; drawings of the built-in worlds."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.core import FIRST, Box, spaces
from umwelt.worlds import (
    BUILT_IN,
    Cartpole,
    MountainCarContinuous,
    Pendulum,
    adapters,
    limited,
    normalised,
    pictured,
    repeated,
    scaled_reward,
    sketch,
    stack_frames,
    sticky,
)
from umwelt.worlds.acrobot import Acrobot, AcrobotBody
from umwelt.worlds.stream import rows
from umwelt.worlds.wrappers import Sticky

KEY = jax.random.key(9)
WRAPPED = {
    "numbers": scaled_reward(normalised(sticky(Pendulum(time_limit=20))), 0.1),
    "pictures": stack_frames(sticky(limited(repeated(pictured(Cartpole()), 2), 20)), 2),
}


class Silent:
    """A pure world without a drawing."""

    spec = Pendulum().spec


@pytest.mark.parametrize("name", WRAPPED)
def test_a_world_in_several_wrappers_keeps_the_contract(name):
    umwelt.check.world(WRAPPED[name], steps=25).raise_if_broken()


def test_a_picture_of_a_wrapped_world_keeps_the_contract_in_shape():
    umwelt.check.world(pictured(sticky(repeated(Pendulum(), 2))), depth="shapes").raise_if_broken()


def steps_of(world, actions, batch=1):
    """The steps of a world under a list of actions."""
    task = rows(next(iter(world.tasks().values())), batch)
    state, step = world.init(KEY, task)
    steps = [step]
    move = jax.jit(world.step)
    for index, action in enumerate(actions):
        state, step = move(jax.random.fold_in(KEY, index), state, action, task)
        steps.append(step)
    return steps


def test_frames_are_the_last_observations_and_none_of_another_episode():
    actions = [jnp.ones((1, 1))] * 7
    plain, stacked = (steps_of(world, actions) for world in (Pendulum(time_limit=4), stack_frames(Pendulum(time_limit=4), 3)))
    episode = 0
    for tick, step in enumerate(stacked):
        episode = tick if int(step.kind[0]) == FIRST else episode
        expected = [np.asarray(plain[max(tick - back, episode)].observation) for back in (2, 1, 0)]
        np.testing.assert_array_equal(step.observation, np.concatenate(expected, axis=-1))


def test_a_repeated_decision_is_so_many_steps_and_stops_at_the_end():
    actions = [jnp.full((1, 1), 0.5)] * 12
    plain, twice = steps_of(Pendulum(time_limit=5), actions), steps_of(repeated(Pendulum(time_limit=5), 2), actions[:5])
    np.testing.assert_allclose(twice[1].observation, plain[2].observation, atol=1e-6)
    np.testing.assert_allclose(twice[1].reward, plain[1].reward + plain[2].reward, rtol=1e-6)
    assert [int(step.kind[0]) for step in twice] == [0, 1, 1, 3, 0, 1]
    np.testing.assert_allclose(twice[3].reward, plain[5].reward, rtol=1e-6)
    assert repeated(Pendulum(), 2).spec.repeat == 2


def test_sticky_actions_stick_as_often_as_they_should_but_never_across_episodes():
    layer = Sticky(chance=0.25)
    spec = Pendulum(batch=20_000).spec
    state = layer.begin(spec, None)
    state, first = layer.on_action(KEY, state, np.ones((20_000, 1), np.float32))
    assert (np.asarray(first) == 1).all()
    state = dataclasses.replace(state, fresh=np.arange(20_000) % 2 == 0)
    second = np.asarray(layer.on_action(KEY, state, np.zeros((20_000, 1), np.float32))[1])
    assert not second[::2].any()
    assert float(second[1::2].mean()) == pytest.approx(0.25, abs=0.02)


def test_standard_units_are_measured_before_life_and_stay():
    world = normalised(Pendulum(batch=8))
    actions = list(np.random.default_rng(0).uniform(-2, 2, (30, 8, 1)).astype(np.float32))
    plain, shown = steps_of(Pendulum(batch=8), actions, 8), steps_of(world, actions, 8)
    mean, deviation = (np.array(numbers) for numbers in (world.layer.mean, world.layer.deviation))
    for raw, seen in zip(plain, shown, strict=True):
        np.testing.assert_allclose(seen.observation, (raw.observation - mean) / deviation, rtol=1e-4, atol=1e-5)
    # other random play comes to about the same units, in any number of rows
    every = np.concatenate([step.observation for step in shown])
    assert abs(every.mean(0)).max() < 1.0
    assert 0.5 < every.std(0).min() < every.std(0).max() < 2.0
    alone = steps_of(normalised(Pendulum()), [action[:1] for action in actions])
    assert normalised(Pendulum()) == dataclasses.replace(world, world=Pendulum())
    assert np.isfinite(alone[-1].observation).all()
    assert world == normalised(Pendulum(batch=8)), "the same world is measured the same"


def test_standard_units_of_a_hosted_world_and_of_what_never_moves():
    world = normalised(adapters.gymnasium(id="Pendulum-v1"), decisions=300)
    assert world.spec.observation == Box(shape=(3,), low=-100.0, high=100.0)
    assert all(0.1 < number < 10.0 for number in world.layer.deviation)
    still = normalised(limited(Cartpole(), 1), decisions=4)
    assert all(np.isfinite(still.layer.deviation))
    with pytest.raises(ValueError, match="at least"):
        normalised(Pendulum(), decisions=1)


def test_a_reward_is_scaled_and_nothing_else():
    actions = [jnp.ones((1, 1))] * 3
    for plain, scaled in zip(*(steps_of(world, actions) for world in (Pendulum(), scaled_reward(Pendulum(), -2.0))), strict=True):
        np.testing.assert_allclose(scaled.reward, -2.0 * plain.reward)
        np.testing.assert_array_equal(scaled.observation, plain.observation)


def test_a_hosted_world_is_saved_with_its_layer():
    world = stack_frames(sticky(adapters.gymnasium(id="Pendulum-v1"), 0.5), 3)
    task = jax.tree.map(lambda leaf: np.asarray(leaf)[None], world.tasks()["Pendulum-v1"])
    ticket, step = world.init(KEY, task)
    for tick in range(5):
        ticket, step = world.step(jax.random.fold_in(KEY, tick), ticket, np.full((1, 1), 0.1 * tick, np.float32), task)
    restored, again = world.restore(world.save(ticket))
    jax.tree.map(np.testing.assert_array_equal, step, again)
    went_on, goes_on = (world.step(KEY, held, np.ones((1, 1), np.float32), task) for held in (ticket, restored))
    jax.tree.map(np.testing.assert_array_equal, went_on[1], goes_on[1])
    for held in (went_on[0], goes_on[0]):
        world.close(held)


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_world_can_be_drawn_and_its_picture_shows_where_things_are(name):
    world = BUILT_IN[name]()
    task = world.tasks()[next(iter(world.tasks()))]
    begin = jax.jit(lambda key: world.begin(key, task))
    advance = jax.jit(lambda body: world.advance(KEY, body, spaces.sample(KEY, world.spec.action, 1)[0], task)[0])
    draw = jax.jit(lambda body: sketch.picture(sketch.drawing(world, body, task)))
    bodies = [begin(jax.random.key(seed)) for seed in range(2)]
    moved = bodies[0]
    for _ in range(12):
        moved = advance(moved)
    pictures = [np.asarray(draw(body)) for body in (*bodies, moved)]
    for picture in pictures:
        assert picture.shape == (64, 64, 1)
        assert picture.dtype == np.uint8
        assert 0.005 < (picture > 20).mean() < 0.9
    assert (pictures[0] != pictures[2]).any()


@pytest.mark.parametrize("around", [repeated, sticky, normalised], ids=lambda wrapper: wrapper.__name__)
def test_a_wrapped_world_is_drawn_as_the_one_inside(around):
    inside, outside = around(Pendulum()), pictured(around(Pendulum()))
    state, step = outside.init(KEY, rows(Pendulum().tasks()["earth"], 1))
    world, body, task = sketch.bodies(inside, state)
    assert isinstance(world, Pendulum)
    body, task = jax.tree.map(lambda leaf: leaf[0], (body, task))
    np.testing.assert_array_equal(step.observation[0], sketch.picture(sketch.drawing(Pendulum(), body, task)))


@jax.jit
@functools.partial(jax.vmap, in_axes=(0, None))
def reached_and_drawn(angles, task):
    """Whether an acrobot at rest has reached its line, and whether its drawing lies beyond it: bool [N]."""
    moved, _, ended = Acrobot().advance(KEY, AcrobotBody(angles=angles, speeds=jnp.zeros(2)), jnp.int32(1), task)
    line, _, lower = sketch.drawing(Acrobot(), moved, task).ends
    return ended, lower[3] < line[1]


@pytest.mark.parametrize("name", ["earth", "short", "low"])
def test_an_acrobot_is_drawn_beyond_its_line_exactly_where_it_has_reached_it(name):
    task = dataclasses.replace(Acrobot().tasks()[name], torque=np.float32(0.0))
    angles = np.random.default_rng(0).uniform(-np.pi, np.pi, (200, 2)).astype(np.float32)
    reached, drawn = map(np.asarray, reached_and_drawn(angles, task))
    np.testing.assert_array_equal(drawn, reached)
    assert 5 < np.sum(reached) < 195


def test_a_disc_has_its_area_and_its_place():
    picture = np.asarray(sketch.picture(sketch.strokes((0.25, 0.75, 0.25, 0.75, 0.2, 1.0))), np.float64)[..., 0] / 255
    assert picture.sum() == pytest.approx(np.pi * (0.2 * 64) ** 2, rel=0.02)
    row, column = (np.average(np.arange(64) + 0.5, weights=picture.sum(axis)) / 64 for axis in (1, 0))
    assert (row, column) == (pytest.approx(0.75, abs=0.01), pytest.approx(0.25, abs=0.01))


def test_what_cannot_be_wrapped_is_named():
    hosted = adapters.gymnasium(id="Pendulum-v1")
    for wrong in (repeated(hosted), pictured(hosted)):
        with pytest.raises(TypeError, match="needs"):
            wrong.spec  # noqa: B018
    with pytest.raises(TypeError, match="normalised needs"):
        normalised(pictured(Pendulum()))
    with pytest.raises(TypeError, match="max_episode_steps"):
        limited(hosted, 5)
    with pytest.raises(TypeError, match=r"drawing\.register"):
        sketch.drawing(object(), None, None)
    with pytest.raises(TypeError, match=r"drawing\.register"):
        pictured(sticky(Silent())).spec  # noqa: B018
    for wrong, word in ((lambda: limited(Pendulum(), 0), "1 step"), (lambda: sticky(Pendulum(), 3).spec, "0 .. 1")):
        with pytest.raises(ValueError, match=word):
            wrong()
    for wrong, word in (
        (lambda: repeated(Pendulum(), 0).spec, "1 at least"),
        (lambda: stack_frames(Pendulum(), 0).spec, "at least 1"),
    ):
        with pytest.raises(ValueError, match=word):
            wrong()
    assert limited(sticky(MountainCarContinuous()), 7).world.time_limit == 7
