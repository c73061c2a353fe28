"""Contrastive learning of goals, whose exploration appears when it is always sent to one hard goal.

"A single goal is all you need" (ICLR 2025). The goal is the world's first task; no reward is read.
"""

from umwelt.behaviours.contrastive import Contrastive
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Trajectories
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks
from umwelt.worlds.wanted import announcing_goals


@recipe(
    summary="contrastive critic and policy, always sent to one goal; no reward, no bonus",
    family="contrastive goals",
    needs=("boxes", "goals"),
    cites=("single_goal_2025",),
    budget="100,000 decisions",
)
def single_goal(world: World) -> Life:
    agent = Contrastive(memory=Trajectories(length=50, across=True))
    return Life(
        world=announcing_goals(world),
        agent=agent,
        teacher=Blocks(),
        rhythm=Rhythm(random=200, learn_every=4, updates=1, chunk=100),
    )
