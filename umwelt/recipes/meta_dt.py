"""Meta decision transformer: it reads a code of what happens, and a piece of the episode before, and is named no task."""

from umwelt.behaviours import MetaDecision, Prompted
from umwelt.memory import Trajectories
from umwelt.recipes.bet import bet
from umwelt.recipes.variation import around, vary

meta_dt = vary(
    bet,
    {
        "agent.learner": MetaDecision(),
        "agent.memory": Trajectories(length=8),
        "agent": around(lambda agent: Prompted(inner=agent)),
    },
    name="meta_dt",
    summary="a decision transformer for unseen tasks, with a code of the last transitions and a prompt of its own past",
    cites=("meta_dt_2024", "decision_transformer_2021"),
    needs=("boxes", "choices", "data"),
)
