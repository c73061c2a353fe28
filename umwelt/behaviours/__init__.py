"""What acts: agents that plan, agents with a policy, and the one that rolls dice."""

from umwelt.behaviours.model_predictive import ModelPredictive
from umwelt.behaviours.random_agent import RandomAgent

__all__ = ["ModelPredictive", "RandomAgent"]
