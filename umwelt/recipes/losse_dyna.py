"""The online linear world model, and a model-free learner that practises in one-step dreams of it.

The work on the sparse online model uses it so: Dyna, one imagined step from a remembered observation. It learns by
Q-learning in a world of choices, and by soft actor-critic in a world of boxes.
"""

from umwelt.behaviours import DQN, SAC, Dyna
from umwelt.core import Discrete
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.models import Losse
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="online linear world model + Q-learning or soft actor-critic in one-step dreams",
    family="dyna",
    needs=("choices", "boxes"),
    cites=("losse_2024",),
    budget="20,000 decisions",
)
def losse_dyna(world: World) -> Life:
    learner = DQN() if isinstance(world.spec.action, Discrete) else SAC()
    dreamed = Ring(bytes=2_000_000)
    agent = Dyna(model=Losse(), learner=learner, memory=Ring(), dreamed=dreamed, batch=128, real=0.25, updates=2, starts=64)
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=500, learn_every=1, updates=1, chunk=100))
