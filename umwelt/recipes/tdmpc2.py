"""Planning in an implicit world model, seeded by a policy.

`1M` and `5M` are published sizes: MPPI over three imagined steps, one update of 256 sequences after each decision.
`small`, for two cores, tries a sixth of the plans and makes two updates of 64 sequences. Its values look three steps
ahead, and its policy learns from observed steps alone.
"""

from umwelt.behaviours import ModelPredictive
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Trajectories
from umwelt.models import Doubted, Implicit
from umwelt.planners import MPPI
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks

PUBLISHED = (512, 24, 64, 6, 256, 1)
SIZES = {  # model, then: samples, proposals of the policy, elites, iterations, batch, updates
    "small": (Implicit(latent=128, units=256, encoder_units=128, lambda_=1.0, policy_latents=1), (128, 12, 16, 4, 64, 2)),
    "1M": (Implicit(latent=128, units=384), PUBLISHED),
    "5M": (Implicit(latent=512, units=512, members=5), PUBLISHED),
}


@recipe(summary="implicit latent model + MPPI seeded by a policy, with values beyond the horizon", family="implicit planner",
        needs=("boxes", "choices"), cites=("tdmpc2_2024",), sizes=tuple(SIZES), repeats={"dm_control": 2},
        budget="50,000 decisions")  # fmt: skip
def tdmpc2(world: World, size: str = "small") -> Life:
    model, (samples, proposals, elites, iterations, batch, updates) = SIZES[size]
    planner = MPPI(samples=samples, horizon=3, iterations=iterations, elites=elites, temperature=2.0, relative=False, spread=2.0,
                   least_spread=0.05, proposed=proposals / samples, choose="noisy", discount=model.discount)  # fmt: skip
    agent = ModelPredictive(model=Doubted(model=model), planner=planner, examined_choose="sample", memory=Trajectories(length=3),
                            batch=batch, length=3)  # fmt: skip
    rhythm = Rhythm(random=2500, learn_every=1, updates=updates, first_updates=2500, chunk=100)
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=rhythm)
