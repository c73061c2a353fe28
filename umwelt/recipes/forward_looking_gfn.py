"""A generative flow with local credit: objects of choices, drawn in proportion to e^return."""

from umwelt.behaviours import Flows, OnPolicy
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="generative flow: draws objects as often as their return is large; a rollout is one episode and its end",
    family="on-policy",
    needs=("choices",),
    cites=("forward_looking_gfn_2023",),
    budget="5,000 episodes",
)
def forward_looking_gfn(world: World) -> Life:
    horizon = getattr(world, "time_limit", 127) + 1
    agent = OnPolicy(learner=Flows(), horizon=min(horizon, 512))
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=0, learn_every=1, updates=1, chunk=60))
