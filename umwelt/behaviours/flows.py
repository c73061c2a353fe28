"""Generative flows: build an object step by step, as often as its reward is large.

A state is given a flow, and the policy shares it out; where flows in and out agree everywhere, objects are drawn in
proportion to e to the power of their return. "Better training of GFlowNets with local credit and incomplete trajectories"
(2023) lets the flow forget what was already earned on the way, so that each step carries its own credit ("forward").
"detailed" balances flows that hold the whole reward (2021), and "trajectory" whole episodes at once (2022).
"""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import mean
from umwelt.behaviours.on_policy import Rollout
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import layers, policies
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped

BALANCE = Metric(
    name="flow_error", unit="squared nats", meaning="mean squared imbalance of flows, before the update", better="down"
)


@struct
class FlowsState:
    """network: [F] -> logits of choices, and the log of the flow. total: float32 [], log of the whole flow. optimiser:
    Optax's, of both."""

    network: Stack
    total: jax.Array
    optimiser: Any
    acts: policies.Choice = static()


@part
class Flows:
    """A policy over choices that draws objects in proportion to e^return; a `RolloutLearner`.

    An object must be reachable in as many orders as it has parts: each order is equally likely when it is taken apart. A
    rollout must hold whole episodes: give `OnPolicy` a horizon of their length and one more, or a multiple of it.
    """

    balance: Literal["forward", "detailed", "trajectory"] = "forward"
    """What has to agree: flows less what was earned, whole flows, or whole episodes."""
    units: int = 64
    """Width of the two hidden layers."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    total_rate: float = 0.1
    """Step size of the log of the whole flow."""
    uniform: float = 0.05
    """The share of choices that are drawn evenly while it learns."""
    discount: float = 1.0
    """Of no effect: a return is the whole of an episode."""
    protection: None = None
    """Of no effect."""

    metrics = (BALANCE,)
    cites = ("forward_looking_gfn_2023", "gflownet_foundations_2023")

    def init(self, key: jax.Array, width: int, action: Any) -> FlowsState:
        """Begin with nearly even choices and flows."""
        acts = policies.over(action)
        if not isinstance(acts, policies.Choice):
            raise ValueError(f"action space {action!r}: Flows builds objects of choices; take a world of one Discrete")
        made = layers.stack(key, (width, self.units, self.units, acts.width + 1), scale=0.1, normed=False)
        total = jnp.zeros(())
        return FlowsState(network=made, total=total, optimiser=self._chains(made, total), acts=acts)

    def act(
        self, key: jax.Array, state: FlowsState, features: jax.Array, mode: Mode, open: jax.Array | None = None
    ) -> tuple[Any, Any, jax.Array]:
        """Draw from the policy, at times evenly; in a probe too it draws, for that is its purpose."""
        logits, _ = self.flows(state.network, features, open)
        drawing, mixing, choosing = keys.split(key, "draw", "mix", "even")
        drawn = jax.random.categorical(drawing, logits).astype(jnp.int32)
        if mode != "exploit":
            even = jax.random.categorical(choosing, jnp.where(logits > policies.CLOSED / 2, 0.0, policies.CLOSED))
            drawn = jnp.where(jax.random.uniform(mixing, drawn.shape) < self.uniform, even.astype(jnp.int32), drawn)
        return drawn, drawn, state.acts.log_prob(logits, drawn)

    def learn(self, key: jax.Array, state: FlowsState, rollout: Rollout) -> tuple[FlowsState, Info]:
        """Balance the flows of a rollout once."""

        def miss(both: tuple[Stack, jax.Array]) -> jax.Array:
            network, total = both
            return self.imbalance(replace(state, network=network, total=total), rollout)

        both = (state.network, state.total)
        loss, gradient = jax.value_and_grad(miss)(both)
        network, of_network = stepped(optimiser(self.learning_rate), gradient[0], state.optimiser[0], state.network)
        total, of_total = stepped(optimiser(self.total_rate), gradient[1], state.optimiser[1], state.total)
        return replace(state, network=network, total=total, optimiser=(of_network, of_total)), {"flow_error": loss}

    def imbalance(self, state: FlowsState, rollout: Rollout) -> jax.Array:
        """The mean squared imbalance of a rollout: float32 []."""
        shape, width = rollout.weight.shape, rollout.now.shape[-1]
        open = None if rollout.open is None else rollout.open.reshape(-1, rollout.open.shape[-1])
        logits, flow = self.flows(state.network, rollout.now.reshape(-1, width), open)
        forward = state.acts.log_prob(logits, rollout.unit.reshape(-1)).reshape(shape)
        _, later = self.flows(state.network, rollout.after.reshape(-1, width), None)
        flow, later = flow.reshape(shape), later.reshape(shape)
        first = jnp.concatenate([jnp.ones_like(rollout.last[:1]), rollout.last[:-1] | (rollout.weight[:-1] <= 0)])
        earned, steps = _since(first, rollout.reward), _since(first, jnp.ones(shape))
        # an object of m parts can be taken apart in m ways
        backward = -jnp.log(jnp.maximum(steps, 1.0))
        if self.balance == "trajectory":
            whole = state.total + _since(first, forward - backward) - earned
            return mean(whole**2, rollout.weight * rollout.terminated)
        if self.balance == "detailed":
            later = jnp.where(rollout.terminated, earned, later)
            return mean((flow + forward - later - backward) ** 2, rollout.weight)
        later = jnp.where(rollout.terminated, 0.0, later)
        return mean((flow + forward - later - backward - rollout.reward) ** 2, rollout.weight)

    def flows(self, network: Stack, features: jax.Array, open: jax.Array | None) -> tuple[jax.Array, jax.Array]:
        """Log probabilities [N, n] of choices, and the log of the flow [N]."""
        found = layers.apply(network, features, jax.nn.relu)
        return jax.nn.log_softmax(policies.masked(found[:, :-1], open), axis=-1), found[:, -1]

    def _chains(self, network: Stack, total: jax.Array) -> tuple[Any, Any]:
        return optimiser(self.learning_rate).init(network), optimiser(self.total_rate).init(total)


def _since(first: jax.Array, values: jax.Array) -> jax.Array:
    """Sums of values [T, B] since the last `first`, each with its own moment."""

    def on(total: jax.Array, moment: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        first, value = moment
        total = jnp.where(first, 0.0, total) + value
        return total, total

    return jax.lax.scan(on, jnp.zeros_like(values[0]), (first, values))[1]
