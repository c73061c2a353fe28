"""Proximal policy optimisation with a hybrid automaton of three modes, and a Beta policy that never leaves its bounds.

A world that is not wrapped in `partly` yet shows its last six moments. Groups of rewards, by
`OnPolicy(rewards=...)`, get critics of their own in `PPO(groups=...)`.
"""

from umwelt.behaviours import PPO, Automata, OnPolicy
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks
from umwelt.worlds.partly import with_past


@recipe(
    summary="on-policy: learns the modes of a body that touches things, without labels; give the world 16 rows or more",
    family="on-policy",
    needs=("boxes",),
    cites=("dhal_2025", "gumbel_2017", "beta_policy_2017", "ppo_2017", "gae_2016"),
    budget="300,000 decisions",
)
def dhal(world: World) -> Life:
    agent = OnPolicy(learner=Automata(learner=PPO(bounded=True)), horizon=128)
    rhythm = Rhythm(random=0, learn_every=128, updates=1, chunk=512)
    return Life(world=with_past(world), agent=agent, teacher=Blocks(), rhythm=rhythm)
