"""Go-Explore without cells: return to where a learned latent is thinly populated, then explore at random.

"Cell-free latent Go-Explore" (ICML 2023).
"""

from umwelt.behaviours.autotelic import Autotelic
from umwelt.behaviours.deep_q import DQN
from umwelt.behaviours.soft_actor_critic import SAC
from umwelt.core import Discrete
from umwelt.core.contracts import World
from umwelt.curiosity.rare import Rare
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Trajectories
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks
from umwelt.worlds.wanted import announcing_goals


@recipe(
    summary="returns to rare places along recorded paths, and explores there at random",
    family="own goals",
    needs=("boxes", "choices", "goals"),
    cites=("latent_go_explore_2023",),
    budget="100,000 decisions",
)
def latent_go_explore(world: World) -> Life:
    learner = DQN() if isinstance(world.spec.action, Discrete) else SAC()
    memory = Trajectories(length=50, across=True)
    agent = Autotelic(learner=learner, goals=Rare(), memory=memory, leg=100, rest=50, ahead=10)
    life = Rhythm(random=200, learn_every=4, updates=1, chunk=100)
    return Life(world=announcing_goals(world), agent=agent, teacher=Blocks(), rhythm=life)
