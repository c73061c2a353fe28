"""Unified world model: actions and what follows them are denoised together, so crossings without actions teach too."""

from umwelt.behaviours import Unified
from umwelt.memory import Trajectories
from umwelt.recipes.bet import bet
from umwelt.recipes.variation import vary

uwm = vary(
    bet,
    {"agent.learner": Unified(acts="joint"), "agent.memory": Trajectories(length=4), "agent.batch": 128},
    name="uwm",
    summary="one denoiser of actions and of what follows them: policy, model and inverse model, taught also by what is watched",
    cites=("uwm_2025",),
)
