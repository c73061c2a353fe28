"""Where experience is kept within a budget of bytes, and Minari in and out (`umwelt.memory.minari`)."""

from umwelt.memory.halves import Halves
from umwelt.memory.keep import Covering, Fading, Newest, Reservoir, Surprising
from umwelt.memory.lifelong import Lifelong
from umwelt.memory.quota import Quota
from umwelt.memory.ring import Ring
from umwelt.memory.spilled import Spilled
from umwelt.memory.trajectories import Trajectories

__all__ = [
    "Covering",
    "Fading",
    "Halves",
    "Lifelong",
    "Newest",
    "Quota",
    "Reservoir",
    "Ring",
    "Spilled",
    "Surprising",
    "Trajectories",
]
