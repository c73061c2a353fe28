"""Worlds that misbehave end an episode, with an event in plain words, and the life goes on."""

import re

import adapters_worlds
import numpy as np
import pytest

from umwelt.core import BROKEN, FIRST, MID, TRUNCATED
from umwelt.worlds import adapters
from umwelt.worlds.adapters import Event, Variant

TASK = Variant(index=np.zeros(1, np.int32))
PUSH = np.full((1, 1), 0.25, np.float32)


def key(number):
    return np.array([1, number], np.uint32)


def faulty(fault, at=3, **fields):
    return adapters.gymnasium(id="adapters_worlds:Faulty", options=f'{{"fault": "{fault}", "at": {at}}}', **fields)


def live(world, steps):
    state, step = world.init(key(0), TASK)
    seen = [step]
    for number in range(steps):
        state, step = world.step(key(1 + number), state, PUSH, TASK)
        seen.append(step)
    return state, seen


FAULTS = [
    ("raise", "world_raised", "step raised ZeroDivisionError: the motor fell off"),
    ("four", "world_changed_type", "it returned 4 values"),
    ("nan", "world_not_finite", "the observation holds NaN or infinity"),
    ("infinite", "world_not_finite", "the observation holds NaN or infinity"),
    ("overflow", "world_not_finite", "the observation holds NaN or infinity"),
    ("reward_nan", "world_not_finite", "the reward is nan"),
    ("shape", "world_changed_shape", r"shape \[3\] instead of \[2\]"),
    ("ragged", "world_changed_type", "the observation is no array"),
    ("none", "world_changed_type", "the observation is nothing instead of an array"),
    ("text", "world_changed_type", "holds <U1 instead of numbers"),
    ("reward_text", "world_changed_type", "the reward is a value of type str"),
    ("flag", "world_changed_type", "must be True or False"),
    ("outside", "world_left_space", "entry 1 of the observation is -100.5, outside its space"),
]


@pytest.mark.parametrize(("fault", "name", "words"), FAULTS)
def test_a_fault_breaks_the_episode_with_the_last_good_observation_and_an_event(fault, name, words):
    world = faulty(fault)
    state, seen = live(world, 8)
    assert [int(step.kind[0]) for step in seen] == [FIRST, MID, MID, BROKEN] * 2 + [FIRST]
    np.testing.assert_array_equal(seen[3].observation, seen[2].observation)
    assert float(seen[3].reward[0]) == 0.0
    assert float(seen[2].observation[0, 1]) == 2.0
    events = world.drain(state)
    assert [(event.name, event.row) for event in events] == [(name, 0)] * 2
    assert re.search(words, events[0].message)
    assert world.drain(state) == []


def test_float_noise_at_a_bound_is_no_fault():
    world = faulty("noise")
    state, seen = live(world, 5)
    assert [int(step.kind[0]) for step in seen] == [FIRST, MID, MID, MID, MID, TRUNCATED]
    assert float(seen[3].observation[0, 1]) == pytest.approx(100.0005)
    assert world.drain(state) == []


@pytest.mark.parametrize(("fault", "built"), [("raise", 3), ("nan", 1)])
def test_only_what_raised_is_built_again(fault, built):
    world = faulty(fault)
    _ = world.spec
    adapters_worlds.Faulty.made = 0
    live(world, 8)
    assert adapters_worlds.Faulty.made == built


def test_one_row_fails_alone():
    world = adapters.gymnasium(id="adapters_worlds:Walk,adapters_worlds:Faulty", batch=2)
    both = Variant(index=np.array([0, 1], np.int32))
    state, step = world.init(key(0), both)
    kinds = [step.kind]
    for number in range(5):
        state, step = world.step(key(number), state, np.repeat(PUSH, 2, 0), both)
        kinds.append(step.kind)
    assert np.array(kinds).T.tolist() == [[FIRST, MID, MID, MID, MID, TRUNCATED], [FIRST, MID, MID, BROKEN, FIRST, MID]]
    assert [event.row for event in world.drain(state)] == [1]


def stillborn(failures):
    world = adapters.gymnasium(id="adapters_worlds:Stillborn", options=f'{{"failures": {failures}}}')
    _ = world.spec
    adapters_worlds.Stillborn.count = 0
    adapters_worlds.Stillborn.refused.clear()
    return world


def test_two_failing_resets_are_events_and_the_seed_that_worked_is_recorded():
    world = stillborn(2)
    state, step = world.init(key(0), TASK)
    assert [event.name for event in world.drain(state)] == ["world_raised"] * 2
    walk = adapters_worlds.Walk()
    np.testing.assert_array_equal(walk.reset(seed=int(world.save(state)["seed"][0]))[0], step.observation[0])


def test_three_failing_resets_raise():
    with pytest.raises(RuntimeError, match=r"failed to begin an episode 3 times in row 0.*reset raised OSError: no such plant"):
        stillborn(3).init(key(0), TASK)


def test_a_world_that_raised_goes_on_in_a_subprocess_and_so_does_one_that_died():
    for fault, name, words in (("raise", "world_raised", "the motor fell off"), ("die", "world_died", "exit status 3")):
        world = faulty(fault, subprocesses=True)
        state, seen = live(world, 6)
        assert [int(step.kind[0]) for step in seen] == [FIRST, MID, MID, BROKEN, FIRST, MID, MID]
        np.testing.assert_array_equal(seen[3].observation, seen[2].observation)
        (event,) = world.drain(state)
        assert isinstance(event, Event)
        assert event.name == name
        assert words in event.message
        world.close(state)
