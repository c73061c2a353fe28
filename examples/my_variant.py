"""A variant of a recipe in one file: the online linear model under another planner, with a cautious objective.

    python examples/my_variant.py

`vary` takes the dotted paths of the command line, so the same change is
`umwelt live --recipe losse_mpc --recipe.planner cem --recipe.objective.doubt -0.5`. Another package lists the variant by an
entry point of the group `umwelt.recipes`; a file of this name in `umwelt/recipes/` needs none.
"""

from umwelt.check import agent
from umwelt.life.engine import Engine
from umwelt.planners import CEM
from umwelt.recipes import vary
from umwelt.recipes.losse_mpc import losse_mpc
from umwelt.worlds import Pendulum

my_variant = vary(
    losse_mpc,
    {"agent.planner": CEM(samples=128, horizon=15), "agent.objective.doubt": -0.5},
    name="my_variant",
    summary="online linear world model + CEM; cautious where it doubts",
)

if __name__ == "__main__":
    life = my_variant(Pendulum())
    Engine(life).check()
    report = agent(life.agent, life.world.spec, depth="shapes")
    print(report)
    raise SystemExit(0 if report else 1)
