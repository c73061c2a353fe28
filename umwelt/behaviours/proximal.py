"""Proximal policy optimisation: several passes over a rollout, as far as the policy may move from the one that made it.

"Proximal policy optimization algorithms" (2017), with generalised advantages ("High-dimensional continuous control using
generalized advantage estimation", 2016). Values are learned in units of their own running deviation, so that one step
size fits worlds whose returns differ a thousandfold.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import ENTROPY, VALUE, VALUE_LOSS, mean
from umwelt.behaviours.on_policy import Rollout, turns
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import actors, layers, policies, scale
from umwelt.networks.actors import Actor
from umwelt.networks.beta import Beta
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import Protection, optimiser, stepped
from umwelt.networks.returns import advantages
from umwelt.networks.scale import Scale

CLIPPED = Metric(name="clipped", unit="share", meaning="moments whose likelihood ratio was outside the bounds, in the last pass")
MOVED = Metric(name="policy_change", unit="nats", meaning="divergence of the policy from the one that acted, in the last pass")
HORIZON = 1e5
"""Moments over which the unit of values is averaged."""


@struct
class PpoState:
    """policy: an actor. value: a stack with an output for each group of rewards, in units of `worth`. worth: the scale of
    returns. optimiser: Optax's, of both. prior: an actor that the policy is kept near to; None where there is none.
    rounds: int32 []."""

    policy: Actor
    value: Stack
    worth: Scale
    optimiser: Any
    rounds: jax.Array
    prior: Any = None
    acts: actors.Acts = static()


@part
class PPO:
    """A policy with a fixed spread, a Beta or a categorical, and a value; a `RolloutLearner`."""

    units: int = 64
    """Width of the two hidden layers."""
    learning_rate: float = 3e-4
    """Step size of Adam."""
    discount: float = 0.99
    """Worth of the next step in units of this one (gamma)."""
    lambda_: float = 0.95
    """Decay of generalised advantages."""
    cut: float = 0.2
    """How far the likelihood of an action may move, as a ratio, before its gradient is cut."""
    epochs: int = 4
    """Passes over a rollout."""
    pieces: int = 4
    """Batches of one pass."""
    entropy: float = 0.0
    """Weight of the policy's entropy."""
    valued: float = 0.5
    """Weight of the value's error."""
    clip: float = 0.5
    """The largest norm of a gradient."""
    prior_weight: float = 0.0
    """Weight of the divergence from the prior, the policy as it was when the first round began."""
    prior_decay: float = 0.9995
    """What that weight is multiplied by in each round."""
    groups: tuple[float, ...] = ()
    """Weights of the groups of rewards that `OnPolicy(rewards=...)` makes. Each has a value and standard advantages of its own;
    empty for one reward."""
    bounded: bool = False
    """Draw actions of a Box from Beta distributions, which never leave it, in place of normals that are cut."""
    protection: Protection | None = None
    """What keeps policy and value near to what they were, such as `umwelt.retention.Elastic()`."""

    metrics = (VALUE, VALUE_LOSS, ENTROPY, CLIPPED, MOVED)
    cites = ("ppo_2017", "gae_2016")

    def init(self, key: jax.Array, width: int, action: Any, facts: int = 0) -> PpoState:
        """Begin in the middle of the action space. facts: the width of `Rollout.facts`, 0 where there are none."""
        for_policy, for_value = keys.split(key, "policy", "value")
        acts = policies.over(action)
        if self.bounded and isinstance(acts, policies.Gaussian):
            acts = Beta(scaled=acts)
        policy, number = actors.actor(for_policy, width, acts, self.units), max(len(self.groups), 1)
        value = layers.even(for_value, layers.stack(for_value, (facts or width, self.units, self.units, number), normed=False))
        return PpoState(
            policy=policy,
            value=value,
            worth=scale.unit(number),
            optimiser=self._optimiser().init((policy, value)),
            rounds=jnp.int32(0),
            prior=jax.tree.map(jnp.copy, policy) if self.prior_weight else None,
            acts=acts,
        )

    def act(
        self, key: jax.Array, state: PpoState, features: jax.Array, mode: Mode, open: jax.Array | None = None
    ) -> tuple[Any, Any, jax.Array]:
        """Draw from the policy; take its best action in a probe."""
        if mode == "exploit":
            unit = actors.best(state.policy, state.acts, features, open)
        else:
            unit = actors.draw(key, state.policy, state.acts, features, open)
        return actors.action(state.acts, unit), unit, actors.log_prob(state.policy, state.acts, features, unit, open)

    def values(self, state: PpoState, features: jax.Array) -> jax.Array:
        """Value features [..., F], in reward: float32 [...], or [..., G] of G groups."""
        flat = layers.apply(state.value, features.reshape(-1, features.shape[-1]), jnp.tanh)
        found = (state.worth.mean + state.worth.deviation * flat).reshape(*features.shape[:-1], -1)
        return found if self.groups else found[..., 0]

    def advantages(self, state: PpoState, rollout: Rollout) -> tuple[jax.Array, jax.Array]:
        """Generalised advantages and the returns that they imply, float32 [T, B], or [T, B, G]."""
        seen = (rollout.now, rollout.after) if rollout.facts is None else rollout.facts
        now, after = self.values(state, seen[0]), self.values(state, seen[1])
        goes_on, carry = self.discount * (1.0 - rollout.terminated), self.discount * self.lambda_ * ~rollout.last
        if self.groups:
            goes_on, carry = goes_on[..., None], carry[..., None]
        found = advantages(rollout.reward + goes_on * after - now, jnp.broadcast_to(carry, now.shape))
        return found, found + now

    def learn(self, key: jax.Array, state: PpoState, rollout: Rollout) -> tuple[PpoState, Info]:
        """Pass over the rollout several times."""
        found = (rollout, *self.advantages(state, rollout))
        return self.improved(key, state, *jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), found))

    def improved(
        self, key: jax.Array, state: PpoState, flat: Rollout, advantage: jax.Array, returns: jax.Array
    ) -> tuple[PpoState, Info]:
        """Pass over rows [N] several times, with their advantages and returns [N] or [N, G]. A row whose return is NaN teaches
        the policy alone."""
        found, weight = self._known(flat.weight, returns)
        worth = scale.update(state.worth, found, weight, HORIZON)
        begun = replace(state, worth=worth)
        if self.prior_weight:
            first = state.rounds == 0
            begun = replace(begun, prior=jax.tree.map(lambda new, old: jnp.where(first, new, old), state.policy, state.prior))

        def update(state: PpoState, chosen: jax.Array) -> tuple[PpoState, Info]:
            rows = jax.tree.map(lambda leaf: leaf[chosen], flat)
            return self.stepped(state, rows, advantage[chosen], returns[chosen])

        order = turns(key, flat.weight.shape[0], self.epochs, self.pieces)
        after, infos = jax.lax.scan(update, begun, order)
        after = replace(after, rounds=state.rounds + 1)
        some = jnp.any(flat.weight > 0)
        after = jax.tree.map(lambda new, old: jnp.where(some, new, old), after, state)
        return after, {name: value[-1] for name, value in infos.items()}

    def stepped(self, state: PpoState, rows: Rollout, advantage: jax.Array, returns: jax.Array) -> tuple[PpoState, Info]:
        """Update once from rows [N] with their advantages and returns, [N] or [N, G]."""
        share = (rows.weight / jnp.maximum(jnp.sum(rows.weight), 1.0))[:, None]
        returns, known = self._known(rows.weight, returns)
        advantage, known = advantage.reshape(advantage.shape[0], -1), (known / jnp.maximum(jnp.sum(known), 1.0))[:, None]
        apart = advantage - jnp.sum(share * advantage, axis=0)
        apart = apart / (jnp.sqrt(jnp.sum(share * apart**2, axis=0)) + 1e-8)
        standard = apart @ jnp.asarray(self.groups or (1.0,), jnp.float32)
        target = (returns - state.worth.mean) / state.worth.deviation
        seen = rows.now if rows.facts is None else rows.facts[0]

        def miss(both: tuple[Actor, Stack]) -> tuple[jax.Array, Info]:
            policy, value = both
            likely = actors.log_prob(policy, state.acts, rows.now, rows.unit, rows.open)
            ratio = jnp.exp(likely - rows.log_prob)
            better = jnp.minimum(ratio * standard, jnp.clip(ratio, 1.0 - self.cut, 1.0 + self.cut) * standard)
            error = jnp.sum(known * (layers.apply(value, seen, jnp.tanh) - target) ** 2, axis=0)
            spread = actors.entropy(policy, state.acts, rows.now, rows.open)
            loss = -mean(better, rows.weight) + 0.5 * self.valued * jnp.sum(error) - self.entropy * mean(spread, rows.weight)
            if self.prior_weight:
                apart = actors.divergence(policy, state.prior, state.acts, rows.now, rows.open)
                loss += self.prior_weight * self.prior_decay**state.rounds * mean(apart, rows.weight)
            found = {
                "value_loss": jnp.sum(error * state.worth.variance),
                "policy_entropy": mean(spread, rows.weight),
                "clipped": mean((jnp.abs(ratio - 1.0) > self.cut).astype(jnp.float32), rows.weight),
                # the estimate (r - 1) - log r is never negative
                "policy_change": mean(ratio - 1.0 - (likely - rows.log_prob), rows.weight),
            }
            return loss, found

        both = (state.policy, state.value)
        gradient, info = jax.grad(miss, has_aux=True)(both)
        slope = lambda at: jax.grad(miss, has_aux=True)(at)[0]  # noqa: E731
        (policy, value), optimised = stepped(self._optimiser(), gradient, state.optimiser, both, slope)
        info["value"] = jnp.sum(known * returns)
        return replace(state, policy=policy, value=value, optimiser=optimised), info

    def _known(self, weight: jax.Array, returns: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns [N, G] with zeros for those that are not known, and the weight [N] of those that are."""
        flat = returns.reshape(returns.shape[0], -1)
        known = jnp.isfinite(flat).all(axis=1)
        return jnp.where(known[:, None], flat, 0.0), weight * known

    def _optimiser(self) -> Any:
        return optimiser(self.learning_rate, clip=self.clip, protection=self.protection, epsilon=1e-5)
