"""Planning in an implicit world model, seeded by a policy.

The published system plans with MPPI over three imagined steps, of which a policy proposes some, and
adds the value of where a plan ends; one update of 256 sequences follows each decision. Ours keeps its
losses and its planner; the sizes `1M` and `5M` are the published ones. `small` is for two cores: it
tries a sixth of the plans, its values look three steps ahead, so that they grow up sooner, its policy
learns from what is seen alone, not from what is imagined after it, and two updates of 64 sequences follow
each decision: together they cost less than one of 256, and balancing a pole is learned sooner.
"""

from dataclasses import replace

from umwelt.behaviours import ModelPredictive
from umwelt.core import Objective
from umwelt.life.rhythm import Rhythm
from umwelt.memory.trajectories import Trajectories
from umwelt.models import Doubted, Implicit
from umwelt.planners import MPPI
from umwelt.recipes.recipe import Recipe


def planning(model: Implicit, samples: int, proposals: int, elites: int, iterations: int, batch: int) -> ModelPredictive:
    """The agent around a model: `samples` candidates, of which the policy makes `proposals`, in each iteration."""
    planner = MPPI(
        samples=samples,
        horizon=3,
        iterations=iterations,
        elites=elites,
        temperature=2.0,
        relative=False,
        spread=2.0,
        least_spread=0.05,
        proposed=proposals / samples,
        choose="noisy",
        discount=model.discount,
    )
    return ModelPredictive(
        model=Doubted(model=model),
        planner=planner,
        examined_choose="sample",
        memory=Trajectories(length=3),
        objective=Objective(),
        examined=Objective(),
        batch=batch,
        length=3,
    )


thrifty = Implicit(latent=128, units=256, encoder_units=128, trust=1.0, taught=1)
small = planning(thrifty, 128, 12, elites=16, iterations=4, batch=64)
published_1m = planning(Implicit(latent=128, units=384), 512, 24, elites=64, iterations=6, batch=256)
published_5m = planning(Implicit(latent=512, units=512, members=5), 512, 24, elites=64, iterations=6, batch=256)
published = Rhythm(random=2500, learn_every=1, updates=1, first_updates=2500, chunk=100)

tdmpc2 = Recipe(
    name="tdmpc2",
    summary="implicit latent model + MPPI seeded by a policy, with values beyond the horizon",
    agent=small,
    sizes={"small": small, "1M": published_1m, "5M": published_5m},
    rhythm=replace(published, updates=2),
    rhythms={"1M": published, "5M": published},
    repeats={"dm_control": 2},
    citation="TD-MPC2: Scalable, robust world models for continuous control (ICLR 2024)",
    budget="50,000 decisions",
    expected="on dm_control, 861 on cartpole-swingup (3 seeds) and 547 on cheetah-run (1 seed) at 100,000 frames, 923 on"
    " walker-walk at 50,000 (2 seeds); docs/evidence.md",
)
