"""An actor and a critic that learn in the dreams of a recurrent world model.

The published system replays 16 sequences of 64 steps and dreams 15 steps from each of their moments;
ours keeps its losses and normalisations, at sizes for two cores. There the dreams cost most by far, so
that `0.5M` dreams from the last moments of each sequence alone, and learns more often instead.
"""

from umwelt.behaviours import ActorCritic, Dreamer
from umwelt.core.rhythm import Rhythm
from umwelt.memory.trajectories import Trajectories
from umwelt.models import Doubted, Rssm
from umwelt.recipes.recipe import Recipe


def dreaming(certain: int, groups: int, choices: int, units: int, depth: int, length: int = 64, dreams: int = 0) -> Dreamer:
    """The agent at one size."""
    return Dreamer(
        model=Doubted(model=Rssm(certain=certain, groups=groups, choices=choices, units=units, depth=depth), last=8),
        policy=ActorCritic(units=units),
        memory=Trajectories(length=length),
        length=length,
        dreams=dreams,
    )


small = dreaming(128, 8, 8, 128, 8, length=32, dreams=128)

dreamer_v3 = Recipe(
    name="dreamer_v3",
    summary="recurrent state-space model; an actor and a critic learn in its dreams",
    agent=small,
    sizes={
        "0.5M": small,
        "2M": dreaming(256, 16, 16, 256, 16),
        "12M": dreaming(1024, 32, 16, 256, 16),
        "25M": dreaming(2048, 32, 24, 384, 24),
    },
    rhythm=Rhythm(random=1000, learn_every=3, updates=1, first_updates=300, chunk=100),
    citation="Mastering diverse domains through world models (2023)",
    budget="50,000 decisions",
    expected="-164 on pendulum in 12,000 decisions, 151 on cartpole_swingup in 40,000 (3 seeds each); docs/evidence.md",
)
