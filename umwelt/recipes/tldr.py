"""Goals of one's own, far away in decisions; one representation of such distances serves for goals, bonus and reward.

"TLDR: unsupervised goal-conditioned RL via temporal distance-aware representations" (CoRL 2024).
"""

from umwelt.behaviours.autotelic import Autotelic
from umwelt.behaviours.soft_actor_critic import SAC
from umwelt.core.contracts import World
from umwelt.curiosity.faraway import Faraway
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Trajectories
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks
from umwelt.worlds.wanted import announcing_goals


@recipe(
    summary="sets out for goals that are many decisions away, explores there; no reward",
    family="own goals",
    needs=("boxes", "goals"),
    cites=("tldr_2024",),
    budget="100,000 decisions",
)
def tldr(world: World) -> Life:
    agent = Autotelic(
        learner=SAC(discount=0.97),
        explorer=SAC(discount=0.99),
        goals=Faraway(),
        memory=Trajectories(length=50, across=True),
        leg=100,
        rest=10_000,
    )
    life = Rhythm(random=200, learn_every=4, updates=1, chunk=100)
    return Life(world=announcing_goals(world), agent=agent, teacher=Blocks(), rhythm=life)
