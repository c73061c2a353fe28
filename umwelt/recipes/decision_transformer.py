"""Decision transformer: the action that led to the return which is asked for, read off a history."""

from umwelt.behaviours import DecisionTransformer
from umwelt.memory import Trajectories
from umwelt.recipes.bet import bet
from umwelt.recipes.variation import vary

decision_transformer = vary(
    bet,
    {"agent.learner": DecisionTransformer(), "agent.memory": Trajectories(length=20)},
    name="decision_transformer",
    summary="a transformer that is asked for a return and predicts the action; in life it asks for the best that was shown",
    cites=("decision_transformer_2021",),
    needs=("boxes", "choices", "data"),
)
