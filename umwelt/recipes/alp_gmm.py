"""A soft actor-critic student whose tasks a teacher draws where its returns change most.

The student is not shown its task; put `Announced` around the world for that. The published fit is of each 250 episodes.
A life of these worlds has a few hundred in all, so the teacher fits smaller mixtures sooner.
"""

from umwelt.behaviours import SAC, ModelFree
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Mixture


@recipe(
    summary="soft actor-critic under a teacher that seeks learning progress, by mixtures of Gaussians over tasks",
    family="model-free",
    needs=("boxes", "choices"),
    cites=("alp_gmm_2019", "sac_2018"),
    budget="100,000 decisions",
)
def alp_gmm(world: World) -> Life:
    return Life(
        world=world,
        agent=ModelFree(learner=SAC(), memory=Ring()),
        teacher=Mixture(every=50, most=5, slots=5000),
        rhythm=Rhythm(random=100, learn_every=1, updates=1, chunk=100),
    )
