"""An actor and a critic that learn in the dreams of a recurrent world model.

The published system replays 16 sequences of 64 steps and dreams 15 steps from each of their steps. Ours keeps its losses
and normalisations, at sizes for two cores. Dreams cost most there, so `0.5M` dreams from the last steps of a sequence
alone and learns more often. It folds its pictures before it convolves them.
"""

from umwelt.behaviours import ActorCritic, Dreamer
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Trajectories
from umwelt.models import Doubted, Rssm
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks

SIZES = {  # model, length of a sequence, dreams of an update (0: one from each step)
    "0.5M": (Rssm(deterministic=128, groups=8, classes=8, units=128, depth=16, fold=4), 32, 128),
    "2M": (Rssm(deterministic=256, groups=16, classes=16, units=256, depth=16), 64, 0),
    "12M": (Rssm(deterministic=1408, groups=32, classes=16, units=256, depth=16), 64, 0),
    "25M": (Rssm(deterministic=2048, groups=32, classes=24, units=384, depth=24), 64, 0),
}


@recipe(summary="recurrent state-space model; an actor and a critic learn in its dreams", family="dreamer",
        needs=("boxes", "choices", "pictures"), cites=("dreamer_v3_2023",), sizes=tuple(SIZES), repeats={"dm_control": 2},
        budget="50,000 decisions",
)  # fmt: skip
def dreamer_v3(world: World, size: str = "0.5M") -> Life:
    model, length, starts = SIZES[size]
    memory = Trajectories(length=length, across=True)
    agent = Dreamer(model=Doubted(model=model, last=8), policy=ActorCritic(units=model.units), memory=memory, length=length,
                    starts=starts)  # fmt: skip
    rhythm = Rhythm(random=1000, learn_every=3, updates=1, first_updates=300, chunk=100)
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=rhythm)
