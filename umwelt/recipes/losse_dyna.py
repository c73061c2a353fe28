"""The online linear world model, and Q-learning that practises in one-step dreams of it.

The work on the sparse online model uses it so: Dyna, one imagined step from where life has been.
"""

from umwelt.behaviours import DQN, Dyna
from umwelt.core.rhythm import Rhythm
from umwelt.memory.ring import Ring
from umwelt.models import Losse
from umwelt.recipes.recipe import Recipe

losse_dyna = Recipe(
    name="losse_dyna",
    summary="online linear world model + Q-learning in one-step dreams",
    agent=Dyna(
        model=Losse(),
        learner=DQN(),
        memory=Ring(),
        dreams=Ring(bytes=2_000_000),
        batch=128,
        real=0.25,
        updates=2,
        starts=64,
    ),
    rhythm=Rhythm(random=500, learn_every=1, updates=1, chunk=100),
    citation="Locality sensitive sparse encoding for learning world models online (ICLR 2024)",
    budget="10,000 decisions",
    expected="not measured yet",
)
