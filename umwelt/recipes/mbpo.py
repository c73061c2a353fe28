"""Soft actor-critic that practises in short dreams of an ensemble.

The published system trains its ensemble to convergence every 250 decisions and makes 400,000 imagined
transitions from it; ours does a little of both at each decision. Dreams begin at one step and grow, by
the published schedule of the hopper, whose wanted entropy is also the policy's. `caution`, off unless it
is given (`--recipe.caution`), takes the members' disagreement off an imagined reward. Errors count about
alike however wide the predicted noise is (`beta`), since the likelihood alone takes contacts for noise.
"""

from umwelt.behaviours import SAC, Dyna
from umwelt.life.rhythm import Rhythm
from umwelt.memory.ring import Ring
from umwelt.models import Ensemble
from umwelt.recipes.recipe import Recipe

mbpo = Recipe(
    name="mbpo",
    summary="ensemble + soft actor-critic in short branched dreams",
    agent=Dyna(
        model=Ensemble(members=5, layers=3, units=128, propagation="one", beta=0.5),
        learner=SAC(target=-1 / 3),
        memory=Ring(),
        dreams=Ring(bytes=16_000_000),
        model_batch=640,
        model_updates=4,
        updates=10,
        starts=400,
        horizon=15,
        begin=20_000,
        finish=100_000,
    ),
    rhythm=Rhythm(random=1000, learn_every=1, updates=1, first_updates=200, chunk=100),
    citation="When to trust your model: model-based policy optimization (NeurIPS 2019)",
    budget="30,000 decisions and up",
    expected="1,317, 2,539 and 1,100 on Hopper-v5 at 30,000 decisions (3 seeds), less than published; docs/evidence.md",
)
