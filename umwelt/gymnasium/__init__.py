"""The library's worlds, and the dreams of its lives, as Gymnasium environments.

    import umwelt.gymnasium
    env = umwelt.gymnasium.make("pendulum", task="moon")      # or gymnasium.make("umwelt/Pendulum-v0", task="moon")
    envs = umwelt.gymnasium.make_vec("pendulum", num_envs=64)
    dreamt = umwelt.gymnasium.dream("lives/NAME", horizon=50)

The other way, from a Gymnasium environment to a world, is `umwelt.worlds.adapters`. An import of this package registers
the ids, so `gymnasium.make("umwelt.gymnasium:umwelt/Pendulum-v0")` needs no import of one's own.
"""

from umwelt.gymnasium.face import Face, make
from umwelt.gymnasium.ids import IDS, register
from umwelt.gymnasium.imagined import Dreamt, dream
from umwelt.gymnasium.vector import VectorFace, make_vec

__all__ = ["IDS", "Dreamt", "Face", "VectorFace", "dream", "make", "make_vec", "register"]

register()
