"""Worlds: the built-in ones by name, and functions from a world to a world."""

from umwelt.networks.inside import with_batch
from umwelt.worlds.acrobot import Acrobot
from umwelt.worlds.adapters import of, tasks_of
from umwelt.worlds.announced import Announced
from umwelt.worlds.arm import Arm
from umwelt.worlds.card_sets import Digits, Glyphs
from umwelt.worlds.cards import Cards, Lesson
from umwelt.worlds.cartpole import Cartpole
from umwelt.worlds.cartpole_swingup import CartpoleSwingup
from umwelt.worlds.grids import Grids
from umwelt.worlds.mountain_car import MountainCar, MountainCarContinuous
from umwelt.worlds.pendulum import Pendulum
from umwelt.worlds.pixels import grey, resized
from umwelt.worlds.point_maze import PointMaze
from umwelt.worlds.standard import normalised
from umwelt.worlds.streams import STREAMS, Stream, stream_named
from umwelt.worlds.varied import Varied
from umwelt.worlds.wrappers import WRAPPERS, limited, pictured, repeated, scaled_reward, stack_frames, sticky

BUILT_IN: dict[str, type] = {
    "pendulum": Pendulum,
    "cartpole": Cartpole,
    "cartpole_swingup": CartpoleSwingup,
    "acrobot": Acrobot,
    "mountain_car": MountainCar,
    "mountain_car_continuous": MountainCarContinuous,
    "point_maze": PointMaze,
    "arm": Arm,
}
"""Every world of the library; the first line of its docstring says what it is."""

__all__ = [
    "BUILT_IN",
    "STREAMS",
    "WRAPPERS",
    "Acrobot",
    "Announced",
    "Arm",
    "Cards",
    "Cartpole",
    "CartpoleSwingup",
    "Digits",
    "Glyphs",
    "Grids",
    "Lesson",
    "MountainCar",
    "MountainCarContinuous",
    "Pendulum",
    "PointMaze",
    "Stream",
    "Varied",
    "grey",
    "limited",
    "normalised",
    "of",
    "pictured",
    "repeated",
    "resized",
    "scaled_reward",
    "stack_frames",
    "sticky",
    "stream_named",
    "tasks_of",
    "with_batch",
]
