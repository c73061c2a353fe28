"""An agent that is paid nothing: it seeks what its model doubts, on tasks where that model still learns.

It is a composition of this library: a planner that seeks doubt (Plan2Explore) in an online linear model (Losse), under a
teacher that follows progress (ALP-GMM), here the progress of the model. In a probe it plans for the reward. Where the
world announces its task and knows its reward, the agent sets out for the task too, and learns how the world works alone.
"""

from umwelt.behaviours import ModelPredictive
from umwelt.core import Objective, capability
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.models import Losse, Wished
from umwelt.models.wished import endless, worthless
from umwelt.planners import ICEM
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Mixture
from umwelt.worlds import Announced


@recipe(
    summary="no reward: seeks its model's doubt, on tasks where the model makes progress; then plans for any of them",
    family="sampling planner",
    needs=("boxes", "choices"),
    cites=("plan2explore_2020", "alp_gmm_2019", "losse_2024"),
    budget="about 3,000 decisions",
)
def curious_life(world: World) -> Life:
    known = isinstance(world, Announced) and capability(world, "reward") is not None
    model = Wished(model=Losse(reward=worthless, continues=endless), world=world) if known else Losse()
    agent = ModelPredictive(
        model=model,
        planner=ICEM(samples=48, horizon=15, iterations=3, elites=8),
        objective=Objective(reward=1.0 if known else 0.0, doubt=1.0),
        examined=Objective(),
    )
    goal = getattr(world.spec.task, "goal", None)
    within = () if goal is None else (("goal", float(goal.bounds[0].min()), float(goal.bounds[1].max())),)
    teacher = Mixture(of="surprise", every=10, most=3, slots=500, within=within)
    return Life(world=world, agent=agent, teacher=teacher, rhythm=Rhythm(random=100, learn_every=50, updates=0))
