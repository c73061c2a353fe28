"""Pictures made smaller and grey, against JAX's own resizing and by hand."""

from typing import Any

import gymnasium
import jax
import numpy as np
import pytest

from umwelt import check
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


def shown(layer: Any, picture: np.ndarray) -> np.ndarray:
    step = TimeStep(kind=np.zeros(len(picture), np.int8), observation=picture, reward=np.zeros(len(picture), np.float32))
    return np.asarray(layer.on_step((), step)[1].observation)


@pytest.mark.parametrize("side", [8, 33, 64])
def test_a_resized_picture_is_that_of_jax(side: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (2, 50, 34, 3), np.uint8)
    wanted = jax.image.resize(picture.astype(np.float32), (2, side, side, 3), "linear")
    assert np.abs(shown(Resized(side=side), picture).astype(np.float32) - wanted).max() <= 0.51


def test_grey_is_as_bright_as_colours_look() -> None:
    picture = np.array([[[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]]], np.uint8)
    np.testing.assert_array_equal(shown(Grey(), picture)[0, 0, :, 0], [76, 150, 29, 255])


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
