"""Memories, which keep experience within a budget of bytes, and sources of shown experience.

Minari datasets are written and read by `umwelt.memory.minari`.
"""

from umwelt.memory.both import Both
from umwelt.memory.halves import Halves
from umwelt.memory.hindsight import Hindsight
from umwelt.memory.keep import Covering, Fading, Newest, Reservoir, Surprising
from umwelt.memory.lerobot import LeRobot
from umwelt.memory.lifelong import Lifelong
from umwelt.memory.logged import Logged
from umwelt.memory.played import Played
from umwelt.memory.quota import Quota
from umwelt.memory.rested import Rested
from umwelt.memory.ring import Ring
from umwelt.memory.segments import Segments
from umwelt.memory.shown import Minari
from umwelt.memory.spilled import Spilled
from umwelt.memory.topology import Topology
from umwelt.memory.trajectories import Trajectories
from umwelt.memory.worldmodel import WorldModel

__all__ = [
    "Both",
    "Covering",
    "Fading",
    "Halves",
    "Hindsight",
    "LeRobot",
    "Lifelong",
    "Logged",
    "Minari",
    "Newest",
    "Played",
    "Quota",
    "Reservoir",
    "Rested",
    "Ring",
    "Segments",
    "Spilled",
    "Surprising",
    "Topology",
    "Trajectories",
    "WorldModel",
]
