"""Names of the numbers of an observation: that they mean what they say, and what wrappers and checks make of them."""

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.core import spaces
from umwelt.worlds import (
    Acrobot,
    Announced,
    Arm,
    Cartpole,
    CartpoleSwingup,
    DeepSea,
    MountainCarContinuous,
    Pendulum,
    PointMaze,
    Varied,
    Wanted,
    limited,
    normalised,
    pictured,
    repeated,
    stack_frames,
    sticky,
    touching,
    with_batch,
)
from umwelt.worlds.adapters import gymnasium as gymnasium_world
from umwelt.worlds.observed import MOST, names_of
from umwelt.worlds.reach import Reach
from umwelt.worlds.stream import rows

SWING = ("cos angle", "sin angle", "speed")


def walked(world, decisions=12):
    """Observations [T, width] of random decisions of one row."""
    world, key = with_batch(world, 1), jax.random.key(3)
    task = rows(next(iter(world.tasks().values())), 1)

    def tick(state, index):
        action = spaces.sample(jax.random.fold_in(key, index), world.spec.action, 1)
        state, step = world.step(jax.random.fold_in(key, index), state, action, task)
        return state, spaces.features(world.spec.observation, step.observation)[0]

    return np.asarray(jax.lax.scan(tick, world.init(key, task)[0], jnp.arange(decisions))[1], np.float64)


@pytest.mark.parametrize("world", [Pendulum(), CartpoleSwingup(), Acrobot(), Arm()], ids=lambda world: world.spec.name)
def test_what_is_called_cosine_and_sine_lies_on_the_circle(world):
    names, seen = names_of(world), walked(world)
    assert len(set(names)) == len(names) == seen.shape[1]
    angles = [name.removeprefix("cos ") for name in names if name.startswith("cos ")]
    assert angles
    for angle in angles:
        cosine, sine = (seen[:, names.index(f"{kind} {angle}")] for kind in ("cos", "sin"))
        np.testing.assert_allclose(cosine**2 + sine**2, 1.0, atol=1e-5)


@pytest.mark.parametrize(
    ("world", "pairs"),
    [
        (MountainCarContinuous(), {"position": "speed"}),
        (Cartpole(), {"position": "speed", "angle": "turning speed"}),
        (PointMaze(), {"x": "speed along x", "y": "speed along y"}),
    ],
    ids=["mountain_car", "cartpole", "point_maze"],
)
def test_what_is_called_a_speed_moves_what_is_called_a_place(world, pairs):
    names, seen = names_of(world), walked(world)
    for place, speed in pairs.items():
        moved, fast = np.diff(seen[:, names.index(place)]), seen[:, names.index(speed)]
        # the move of a decision follows the speed before it or after it, as the world integrates
        ratios = [moved @ each / (each @ each) for each in (fast[:-1], fast[1:])]
        gaps = [np.abs(moved - ratio * each).max() for ratio, each in zip(ratios, (fast[:-1], fast[1:]), strict=True)]
        assert max(ratios) > 0
        assert min(gaps) < 0.02 * np.abs(moved).max() + 1e-6


@pytest.mark.parametrize(
    ("world", "names"),
    [
        (sticky(normalised(repeated(limited(Pendulum(), 9), 2), decisions=4)), SWING),
        (stack_frames(Pendulum(), 2), (*(f"{name} (1 before)" for name in SWING), *SWING)),
        (Announced(world=Pendulum(), only=("mass",)), (*SWING, "task mass")),
        (Wanted(world=Pendulum(), entries=(0, 1)), SWING),
        (Varied(world=Pendulum(), within=(("mass", 0.5, 1.0),), number=2), SWING),
        (Announced(world=DeepSea(size=1)), ("seen", "task swaps")),
        (Reach(joints=2), ("link 1 x", "link 1 y", "link 2 x", "link 2 y")),
        (pictured(Pendulum()), ()),
        (DeepSea(size=2), ()),
        (DeepSea(size=30), ()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_names_follow_the_numbers_through_wrappers(world, names):
    assert names_of(world) == names


def test_names_stand_where_the_leaves_of_an_observation_do():
    """A number is 1 where its name says so, and 0 elsewhere."""
    world = Announced(world=touching(Arm()), only=("wish",))
    names, space = names_of(world), world.spec.observation
    value = {**spaces.zeros(space, 1), "task": jax.tree.map(jnp.ones_like, spaces.zeros(space["task"], 1))}
    ones = np.flatnonzero(np.asarray(spaces.features(space, value))[0])
    assert [names[index].partition(" ")[0] for index in ones] == ["task"] * len(ones)
    assert names[16] == "edge felt"


class Motor(gymnasium.Env):
    """An environment that names what it shows; as many names as it is asked for."""

    observation_space = gymnasium.spaces.Box(-1, 1, (2,))
    action_space = gymnasium.spaces.Box(-1, 1, (1,))

    def __init__(self, names=("heat", "load")):
        self.observation_names = list(names)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.taken = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.taken += 1
        return np.float32([0.0, 9.0 if self.taken == 5 else 0.5]), 0.0, False, self.taken == 8, {}


class Parts(Motor):
    """An environment that shows a dict."""

    observation_space = gymnasium.spaces.Dict(
        {"joint": gymnasium.spaces.Box(-1, 1, (2,)), "load": gymnasium.spaces.Box(-1, 1, ())}
    )

    def __init__(self):
        pass


def test_a_gymnasium_environment_names_its_numbers_by_an_attribute_or_by_its_entries():
    assert names_of(gymnasium_world(f"{__name__}:Motor")) == ("heat", "load")
    assert names_of(gymnasium_world(f"{__name__}:Parts")) == ("joint 0", "joint 1", "load")
    assert names_of(gymnasium_world("Pendulum-v1")) == ()


def test_a_fault_of_an_environment_names_the_number():
    report = check.world(gymnasium_world(f"{__name__}:Motor"), steps=20)
    assert "entry 1 (load) of the observation is 9" in str(report)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ('["heat"]', "are 1, and an observation has 2 numbers"),
        ('["heat", "heat"]', "holds 'heat' more than once"),
        ('["heat", "\\u001b[31m"]', "give a tuple of printable texts"),
        ('["heat", ["load"]]', "give a tuple of printable texts"),
    ],
)
def test_names_that_do_not_fit_are_a_fault_and_are_not_shown(names, said):
    world = gymnasium_world(f"{__name__}:Motor", options=f'{{"names": {names}}}')
    faults = {fault.rule: fault.sentence for fault in check.world(world, depth="shapes").faults}
    assert said in faults["names"]
    assert names_of(world) == ()


def test_of_a_picture_in_a_dict_no_name_is_made():
    assert names_of(Announced(world=DeepSea(size=23))) == ()
    assert MOST < 23**2
