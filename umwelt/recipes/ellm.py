"""Q-learning that is paid for goals that are held sensible here and now, each once in an episode.

In the `Workshop` a rule suggests them in the place of a language model, and it errs. Elsewhere every entry of the
observation that can rise above one half is such a goal.
"""

from umwelt.behaviours import DQN, Curious, ModelFree
from umwelt.core import innermost
from umwelt.core.contracts import World
from umwelt.curiosity import Suggested
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks
from umwelt.worlds.workshop import Sensible, Workshop


@recipe(
    summary="Q-learning with a bonus for goals that are suggested as sensible here and now",
    family="model-free",
    needs=("choices",),
    cites=("ellm_2023",),
    budget="40,000 decisions",
)
def ellm(world: World) -> Life:
    signal = Suggested(suggest=Sensible()) if isinstance(innermost(world), Workshop) else Suggested()
    agent = ModelFree(learner=DQN(), memory=Ring(), batch=128)
    curious = Curious(agent=agent, curiosity=signal, normalised=False)
    return Life(world=world, agent=curious, teacher=Blocks(), rhythm=Rhythm(random=200, learn_every=1, updates=1, chunk=100))
