"""Q-learning under an experimenter that climbs the world's named tasks as their curves settle."""

from umwelt.behaviours import DQN, ModelFree
from umwelt.core import innermost
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Experimenter
from umwelt.worlds import KeyRooms


@recipe(
    summary="Q-learning under a teacher that judges the curve of each task before it proposes the next",
    family="model-free",
    needs=("choices",),
    cites=("game_on_2024",),
    budget="48,000 decisions",
)
def game_on(world: World) -> Life:
    names = tuple(world.tasks())
    # key rooms name the whole way first, which is the last rung
    teacher = Experimenter(names=(*names[1:], names[0]) if isinstance(innermost(world), KeyRooms) else names)
    agent = ModelFree(learner=DQN(), memory=Ring(), batch=128)
    return Life(world=world, agent=agent, teacher=teacher, rhythm=Rhythm(random=200, learn_every=1, updates=1, chunk=100))
