"""An actor and a critic that learn in the dreams of a recurrent world model.

The published system replays 16 sequences of 64 steps and dreams 15 steps from each of their moments;
ours keeps its losses and normalisations, at sizes for two cores. There the dreams cost most by far, so
that `0.5M` dreams from the last moments of each sequence alone, and learns more often instead. Its pictures
are folded before they are convolved.
"""

from umwelt.behaviours import ActorCritic, Dreamer
from umwelt.life.rhythm import Rhythm
from umwelt.memory.trajectories import Trajectories
from umwelt.models import Doubted, Rssm
from umwelt.recipes.recipe import Recipe


def dreaming(length: int = 64, dreams: int = 0, **size: int) -> Dreamer:
    """The agent at one size of its `Rssm`."""
    return Dreamer(
        model=Doubted(model=Rssm(**size), last=8),
        policy=ActorCritic(units=size["units"]),
        memory=Trajectories(length=length, across=True),
        length=length,
        dreams=dreams,
    )


small = dreaming(length=32, dreams=128, certain=128, groups=8, choices=8, units=128, depth=16, fold=4)

dreamer_v3 = Recipe(
    name="dreamer_v3",
    summary="recurrent state-space model; an actor and a critic learn in its dreams",
    agent=small,
    sizes={
        "0.5M": small,
        "2M": dreaming(certain=256, groups=16, choices=16, units=256, depth=16),
        "12M": dreaming(certain=1408, groups=32, choices=16, units=256, depth=16),
        "25M": dreaming(certain=2048, groups=32, choices=24, units=384, depth=24),
    },
    rhythm=Rhythm(random=1000, learn_every=3, updates=1, first_updates=300, chunk=100),
    repeats={"dm_control": 2},
    citation="Mastering diverse domains through world models (2023)",
    budget="50,000 decisions",
    expected="-162 on pendulum in 12,000 decisions, 146 on cartpole_swingup in 50,000 (3 seeds each), 773 on DMC"
    " cartpole-swingup at 100k frames, 500 of 500 on cartpole from pixels in 5,000 (1 seed each); docs/evidence.md",
)
