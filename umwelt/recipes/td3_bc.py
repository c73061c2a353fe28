"""TD3 with cloning: the actor also stays near to the shown actions."""

from umwelt.behaviours import TD3
from umwelt.recipes.cloning import cloning
from umwelt.recipes.variation import vary

td3_bc = vary(
    cloning,
    {"agent.learner.learner.learner": TD3(clone=0.4)},
    name="td3_bc",
    summary="twin delayed policy gradients that also clone",
    needs=("boxes", "data"),
    cites=("td3_bc_2021", "td3_2018"),
)
