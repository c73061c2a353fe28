"""The metrics, the beliefs, the weights and the state of a recurrent state-space model."""

from typing import Any

import jax

from umwelt.core import Metric, static, struct
from umwelt.networks.form import Form
from umwelt.networks.layers import Layer, Stack

LOSS = Metric(name="model_loss", unit="nats", meaning="weighted sum of the losses below", better="down")
DECODED = Metric(
    name="decoder_loss", unit="squared symlog units", meaning="error of the decoded observation, summed over it", better="down"
)
GRASPED = Metric(
    name="grasp_loss", unit="nats", meaning="error of actions from embeddings, and of values from beliefs", better="down"
)
REWARD = Metric(name="reward_loss", unit="nats", meaning="cross entropy of the predicted rewards", better="down")
LATENT = Metric(name="latent_loss", unit="nats", meaning="divergence of the posterior from the prior", better="down")


@struct
class Belief:
    """deterministic: float32 [N, D], the recurrent state. stochastic: float32 [N, G, C], one class in each group."""

    deterministic: jax.Array
    stochastic: jax.Array


@struct
class Weights:
    """Stacks and layers. encoder is that of `vision`; decoder too, or the weights of `grasp`."""

    encoder: Any
    decoder: Any
    joined: Layer
    gates: Layer
    prior: Stack
    posterior: Stack
    reward: Stack
    continues: Stack


@struct
class RssmState:
    """weights; optimiser: Optax's; balance: float32 [3], learned logarithms of the losses' scales."""

    weights: Weights
    balance: jax.Array
    optimiser: Any
    observation_form: Form = static()
    action_form: Form = static()


@struct
class Filtered:
    """Sequences as the filter left them, time first. beliefs: [L + 1, N]. logits: float32 [L + 1, N, G, C], of the
    posterior. embedded: [L + 1, N, E]. action: in units, [L + 1, N, A], zero where an episode begins."""

    beliefs: Belief
    logits: jax.Array
    embedded: jax.Array
    action: jax.Array
