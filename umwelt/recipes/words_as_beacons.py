"""Q-learning with a small bonus for each subgoal on the way, which a rule names in the place of a language model.

In `KeyRooms` the subgoals are the keys and doors. Elsewhere each entry of the observation that rises above one half is one.
"""

from umwelt.behaviours import DQN, Curious, ModelFree
from umwelt.core import innermost
from umwelt.core.contracts import World
from umwelt.curiosity import Beacons
from umwelt.curiosity.beacons import halves
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks
from umwelt.worlds.key_rooms import KeyRooms, Stages


@recipe(
    summary="Q-learning with a bonus for each subgoal that a teacher names, examined without them",
    family="model-free",
    needs=("choices",),
    cites=("words_as_beacons_2024",),
    budget="96,000 decisions",
)
def words_as_beacons(world: World) -> Life:
    inside = innermost(world)
    suggest = Stages(rooms=inside.rooms) if isinstance(inside, KeyRooms) else halves
    agent = ModelFree(learner=DQN(), memory=Ring(), batch=128)
    curious = Curious(agent=agent, curiosity=Beacons(suggest=suggest, pays=0.1), normalised=False)
    return Life(world=world, agent=curious, teacher=Blocks(), rhythm=Rhythm(random=200, learn_every=1, updates=1, chunk=100))
