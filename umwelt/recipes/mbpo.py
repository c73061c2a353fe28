"""Soft actor-critic that practises in short dreams of an ensemble.

The published system trains its ensemble to convergence every 250 decisions and makes 400,000 imagined transitions from
it; ours does a little of both at each decision. Dreams grow from one step by the published schedule of the hopper, and
the target entropy is the one published for it. `beta` lets errors count about alike however wide the predicted noise is,
because the likelihood alone takes contacts for noise. `--recipe.objective.doubt -1` takes the members' disagreement off
an imagined reward.
"""

from umwelt.behaviours import SAC, Dyna, Rolls
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.models import Ensemble
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(summary="ensemble + soft actor-critic in short branched dreams", family="dyna", needs=("boxes", "choices"),
        cites=("mbpo_2019",), budget="30,000 decisions and up",
)  # fmt: skip
def mbpo(world: World) -> Life:
    agent = Dyna(
        model=Ensemble(members=5, layers=3, units=128, propagation="one", beta=0.5),
        learner=SAC(target_entropy=-1 / 3),
        memory=Ring(), dreamed=Ring(bytes=16_000_000),
        dreams=Rolls(horizon=15, begin=20_000, finish=100_000),
        model_batch=640, model_updates=4, updates=10, starts=400,
    )  # fmt: skip
    rhythm = Rhythm(random=1000, learn_every=1, updates=1, first_updates=200, chunk=100)
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=rhythm)
