"""Diffusion cloning: actions are drawn as noise that is cleaned in fifty steps, given the last two observations."""

from umwelt.behaviours import Denoised
from umwelt.memory import Trajectories
from umwelt.recipes.bet import bet
from umwelt.recipes.variation import vary

diffusion_bc = vary(
    bet,
    {"agent.learner": Denoised(), "agent.memory": Trajectories(length=4), "agent.batch": 128},
    name="diffusion_bc",
    summary="cloning by denoising: joint actions keep their structure, and one habit of many is drawn",
    cites=("diffusion_bc_2023",),
)
