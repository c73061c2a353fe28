"""What acts: agents that plan, agents with a policy, agents around agents, and one that draws at random."""

from umwelt.behaviours.actor_critic import ActorCritic
from umwelt.behaviours.advised import Advised
from umwelt.behaviours.asymmetric import Asymmetric
from umwelt.behaviours.automata import Automata
from umwelt.behaviours.autotelic import Autotelic
from umwelt.behaviours.bandit_search import Represented
from umwelt.behaviours.behaviour_transformer import BeT
from umwelt.behaviours.bootstrapped import Bootstrapped
from umwelt.behaviours.calling import Calling
from umwelt.behaviours.cashing import Cashed
from umwelt.behaviours.causal import Causal
from umwelt.behaviours.chosen import Chosen
from umwelt.behaviours.composed import Composed
from umwelt.behaviours.conservative import Conservative
from umwelt.behaviours.contrastive import Contrastive
from umwelt.behaviours.controlled import Asking, Controlled
from umwelt.behaviours.copies import Kept
from umwelt.behaviours.corrective import Corrective
from umwelt.behaviours.curious import Curious
from umwelt.behaviours.decision import DecisionTransformer
from umwelt.behaviours.deep_q import DQN
from umwelt.behaviours.denoised import Denoised
from umwelt.behaviours.denoised_actor import DenoisedActor
from umwelt.behaviours.denoised_play import DenoisedPlay
from umwelt.behaviours.density import Density
from umwelt.behaviours.discriminator import Discriminator
from umwelt.behaviours.dreamer import Dreamer
from umwelt.behaviours.dreams import Rolls
from umwelt.behaviours.dyna import Dyna
from umwelt.behaviours.evolved import Answers, Evolved, Looks
from umwelt.behaviours.flows import Flows
from umwelt.behaviours.following import Following, Shortened
from umwelt.behaviours.gated import Gated
from umwelt.behaviours.genomes import Outright, Reacting
from umwelt.behaviours.guarded import Guarded
from umwelt.behaviours.handover import Handover
from umwelt.behaviours.imitating import Cloning
from umwelt.behaviours.implicit_q import IQL
from umwelt.behaviours.in_context import InContext
from umwelt.behaviours.informed import Informed
from umwelt.behaviours.internal import Internal
from umwelt.behaviours.judged import Judged
from umwelt.behaviours.labelled import Labelled
from umwelt.behaviours.latent_skills import LatentSkills
from umwelt.behaviours.library import Library
from umwelt.behaviours.many_actions import ManyActions
from umwelt.behaviours.masked import Masked
from umwelt.behaviours.meta_decision import MetaDecision
from umwelt.behaviours.mixed import Mixed
from umwelt.behaviours.model_free import ModelFree
from umwelt.behaviours.model_predictive import ModelPredictive
from umwelt.behaviours.nearest import Nearest
from umwelt.behaviours.on_policy import OnPolicy
from umwelt.behaviours.preferred import Preferred
from umwelt.behaviours.pretrained import Pretrained
from umwelt.behaviours.prompted import Prompted
from umwelt.behaviours.proximal import PPO
from umwelt.behaviours.pupil import Pupil
from umwelt.behaviours.pupil_views import Views
from umwelt.behaviours.random_agent import RandomAgent
from umwelt.behaviours.reparameterised import Reparameterised, Ways
from umwelt.behaviours.rewarded import Rewarded
from umwelt.behaviours.seeking import Seeking
from umwelt.behaviours.sequenced import Sequenced
from umwelt.behaviours.shifted import Shifted
from umwelt.behaviours.snapshots import Snapshots
from umwelt.behaviours.soft_actor_critic import SAC
from umwelt.behaviours.standardised import Averaged, Standard
from umwelt.behaviours.strategies import Strategies
from umwelt.behaviours.succeeded import Succeeded
from umwelt.behaviours.td3 import TD3
from umwelt.behaviours.tuned import Tuned
from umwelt.behaviours.tutored import Tutored
from umwelt.behaviours.uni import Uni
from umwelt.behaviours.uni_denoised import Unified

__all__ = [
    "DQN",
    "IQL",
    "PPO",
    "SAC",
    "TD3",
    "ActorCritic",
    "Advised",
    "Answers",
    "Asking",
    "Asymmetric",
    "Automata",
    "Autotelic",
    "Averaged",
    "BeT",
    "Bootstrapped",
    "Calling",
    "Cashed",
    "Causal",
    "Chosen",
    "Cloning",
    "Composed",
    "Conservative",
    "Contrastive",
    "Controlled",
    "Corrective",
    "Curious",
    "DecisionTransformer",
    "Denoised",
    "DenoisedActor",
    "DenoisedPlay",
    "Density",
    "Discriminator",
    "Dreamer",
    "Dyna",
    "Evolved",
    "Flows",
    "Following",
    "Gated",
    "Guarded",
    "Handover",
    "InContext",
    "Informed",
    "Internal",
    "Judged",
    "Kept",
    "Labelled",
    "LatentSkills",
    "Library",
    "Looks",
    "ManyActions",
    "Masked",
    "MetaDecision",
    "Mixed",
    "ModelFree",
    "ModelPredictive",
    "Nearest",
    "OnPolicy",
    "Outright",
    "Preferred",
    "Pretrained",
    "Prompted",
    "Pupil",
    "RandomAgent",
    "Reacting",
    "Reparameterised",
    "Represented",
    "Rewarded",
    "Rolls",
    "Seeking",
    "Sequenced",
    "Shifted",
    "Shortened",
    "Snapshots",
    "Standard",
    "Strategies",
    "Succeeded",
    "Tuned",
    "Tutored",
    "Uni",
    "Unified",
    "Views",
    "Ways",
]
