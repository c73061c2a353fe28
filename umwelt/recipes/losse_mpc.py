"""The online linear world model under a sampling planner, after two works on online world models.

The works plan with the improved cross-entropy method (coloured noise, kept elites) in a model that
is learned from each transition once and never rehearsed. Ours differs in three ways: the solver is
exact, the statistics are float64, and the model has a doubt, which the planner seeks while it lives
and ignores when it is examined.
"""

from umwelt.behaviours import ModelPredictive
from umwelt.core import Objective
from umwelt.life.rhythm import Rhythm
from umwelt.models.losse import Losse
from umwelt.planners import ICEM
from umwelt.recipes.recipe import Recipe

losse_mpc = Recipe(
    name="losse_mpc",
    summary="online linear world model + iCEM; learns each transition once, without replay",
    agent=ModelPredictive(
        model=Losse(),
        planner=ICEM(samples=128, horizon=15, iterations=3),
        objective=Objective(doubt=0.5),
        examined=Objective(),
    ),
    rhythm=Rhythm(random=200, learn_every=50, updates=0),
    citation="Locality sensitive sparse encoding for learning world models online (ICLR 2024); "
    "Continual reinforcement learning by planning with online world models (ICML 2025)",
    budget="about 5,000 decisions",
    expected="see docs/evidence.md",
)
