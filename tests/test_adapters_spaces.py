"""Observations and actions of every kind of Gymnasium space."""

import numpy as np
import pytest
from adapters_worlds import Shaped
from gymnasium import spaces as gymnasium_spaces

from umwelt import check
from umwelt.core import TERMINATED, Box, Discrete, spaces
from umwelt.worlds import adapters
from umwelt.worlds.adapters import Variant


def key(number):
    return np.array([7, number], np.uint32)


def task(batch):
    return Variant(index=np.zeros(batch, np.int32))


@pytest.mark.parametrize("seen", ["dict", "tuple", "discrete", "multi"])
def test_structured_observations_are_flattened_as_gymnasium_does(seen):
    world = adapters.gymnasium(id="adapters_worlds:Shaped", options=f'{{"seen": "{seen}"}}')
    state, step = world.init(key(0), task(1))
    space = Shaped.SPACES[seen]
    space.seed(int(world.save(state)["seed"][0]))
    expected = gymnasium_spaces.flatten(space, space.sample())
    np.testing.assert_array_equal(step.observation[0], expected.astype(np.float32))
    assert step.observation.dtype == np.float32
    assert spaces.contains(world.spec.observation, step.observation) == ""


def test_pictures_stay_and_matrices_become_vectors():
    image = adapters.gymnasium(id="adapters_worlds:Shaped", options='{"seen": "image"}')
    _, step = image.init(key(0), task(1))
    assert image.spec.observation == Box(shape=(4, 5, 3), low=0.0, high=255.0, dtype="uint8")
    assert (step.observation.shape, step.observation.dtype) == ((1, 4, 5, 3), np.uint8)
    matrix = adapters.gymnasium(id="adapters_worlds:Shaped", options='{"seen": "matrix"}')
    assert matrix.spec.observation == Box(shape=(6,), low=-1.0, high=1.0)


def rewards_of(done, actions, batch=1):
    world = adapters.gymnasium(id="adapters_worlds:Shaped", options=f'{{"done": "{done}"}}')
    state, _ = world.init(key(0), task(1))
    found = []
    for action in actions:
        state, step = world.step(key(1), state, np.asarray(action)[None], task(1))
        found.append(float(step.reward[0]))
    assert world.drain(state) == []
    return world.spec.action, found


def test_choices_reach_the_environment_as_its_own_actions():
    assert rewards_of("actions_discrete", np.arange(3, dtype=np.int32)) == (Discrete(n=3), [-1, 0, 1])
    # The last digit runs fastest, as in reading order: (1, 2), (1, 3) ... (3, 5).
    space, found = rewards_of("actions_multi", np.arange(12, dtype=np.int32))
    assert (space, found) == (Discrete(n=12), [10 * a + b for a in (1, 2, 3) for b in (2, 3, 4, 5)])
    space, found = rewards_of("actions_binary", np.arange(8, dtype=np.int32))
    assert (space, found) == (Discrete(n=8), [0, 1, 10, 11, 100, 101, 110, 111])


def test_box_actions_are_clipped_to_their_bounds():
    space, found = rewards_of("actions_box", np.array([[5, -9], [-5, 9], [0.5, 0.5]], np.float32))
    assert space == Box(shape=(2,), low=(-1.0, -2.0), high=(1.0, 2.0))
    assert found == [8, -8, 5.5]
    space, found = rewards_of("actions_whole", np.array([[3, 4], [9, -2]], np.int32))
    assert (space.dtype, found) == ("int32", [34, 70])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ('{"done": "actions_many"}', "10000 joint actions"),
        ('{"done": "actions_tuple"}', "are not supported"),
        ('{"seen": "sequence"}', "cannot be made one vector"),
        ('{"seen": ', "options must be JSON"),
        ("[1]", "options must be a JSON object"),
        ('[{"seen": "dict"}, {"seen": "dict"}]', "the same set twice"),
        ('[{"seen": "dict"}, {"seen": "multi"}]', "variants of one world need the same spaces"),
    ],
)
def test_what_cannot_be_adapted_is_said_in_words(options, words):
    with pytest.raises(ValueError, match=words):
        _ = adapters.gymnasium(id="adapters_worlds:Shaped", options=options).spec


@pytest.mark.parametrize("action", [np.array([-1]), np.array([12]), np.array([1.0])])
def test_a_choice_that_does_not_exist_raises(action):
    with pytest.raises(ValueError, match=r"whole numbers 0 \.\. 11"):
        rewards_of("actions_multi", action)


def test_frozen_lake():
    world = adapters.gymnasium(id="FrozenLake-v1", options='{"is_slippery": false}')
    assert world.spec.action == Discrete(n=4)
    state, step = world.init(key(0), task(1))
    assert np.flatnonzero(step.observation[0]).tolist() == [0]
    visited = []
    for action in (1, 1, 2, 2, 1, 2):  # the known way over the 4 x 4 lake
        state, step = world.step(key(1), state, np.array([action], np.int32), task(1))
        visited += np.flatnonzero(step.observation[0]).tolist()
    assert visited == [4, 8, 9, 10, 14, 15]
    assert (int(step.kind[0]), float(step.reward[0])) == (TERMINATED, 1.0)


@pytest.mark.parametrize(
    "world",
    [
        adapters.gymnasium(id="CartPole-v1", batch=2),
        adapters.gymnasium(id="Pendulum-v1", batch=2, repeat=4),
        adapters.gymnasium(id="FrozenLake-v1"),
        adapters.gymnasium(id="adapters_worlds:Walk", options='[{"length": 0}, {"length": 9}]', batch=3),
        adapters.gymnasium(id="adapters_worlds:Shaped", options='{"seen": "dict", "done": "actions_multi"}'),
        adapters.gymnasium(id="adapters_worlds:Shaped", options='{"seen": "image", "done": "actions_box"}'),
    ],
    ids=lambda world: f"{world.simulator.id} {world.simulator.options}",
)
def test_the_contract_is_kept(world):
    check.world(world, steps=40).raise_if_broken()


def test_the_contract_is_kept_by_the_control_suite():
    pytest.importorskip("dm_control", reason="needs the dmcontrol extra")
    check.world(adapters.dm_control(options='{"time_limit": 0.3}', batch=2), steps=60).raise_if_broken()
