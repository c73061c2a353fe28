"""Behaviour transformer over residual codes: chunks of actions are named coarsely and then finely."""

from umwelt.behaviours import BeT
from umwelt.memory import Trajectories
from umwelt.networks.codes import Residual
from umwelt.recipes.bet import bet
from umwelt.recipes.variation import vary

vq_bet = vary(
    bet,
    {
        "agent.learner": BeT(codes=Residual(), chunk=5, offsets="sampled", coarse=5.0),
        "agent.memory": Trajectories(length=14),
        "rhythm.study": 7000,
    },
    name="vq_bet",
    summary="a behaviour transformer that draws coarse and fine codes of five actions at once",
    cites=("vq_bet_2024",),
    budget="7,000 lessons of shown experience, of which the first 1,000 fit the codes",
)
