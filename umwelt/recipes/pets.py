"""Probabilistic ensembles with trajectory sampling.

The published system plans with the cross-entropy method in an ensemble of probabilistic networks,
and trains the ensemble after each episode. Ours trains a little after each few decisions, for the
same number of updates, so that learning never stops the life for long. In a probe it is a little
cautious: plans through what the members disagree about are worth less.
"""

from umwelt.behaviours import ModelPredictive
from umwelt.core import Objective
from umwelt.life.rhythm import Rhythm
from umwelt.memory.ring import Ring
from umwelt.models.ensemble import Ensemble
from umwelt.planners import CEM
from umwelt.recipes.recipe import Recipe

pets = Recipe(
    name="pets",
    summary="probabilistic ensemble + CEM, planning at every step",
    agent=ModelPredictive(
        model=Ensemble(units=64),
        planner=CEM(samples=100, horizon=20, iterations=3, elites=10),
        memory=Ring(),
        objective=Objective(),
        examined=Objective(doubt=-0.3),
        batch=640,
    ),
    rhythm=Rhythm(random=200, learn_every=10, updates=50, first_updates=1000),
    citation="Deep reinforcement learning in a handful of trials using probabilistic dynamics models (NeurIPS 2018)",
    budget="2,000 decisions",
    expected="see docs/evidence.md",
)
