"""The agent that rolls dice, as a recipe: the floor of every table."""

from umwelt.behaviours import RandomAgent
from umwelt.life.rhythm import Rhythm
from umwelt.recipes.recipe import Recipe

random = Recipe(
    name="random",
    summary="draws every action uniformly; the floor of every table",
    agent=RandomAgent(),
    rhythm=Rhythm(random=0, updates=0, chunk=200),
    citation="none",
    budget="as fast as the world",
    expected="about -1,200 on Pendulum-v1",
)
