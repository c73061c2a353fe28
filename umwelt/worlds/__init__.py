"""Worlds: the built-in ones by name, and functions from a world to a world."""

from umwelt.networks.inside import with_batch
from umwelt.worlds.absent import Absent
from umwelt.worlds.acrobot import Acrobot
from umwelt.worlds.adapters import of, tasks_of
from umwelt.worlds.announced import Announced
from umwelt.worlds.arm import Arm
from umwelt.worlds.card_sets import Digits, Glyphs
from umwelt.worlds.cards import Cards, Lesson
from umwelt.worlds.cartpole import Cartpole
from umwelt.worlds.cartpole_swingup import CartpoleSwingup
from umwelt.worlds.chores import Chores
from umwelt.worlds.corridor import Corridor
from umwelt.worlds.crossing import Crossing
from umwelt.worlds.cubes import Cubes
from umwelt.worlds.deep_sea import DeepSea
from umwelt.worlds.grid import Grid
from umwelt.worlds.grids import Grids
from umwelt.worlds.key_rooms import KeyRooms
from umwelt.worlds.legs import Legs
from umwelt.worlds.links import Links
from umwelt.worlds.mountain_car import MountainCar, MountainCarContinuous
from umwelt.worlds.padded import padded
from umwelt.worlds.page_form import Page
from umwelt.worlds.partly import partly, pushed
from umwelt.worlds.pendulum import Pendulum
from umwelt.worlds.pixels import grey, resized
from umwelt.worlds.point_maze import PointMaze
from umwelt.worlds.restarted import Restarted
from umwelt.worlds.standard import normalised
from umwelt.worlds.streams import STREAMS, Stream, stream_named
from umwelt.worlds.student import Student
from umwelt.worlds.touching import touching
from umwelt.worlds.unreset import Unreset
from umwelt.worlds.varied import Varied
from umwelt.worlds.wanted import Wanted
from umwelt.worlds.workshop import Workshop
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
    "deep_sea": DeepSea,
    "grid": Grid,
    "crossing": Crossing,
    "links": Links,
}
"""Every world of the library; the first line of its docstring says what it is."""

__all__ = [
    "BUILT_IN",
    "STREAMS",
    "WRAPPERS",
    "Absent",
    "Acrobot",
    "Announced",
    "Arm",
    "Cards",
    "Cartpole",
    "CartpoleSwingup",
    "Chores",
    "Corridor",
    "Crossing",
    "Cubes",
    "DeepSea",
    "Digits",
    "Glyphs",
    "Grid",
    "Grids",
    "KeyRooms",
    "Legs",
    "Lesson",
    "Links",
    "MountainCar",
    "MountainCarContinuous",
    "Page",
    "Pendulum",
    "PointMaze",
    "Restarted",
    "Stream",
    "Student",
    "Unreset",
    "Varied",
    "Wanted",
    "Workshop",
    "grey",
    "limited",
    "normalised",
    "of",
    "padded",
    "partly",
    "pictured",
    "pushed",
    "repeated",
    "resized",
    "scaled_reward",
    "stack_frames",
    "sticky",
    "stream_named",
    "tasks_of",
    "touching",
    "with_batch",
]
