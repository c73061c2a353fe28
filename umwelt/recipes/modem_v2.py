"""A planner that begins as a clone of a few demonstrations, stays near to its policy, and doubts its critics.

From states, not pictures, and without the change of the demonstrations' share, which stays at one half.
"""

from umwelt.behaviours import Averaged, Cloning, Handover, ModelFree, ModelPredictive, Standard
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Both, Ring, Trajectories
from umwelt.models import Centred, Implicit
from umwelt.planners import MPPI
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="implicit model + MPPI around its policy; a clone of what is shown hands control over, and values are cautious",
    family="implicit planner",
    needs=("boxes", "data"),
    cites=("modem_v2_2024", "tdmpc2_2024"),
    budget="20,000 decisions after a few shown episodes",
)
def modem_v2(world: World) -> Life:
    clone = ModelFree(learner=Standard(learner=Averaged(learner=Cloning())), memory=Both(share=1.0, lived=Ring(bytes=1_000_000)))
    model = Implicit(latent=128, units=256, encoder_units=128, members=5, discount=0.95, lambda_=1.0, policy_latents=1)
    planner = MPPI(samples=64, horizon=5, iterations=1, elites=16, proposed=1.0, spread=0.1, least_spread=0.05, discount=0.95)
    sequences = Trajectories(length=5)
    then = ModelPredictive(
        model=Centred(model=model), planner=planner, memory=Both(shown=sequences, lived=sequences), batch=64, length=5
    )
    agent = Handover(first=clone, then=then, begin=1000, finish=10_000)
    rhythm = Rhythm(study=2000, random=0, learn_every=1, updates=1, chunk=100)
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=rhythm)
