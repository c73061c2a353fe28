"""A transformer that practised on tasks without end, and learns within each episode of its life."""

from umwelt.behaviours import InContext
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="in-context learning from best actions; for worlds that have an expert, such as umwelt.worlds.levers:Arms",
    family="in-context",
    needs=("choices",),
    cites=("dpt_2023",),
    budget="2,000 lessons",
)
def dpt(world: World) -> Life:
    horizon = min(50, getattr(world, "time_limit", 50))
    agent = InContext(world=world, horizon=horizon)
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(study=2000, random=0, updates=1, chunk=100))
