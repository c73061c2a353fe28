"""A linear bandit over learned representations of policies, around an evolution strategy."""

from umwelt.behaviours import Evolved, Looks, Reacting, Represented
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.networks.inside import with_batch
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="a population of 32: a bandit over representations of policies says where an evolution strategy goes on",
    family="population",
    needs=("boxes", "choices"),
    cites=("reprl_2023", "evolution_strategies_2017"),
    budget="some 2,000 episodes",
)
def reprl(world: World) -> Life:
    agent = Evolved(search=Represented(), policy=Reacting(), traits=Looks(number=4, every=50))
    return Life(
        world=with_batch(world, 32), agent=agent, teacher=Blocks(), rhythm=Rhythm(random=0, learn_every=1, updates=1, chunk=100)
    )
