"""What acts: agents that plan, agents with a policy, agents around agents, and one that draws at random."""

from umwelt.behaviours.actor_critic import ActorCritic
from umwelt.behaviours.bootstrapped import Bootstrapped
from umwelt.behaviours.copies import Kept
from umwelt.behaviours.curious import Curious
from umwelt.behaviours.deep_q import DQN
from umwelt.behaviours.dreamer import Dreamer
from umwelt.behaviours.dreams import Rolls
from umwelt.behaviours.dyna import Dyna
from umwelt.behaviours.model_free import ModelFree
from umwelt.behaviours.model_predictive import ModelPredictive
from umwelt.behaviours.pupil import Pupil
from umwelt.behaviours.pupil_views import Views
from umwelt.behaviours.random_agent import RandomAgent
from umwelt.behaviours.rewarded import Rewarded
from umwelt.behaviours.soft_actor_critic import SAC

__all__ = [
    "DQN",
    "SAC",
    "ActorCritic",
    "Bootstrapped",
    "Curious",
    "Dreamer",
    "Dyna",
    "Kept",
    "ModelFree",
    "ModelPredictive",
    "Pupil",
    "RandomAgent",
    "Rewarded",
    "Rolls",
    "Views",
]
