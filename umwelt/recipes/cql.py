"""Conservative Q-learning: critics that value no action above what the data can vouch for."""

from umwelt.behaviours import SAC, Conservative
from umwelt.recipes.cloning import cloning
from umwelt.recipes.variation import vary

cql = vary(
    cloning,
    {"agent.learner.learner.learner": SAC(conservative=Conservative(), soft=False)},
    name="cql",
    summary="soft actor-critic whose values are kept low where there are no data",
    cites=("cql_2020",),
)
