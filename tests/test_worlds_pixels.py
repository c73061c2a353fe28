"""Pictures made smaller and grey, against JAX's own resizing and by hand."""

import json
from typing import Any

import gymnasium
import jax
import numpy as np
import pytest

from umwelt import check
from umwelt.cli.recommend import fitting
from umwelt.core import TimeStep
from umwelt.worlds import Pendulum, grey, pictured, resized
from umwelt.worlds.adapters import gymnasium as gymnasium_world
from umwelt.worlds.pixels import Grey, Resized


class Coloured(gymnasium.Env):
    """Draws noise of an odd size."""

    observation_space = gymnasium.spaces.Box(0, 255, (50, 34, 3), np.uint8)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.taken = 0
        return self._drawn(), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.taken += 1
        return self._drawn(), 0.0, False, self.taken >= 5, {}

    def _drawn(self) -> np.ndarray:
        return self.np_random.integers(0, 256, (50, 34, 3), np.uint8)


class Shaped(gymnasium.Env):
    """Shows the numbers 0, 1, 2 ... in bytes of any shape, and then goes on."""

    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, shape: list[int]) -> None:
        self.shape = tuple(shape)
        self.observation_space = gymnasium.spaces.Box(0, 255, self.shape, np.uint8)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        return numbered(*self.shape), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        return numbered(*self.shape), 0.0, False, False, {}


def numbered(*shape: int) -> np.ndarray:
    return (np.arange(np.prod(shape)) % 251).astype(np.uint8).reshape(shape)


def shown(layer: Any, picture: np.ndarray) -> np.ndarray:
    step = TimeStep(kind=np.zeros(len(picture), np.int8), observation=picture, reward=np.zeros(len(picture), np.float32))
    return np.asarray(layer.on_step((), step)[1].observation)


@pytest.mark.parametrize("side", [8, 33, 64])
def test_a_resized_picture_is_that_of_jax(side: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (2, 50, 34, 3), np.uint8)
    wanted = jax.image.resize(picture.astype(np.float32), (2, side, side, 3), "linear")
    assert np.abs(shown(Resized(side=side), picture).astype(np.float32) - wanted).max() <= 0.51


def test_a_row_of_four_pixels_becomes_two_by_hand() -> None:
    # new pixels stand at 1 and 3, and reach 2 to both sides; old ones stand at 0.5, 1.5, 2.5, 3.5
    row = np.array([0, 70, 140, 210], np.uint8)
    first, second = (3 * 0 + 3 * 70 + 1 * 140) / 7, (1 * 70 + 3 * 140 + 3 * 210) / 7
    made = shown(Resized(side=2), np.broadcast_to(row[None, None, :, None], (1, 4, 4, 1)))
    np.testing.assert_array_equal(made[0, ..., 0], [[first, round(second)]] * 2)
    assert (first, second) == (50.0, 160.0)


def test_a_picture_that_grows_is_interpolated_between_its_pixels() -> None:
    made = shown(Resized(side=4), np.array([[[[0], [100]], [[0], [100]]]], np.uint8))
    np.testing.assert_array_equal(made[0, 0, :, 0], [0, 25, 75, 100])


def test_grey_is_as_bright_as_colours_look() -> None:
    picture = np.array([[[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]]], np.uint8)
    np.testing.assert_array_equal(shown(Grey(), picture)[0, 0, :, 0], [76, 150, 29, 255])


def test_grey_makes_one_channel_of_each_of_several_pictures() -> None:
    picture = np.array([[[[255, 0, 0, 0, 255, 0]]]], np.uint8)
    np.testing.assert_array_equal(shown(Grey(), picture)[0, 0, 0], [76, 150])


@pytest.mark.parametrize(
    ("shape", "arranged"),
    [
        ([40, 33], lambda raw: raw[..., None]),
        ([3, 40, 33], lambda raw: np.moveaxis(raw, 0, -1)),
        ([2, 40, 33, 3], lambda raw: np.concatenate([raw[0], raw[1]], axis=-1)),
        ([5, 6, 3], lambda raw: raw),
        ([6, 5], lambda raw: raw.reshape(-1).astype(np.float32)),
    ],
)
def test_the_pictures_of_a_simulator_have_their_channels_last(shape: list[int], arranged: Any) -> None:
    world = gymnasium_world(f"{__name__}:Shaped", options=json.dumps({"shape": shape}))
    state, step = world.init(jax.random.key(0), jax.tree.map(lambda leaf: leaf[None], world.tasks()[world.spec.name]))
    world.close(state)
    wanted = arranged(numbered(*shape))
    assert world.spec.observation.shape == wanted.shape
    np.testing.assert_array_equal(step.observation[0], wanted)
    assert step.observation.dtype == wanted.dtype


def test_recipes_that_can_live_in_a_world_of_pictures_are_named_with_the_wrapper_that_they_need() -> None:
    found = {
        word: {recipe.name for recipe in recipes} for word, recipes in fitting(gymnasium_world(f"{__name__}:Coloured")).items()
    }
    assert {"dqn", "random"} <= found[""]
    assert "dreamer_v3" in found["resized=64"]
    assert not {"pets", "sac", "reward_shift"} & (found[""] | found["resized=64"])


@pytest.mark.parametrize("world", [resized(grey(gymnasium_world(f"{__name__}:Coloured")), 16), resized(pictured(Pendulum()), 16)])
def test_the_worlds_keep_their_contract(world: Any) -> None:
    assert world.spec.observation.shape == (16, 16, 1)
    check.world(world, steps=20).raise_if_broken()


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(TypeError, match="resized needs pictures"):
        resized(Pendulum()).spec  # noqa: B018 - it is worked out here
    with pytest.raises(ValueError, match="have 1 channels"):
        grey(pictured(Pendulum())).spec  # noqa: B018 - likewise
    with pytest.raises(ValueError, match="side=0"):
        resized(pictured(Pendulum()), 0).spec  # noqa: B018 - likewise
