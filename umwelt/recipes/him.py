"""Proximal policy optimisation with an internal model of a short past; hidden numbers teach it, and no policy reads them.

A world that is not wrapped in `partly` yet shows its last six moments, and nothing of it is hidden.
"""

from umwelt.behaviours import PPO, Internal, OnPolicy
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks
from umwelt.worlds.partly import with_past


@recipe(
    summary="on-policy: infers hidden numbers from a short past, by a guess and a contrastive code; give it 16 rows",
    family="on-policy",
    needs=("boxes",),
    cites=("him_2024", "swav_2020", "ppo_2017", "gae_2016"),
    budget="300,000 decisions",
)
def him(world: World) -> Life:
    agent = OnPolicy(learner=Internal(learner=PPO(learning_rate=1e-3)), horizon=128)
    rhythm = Rhythm(random=0, learn_every=128, updates=1, chunk=512)
    return Life(world=with_past(world), agent=agent, teacher=Blocks(), rhythm=rhythm)
