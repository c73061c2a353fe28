"""A world that hides a velocity is noticed; worlds that show all are not."""

from typing import Any

import gymnasium
import jax
import numpy as np
import pytest

from umwelt.check import history
from umwelt.check.walk import subject_of, walk
from umwelt.worlds import Acrobot, MountainCar, PointMaze
from umwelt.worlds.adapters import gymnasium as gymnasium_world


class Hidden(gymnasium.ObservationWrapper):
    """A pendulum that shows its angle and no velocity."""

    def __init__(self) -> None:
        super().__init__(gymnasium.make("Pendulum-v1"))
        self.observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,))

    def observation(self, observation: Any) -> np.ndarray:
        return observation[:2]


def test_a_hidden_velocity_is_noticed() -> None:
    note = history.hidden(gymnasium_world(f"{__name__}:Hidden"))
    assert "so something is hidden in one; wrap with `--wrap stack_frames=" in note


@pytest.mark.parametrize(
    "world", [gymnasium_world("Pendulum-v1"), Acrobot(), PointMaze(), MountainCar()], ids=lambda world: world.spec.name
)
def test_worlds_that_show_all_are_left_in_peace(world: Any) -> None:
    assert history.hidden(world) == ""


def test_of_a_few_moments_nothing_is_said() -> None:
    world = gymnasium_world(f"{__name__}:Hidden")
    assert history.unexplained(walk(subject_of(world, jax.random.key(0)), 40), world.spec) == []
