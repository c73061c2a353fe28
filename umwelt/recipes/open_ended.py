"""Q-learning on tasks that trials have found neither too easy nor too hard; the universe is the world's task space."""

from umwelt.behaviours import DQN, ModelFree
from umwelt.core import innermost
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Filtered, Sampled
from umwelt.worlds import KeyRooms
from umwelt.worlds.key_room_advice import Universe


@recipe(
    summary="Q-learning on tasks that trial episodes have filtered",
    family="model-free",
    needs=("choices",),
    cites=("open_ended_2021",),
    budget="80,000 decisions",
)
def open_ended(world: World) -> Life:
    inside = innermost(world)
    drawn = Sampled(draw=Universe(rooms=inside.rooms)) if isinstance(inside, KeyRooms) else Sampled()
    rows = max(1, world.spec.batch // 4)
    agent = ModelFree(learner=DQN(), memory=Ring(), batch=128)
    rhythm = Rhythm(random=200, learn_every=1, updates=1, chunk=100)
    return Life(world=world, agent=agent, teacher=Filtered(teacher=drawn, rows=rows), rhythm=rhythm)
