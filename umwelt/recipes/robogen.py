"""Proposed tasks, each part of which is solved by the method for its kind of contact.

In `Chores` a grammar proposes, and motion without contact, trajectory optimisation in the known model and reinforcement
learning share the work. Elsewhere tasks are drawn, and all is learned.
"""

from umwelt.behaviours import SAC, Advised, Chosen, ModelFree, ModelPredictive, RandomAgent
from umwelt.core import innermost
from umwelt.core.contracts import Agent, World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.models import Truth
from umwelt.planners import ICEM
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Designed
from umwelt.worlds.chores import ByContact, Chores, Grammar, Led


@recipe(
    summary="proposed tasks of several parts, each solved by a method for its kind of contact",
    family="model-free",
    needs=("boxes",),
    cites=("robogen_2024",),
    budget="200,000 decisions",
)
def robogen(world: World) -> Life:
    agent: Agent = ModelFree(learner=SAC(units=64, learning_rate=1e-3, discount=0.97, ema_rate=0.01), memory=Ring(), batch=256)
    teacher = Designed(rounds=1000, mix=1.0)
    if isinstance(innermost(world), Chores):
        lead = Advised(agent=RandomAgent(), suggest=Led(), share=1.0, examined=1.0)
        plan = ModelPredictive(model=Truth(world=world), planner=ICEM(samples=16, horizon=12, iterations=1, elites=4))
        agent, teacher = Chosen(agents=(lead, plan, agent), by=ByContact()), Designed(suggest=Grammar(), rounds=1000, mix=1.0)
    return Life(world=world, agent=agent, teacher=teacher, rhythm=Rhythm(random=100, learn_every=1, updates=1, chunk=100))
