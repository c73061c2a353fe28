"""The weights, the state and the metrics of an implicit world model."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Metric, static, struct
from umwelt.networks import layers, policies
from umwelt.networks.form import Form
from umwelt.networks.layers import Bundle, Stack

CONSISTENCY = Metric(
    name="model_loss", unit="squared latent", meaning="mean squared error of the latents imagined along a sequence", better="down"
)
REWARD_LOSS = Metric(name="reward_loss", unit="nats", meaning="cross entropy of the predicted rewards", better="down")
VALUE_LOSS = Metric(name="value_loss", unit="nats", meaning="cross entropy of the values with their targets", better="down")
VALUE = Metric(name="value", unit="reward", meaning="mean of the value targets", better="up")
IMITATION = Metric(
    name="imitation_loss", unit="nats", meaning="minus the log density of the actions that the policy imitates", better="down"
)
ENTROPY = Metric(name="policy_entropy", unit="nats", meaning="entropy of the policy, estimated by one draw", better="")


@struct
class Weights:
    """Stacks over observations or latents z; bundles over latents and actions (z, a). `onward` is the dynamics, and the
    outcome: the reward's logits, and the logit that the episode continues. `values` has one stack for each member."""

    encoder: Stack
    onward: Bundle
    values: Bundle
    policy: Stack


@struct
class ImplicitState:
    """weights; target: the target network of the values; optimiser, policy_optimiser: Optax's.

    range: float32 [], the spread of the values, by which the policy's gain is divided.
    spread: float32 [], the variance of the latents, by which surprise is divided.
    """

    weights: Weights
    target: Bundle
    optimiser: Any
    policy_optimiser: Any
    range: jax.Array
    spread: jax.Array
    observation_form: Form = static()
    policy: policies.Policy = static()


def beginning(onward: Bundle) -> Bundle:
    """Normalise the outputs of the dynamics, and begin the last weights of the outcome at zero. A model without data
    expects no reward, and no end, which is rare; or a planner would count on an end to bad times."""
    dynamics, (*hidden, last) = onward.rest
    outcome = (*hidden, dataclasses.replace(last, weight=jnp.zeros_like(last.weight), bias=last.bias.at[-1].set(6.0)))
    return dataclasses.replace(onward, rest=(layers.ended_normed(dynamics), outcome))


def without_policy(weights: Weights) -> Weights:
    """Leave out the policy, which has a gradient of its own."""
    return dataclasses.replace(weights, policy=())
