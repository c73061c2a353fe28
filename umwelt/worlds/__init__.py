"""Worlds to live in: the built-in ones by name, and the wrapper that shows an agent its task."""

from umwelt.worlds.acrobot import Acrobot
from umwelt.worlds.announced import Announced
from umwelt.worlds.cartpole import Cartpole
from umwelt.worlds.cartpole_swingup import CartpoleSwingup
from umwelt.worlds.mountain_car import MountainCar, MountainCarContinuous
from umwelt.worlds.pendulum import Pendulum
from umwelt.worlds.point_maze import PointMaze

BUILT_IN: dict[str, type] = {
    "pendulum": Pendulum,
    "cartpole": Cartpole,
    "cartpole_swingup": CartpoleSwingup,
    "acrobot": Acrobot,
    "mountain_car": MountainCar,
    "mountain_car_continuous": MountainCarContinuous,
    "point_maze": PointMaze,
}
"""Every world of the library; the first line of its docstring says what it is."""

__all__ = [
    "BUILT_IN",
    "Acrobot",
    "Announced",
    "Cartpole",
    "CartpoleSwingup",
    "MountainCar",
    "MountainCarContinuous",
    "Pendulum",
    "PointMaze",
]
