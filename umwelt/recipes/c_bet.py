"""Conditional behaviour transformer: the same model, shown a later observation of the same stretch as a goal.

In life the goal is the one that the world shows: a world is wrapped so that entries of its observation are wanted, unless
it announces its goals already. A goal is a single observation, because a task names one place; the paper shows several.
"""

from umwelt.behaviours import BeT, Sequenced
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Trajectories
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks
from umwelt.worlds.wanted import announcing_goals


@recipe(
    summary="a behaviour transformer that reads where to end, learned from play without labels",
    family="sequences",
    needs=("boxes", "goals", "data"),
    cites=("cbet_2023", "bet_2022"),
    budget="6,000 lessons of shown experience",
)
def c_bet(world: World) -> Life:
    agent = Sequenced(learner=BeT(goal="future"), memory=Trajectories(length=64, across=True))
    rhythm = Rhythm(study=6000, random=0, updates=1, chunk=100)
    return Life(world=announcing_goals(world), agent=agent, teacher=Blocks(), rhythm=rhythm)
