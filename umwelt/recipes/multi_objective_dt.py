"""Decision transformer that predicts the next state and return as well, and the coarse region of an action before it.

A faithful minimum: the abstract leaves the form of regions open, and here they are quantiles of each entry of the action.
"""

from umwelt.behaviours import DecisionTransformer
from umwelt.recipes.decision_transformer import decision_transformer
from umwelt.recipes.variation import vary

multi_objective_dt = vary(
    decision_transformer,
    {"agent.learner": DecisionTransformer(tells=("action", "state", "return"), regions=8)},
    name="multi_objective_dt",
    summary="a decision transformer with losses of action, region, next state and return, weighed by learned variances",
    cites=("multi_objective_dt_2023",),
    needs=("boxes", "data"),
)
