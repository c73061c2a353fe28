"""Q-learning under a teacher that designs a few configurations of the world in each round.

In `KeyRooms` a rule proposes the ways from just before the weakest stages; elsewhere tasks are drawn.
"""

from umwelt.behaviours import DQN, ModelFree
from umwelt.core import innermost
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Designed
from umwelt.worlds import KeyRooms
from umwelt.worlds.key_room_advice import OneStepAway, StageSkills


@recipe(
    summary="Q-learning on configurations of the world that are designed in a few rounds, beside the original",
    family="model-free",
    needs=("choices",),
    cites=("envgen_2024",),
    budget="40,000 decisions",
)
def envgen(world: World) -> Life:
    inside, teacher = innermost(world), Designed()
    if isinstance(inside, KeyRooms):
        teacher = Designed(suggest=OneStepAway(), skills=StageSkills(rooms=inside.rooms))
    agent = ModelFree(learner=DQN(), memory=Ring(), batch=128)
    return Life(world=world, agent=agent, teacher=teacher, rhythm=Rhythm(random=200, learn_every=1, updates=1, chunk=100))
