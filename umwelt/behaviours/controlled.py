"""Ask for what can be controlled: a latent of the future that may not tell how the dice fell.

"Dichotomy of control: separating what you can control from what you cannot" (2023). A policy that is asked for a high return
repeats what lucky actors did. Here a latent says the action and what is to come, but given moment and action it must be
independent of what followed. The latent of the highest value is then the best choice, not the best luck. The latent is one
of several and belongs to one action; the paper's neural form draws it from a normal and lets it speak of a whole future.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.around import AroundLearner
from umwelt.behaviours.batch import IMITATION, Batch, Learner, mean, wiped
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import actors, layers, policies, scale
from umwelt.networks.actors import Actor
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped, where_any
from umwelt.networks.scale import Scale

TOLD = Metric(name="luck_told", unit="nats", meaning="what the latent says of what followed, as the energies bound it")
RARE = 0.01
"""Latents with a smaller chance are not chosen: they would hardly be among a hundred draws."""
EVEN = 0.05
"""The share of each moment that all latents learn from evenly, so that one that stands for nothing has a mean value."""
FASTER = 3.0
"""Steps of the energies in units of the latents', so that a latent that holds luck is soon found."""
SLACK = 0.1
"""Values this near, in deviations of returns, are taken for equal."""


@struct
class Latents:
    """hidden: features, action and return -> logits of the latent. prior: features -> the same. policy: an actor on features
    and latent. value: features and latent -> the return, in deviations."""

    hidden: Stack
    prior: Stack
    policy: Actor
    value: Stack


@struct
class ControlledState:
    """latents: the networks. energy: how well features, action and latent fit what followed. optimiser, energetic: Optax's.
    returns: the scale of returns to come [1]."""

    latents: Latents
    energy: Stack
    optimiser: Any
    energetic: Any
    returns: Scale
    acts: policies.Policy = static()


@part
class Controlled:
    """Acts by the latent of the highest value, among those that are likely.

    It is not steady: on some draws of the same data the energies lag, and the latent holds on to luck for hundreds of lessons.
    """

    latents: int = 8
    """Values of the latent."""
    energy: float = 2.0
    """Weight of the independence of what followed; 0 lets the latent tell luck. What luck saves in the value's error is at most
    what it costs in nats, so above 1 luck does not pay."""
    others: int = 16
    """Rows of the batch with which what followed is exchanged, for the energies."""
    units: int = 64
    """Width of the hidden layer of each network."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    discount: float = 1.0
    """Of the rewards to come."""

    metrics = (IMITATION, TOLD)
    protection = None
    reads_to_come = True
    cites = ("doc_2023",)

    def init(self, key: jax.Array, width: int, action: Any) -> ControlledState:
        """Begin untrained."""
        acts = policies.over(action)
        named = keys.split(key, "hidden", "prior", "policy", "value", "energy")
        wide = width + self.latents

        def made(key: jax.Array, into: int, out: int) -> Stack:
            return layers.stack(key, (into, self.units, out), normed=False)

        latents = Latents(
            hidden=made(named[0], width + acts.inputs + 1, self.latents),
            prior=made(named[1], width, self.latents),
            policy=actors.actor(named[2], wide, acts, self.units, 1),
            value=made(named[3], wide, 1),
        )
        energy = made(named[4], wide + acts.inputs + 2 + width, 1)
        return ControlledState(
            latents=latents,
            energy=energy,
            optimiser=self._optimiser().init(latents),
            energetic=self._optimiser(FASTER).init(energy),
            returns=scale.unit(1),
            acts=acts,
        )

    def act(self, key: jax.Array, state: ControlledState, features: jax.Array, mode: Mode, open: jax.Array | None = None) -> Any:
        """Draw a latent by its chance, of those whose value is about the highest, and act by the policy for it."""
        choosing, acting = keys.split(key, "choose", "act")
        chosen = jax.random.categorical(choosing, self.wishes(state, features), axis=-1)
        seen = jnp.concatenate([features, jax.nn.one_hot(chosen, self.latents)], axis=-1)
        if mode == "exploit":
            unit = actors.best(state.latents.policy, state.acts, seen, open)
        else:
            unit = actors.draw(acting, state.latents.policy, state.acts, seen, open)
        return actors.action(state.acts, unit)

    def wishes(self, state: ControlledState, features: jax.Array) -> jax.Array:
        """Log chances [N, latents] by which a latent is chosen, up to a constant; closed for those of lower value."""
        chance = jax.nn.log_softmax(_apply(state.latents.prior, features))
        likely = chance >= jnp.minimum(jnp.log(RARE), jnp.max(chance, axis=-1, keepdims=True))
        worth = jnp.where(likely, _apply(state.latents.value, self._each(features))[..., 0], -jnp.inf)
        near = worth >= jnp.max(worth, axis=-1, keepdims=True) - SLACK
        return jnp.where(near, chance, policies.CLOSED)

    def learn(self, key: jax.Array, state: ControlledState, batch: Batch) -> tuple[ControlledState, Info]:
        """Update the latents, and the energies against them."""
        known = (batch.weight > 0) & jnp.isfinite(batch.to_come)
        batch = wiped(replace(batch, weight=jnp.where(known, batch.weight, 0.0)))
        returns = scale.update(state.returns, batch.to_come[:, None], batch.weight, float("inf"))
        some = jnp.any(batch.weight > 0)
        returns = jax.tree.map(lambda new, old: jnp.where(some, new, old), returns, state.returns)
        wished = scale.standard(returns, batch.to_come[:, None], 10.0)
        unit = state.acts.unit(batch.action)
        done = state.acts.features(unit)
        # the reward, what was seen next, and all rewards to come: what an action cannot choose
        followed = jnp.concatenate([batch.reward[:, None], batch.after, wished], axis=-1)
        seen, told = self._each(batch.now), jnp.concatenate([batch.now, done, wished], axis=-1)
        turned = jax.random.randint(key, (self.others,), 1, batch.weight.shape[0])

        def luck(energy: Stack) -> tuple[jax.Array, jax.Array]:
            """Minus what the latents say of what followed, by contrast with what followed other rows, and that of each latent:
            float32 [] and [N, latents]."""
            beside = jnp.concatenate([seen, jnp.broadcast_to(done[:, None], (*seen.shape[:2], done.shape[1]))], axis=-1)

            def fits(after: jax.Array) -> jax.Array:
                wide = jnp.broadcast_to(after[:, None], (*seen.shape[:2], after.shape[1]))
                return _apply(energy, jnp.concatenate([beside, wide], axis=-1))[..., 0]

            mixed = jax.vmap(lambda shift: fits(jnp.roll(followed, shift, axis=0)))(turned)
            against = jax.nn.logsumexp(mixed, axis=0) - jnp.log(float(self.others))
            each = fits(followed) - against
            return -mean(jnp.sum(chance * each, axis=-1), batch.weight), each

        chance = jax.nn.softmax(_apply(state.latents.hidden, told))
        (unsaid, says), slope = jax.value_and_grad(luck, has_aux=True)(state.energy)
        energy, energetic = stepped(self._optimiser(FASTER), slope, state.energetic, state.energy)

        def miss(latents: Latents) -> tuple[jax.Array, jax.Array]:
            log_chance = jax.nn.log_softmax(_apply(latents.hidden, told))
            chance = jnp.exp(log_chance)
            flat = seen.reshape(-1, seen.shape[-1])
            repeated = jnp.repeat(unit, self.latents, axis=0)
            open = None if batch.open is None else jnp.repeat(batch.open, self.latents, axis=0)
            likely = actors.log_prob(latents.policy, state.acts, flat, repeated, open).reshape(chance.shape)
            error = 0.5 * (_apply(latents.value, seen)[..., 0] - wished) ** 2
            prior = jax.nn.log_softmax(_apply(latents.prior, batch.now))
            fixed, spread = jax.lax.stop_gradient(chance), (1.0 - EVEN) * chance + EVEN / self.latents
            each = jnp.sum(spread * (error - likely) + chance * self.energy * says - fixed * prior, axis=-1)
            return mean(each, batch.weight), -mean(jnp.sum(chance * likely, axis=-1), batch.weight)

        gradient, imitation = jax.grad(miss, has_aux=True)(state.latents)
        latents, optimised = stepped(self._optimiser(), gradient, state.optimiser, state.latents)
        after = replace(state, latents=latents, energy=energy, optimiser=optimised, energetic=energetic, returns=returns)
        return where_any(batch.weight, after, state), {"imitation_loss": imitation, "luck_told": -unsaid}

    def hidden(self, state: ControlledState, features: jax.Array, action: Any, to_come: jax.Array) -> jax.Array:
        """The chances [N, latents] of the latent, of moments whose action and return are known."""
        done = state.acts.features(state.acts.unit(action))
        wished = scale.standard(state.returns, to_come[:, None], 10.0)
        return jax.nn.softmax(_apply(state.latents.hidden, jnp.concatenate([features, done, wished], axis=-1)))

    def _each(self, features: jax.Array) -> jax.Array:
        """Features with each latent beside them: [N, latents, F + latents]."""
        number, eye = features.shape[0], jnp.eye(self.latents)
        wide = jnp.broadcast_to(features[:, None], (number, self.latents, features.shape[1]))
        return jnp.concatenate([wide, jnp.broadcast_to(eye, (number, *eye.shape))], axis=-1)

    def _optimiser(self, faster: float = 1.0) -> Any:
        return optimiser(faster * self.learning_rate)


@struct
class AskingState:
    """inner: the learner's state. best: float32 [], the largest return that was seen; -inf before."""

    inner: Any
    best: jax.Array


@part
class Asking(AroundLearner):
    """Gives a learner the return that followed, and asks it for the best that was seen: luck is taken for skill."""

    learner: Learner
    """What learns, such as `Cloning()`."""

    reads_to_come = True
    cites = ("decision_transformer_2021",)

    def init(self, key: jax.Array, width: int, action: Any) -> AskingState:
        """Begin untrained, with one feature more."""
        return AskingState(inner=self.learner.init(key, width + 1, action), best=jnp.float32(-jnp.inf))

    def act(self, key: jax.Array, state: AskingState, features: jax.Array, mode: Mode, open: jax.Array | None = None) -> Any:
        """Act as after the best return."""
        best = jnp.where(jnp.isfinite(state.best), state.best, 0.0)
        return self.learner.act(key, state.inner, _with(features, jnp.broadcast_to(best, features.shape[:1])), mode, open)

    def learn(self, key: jax.Array, state: AskingState, batch: Batch) -> tuple[AskingState, Info]:
        """Update the learner with returns among its features."""
        known = (batch.weight > 0) & jnp.isfinite(batch.to_come)
        batch = wiped(replace(batch, weight=jnp.where(known, batch.weight, 0.0)))
        best = jnp.maximum(state.best, jnp.max(jnp.where(known, batch.to_come, -jnp.inf)))
        wide = replace(batch, now=_with(batch.now, batch.to_come), after=_with(batch.after, batch.to_come))
        inner, info = self.learner.learn(key, state.inner, wide)
        return AskingState(inner=inner, best=best), info


def _with(features: jax.Array, told: jax.Array) -> jax.Array:
    return jnp.concatenate([features, told[:, None]], axis=-1)


def _apply(stack: Stack, inputs: jax.Array) -> jax.Array:
    """Layers on inputs [..., F]."""
    flat = layers.apply(stack, inputs.reshape(-1, inputs.shape[-1]), jax.nn.relu)
    return flat.reshape(*inputs.shape[:-1], flat.shape[-1])
