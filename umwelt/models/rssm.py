"""A recurrent state-space model with discrete latents.

"Mastering diverse domains through world models" (DreamerV3, 2023). What is certain about the past is
carried by a gated recurrent unit, what is not by a few categorical draws. It learns to guess the
draws before it sees, to decode what was seen, the reward, and whether the episode goes on.

Where we differ: sequences begin without a past, as after a FIRST step, of which there may be more in them; one
dense recurrent layer stands for the block-diagonal one, and Adam for LaProp.
"""

import dataclasses
from typing import Any, Literal

import jax
import jax.numpy as jnp
import optax

from umwelt.core import (
    DOUBT,
    SURPRISE,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    keys,
    part,
    select,
    static,
    struct,
)
from umwelt.models import eyes, grasp
from umwelt.models.sequences import mean
from umwelt.networks import layers
from umwelt.networks.form import Form, form, numbers
from umwelt.networks.layers import Layer, Stack
from umwelt.networks.protected import Protection, protected
from umwelt.networks.twohot import Bins

LOSS = Metric(name="model_loss", unit="nats", meaning="weighted sum of the losses below", better="down")
DECODED = Metric(
    name="decoder_loss", unit="squared symlog units", meaning="error of the decoded observation, summed over it", better="down"
)
GRASPED = Metric(
    name="grasp_loss", unit="nats", meaning="what embeddings miss of actions, and beliefs of the value to come", better="down"
)
REWARD = Metric(name="reward_loss", unit="nats", meaning="cross entropy of the predicted rewards", better="down")
GUESSED = Metric(name="latent_loss", unit="nats", meaning="divergence of the draws from what was guessed of them", better="down")


@struct
class Belief:
    """certain: float32 [N, D], the recurrent state. drawn: float32 [N, G, C], one choice in each group."""

    certain: jax.Array
    drawn: jax.Array


@struct
class Weights:
    """Stacks and layers. encoder is that of `eyes`; decoder too, or the weights of `grasp`."""

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
    seen: Form = static()
    done: Form = static()


@part
class Rssm:
    """Recurrent, with discrete draws. Vectors and 64 x 64 pictures as observations."""

    certain: int = 256
    """Numbers of the recurrent state."""
    groups: int = 16
    """Categorical draws of a latent."""
    choices: int = 16
    """Choices of each draw."""
    units: int = 256
    """Width of the hidden layers."""
    depth: int = 16
    """Channels of the first convolution, where there are pictures."""
    fold: int = 1
    """Side of the squares of pixels that are made channels before the convolutions: 1, 2, 4 or 8."""
    bins: Bins = Bins(low=-12.0, high=12.0, count=61)
    """The bins of rewards."""
    uniform: float = 0.01
    """Share of every categorical that is even, so that none becomes certain."""
    free: float = 1.0
    """Nats of divergence below which guessing is good enough."""
    guess_weight: float = 1.0
    """Weight of the prior's pull towards the posterior."""
    draw_weight: float = 0.1
    """Weight of the posterior's pull towards the prior."""
    tells: Literal["observation", "value and action"] = "observation"
    """What a belief has to tell: what was seen, or without any decoder the value of what is to come, where two
    looks have to tell the action between them."""
    discount: float = 0.99
    """Worth of the next step in that value, in units of this one."""
    balance: Literal["fixed", "harmony"] = "fixed"
    """Weights of decoder, reward and latent losses: as they are, or learned so that each weighs alike."""
    learning_rate: float = 4e-4
    """Step size of Adam."""
    clip: float = 100.0
    """Largest norm of a gradient."""
    protection: Protection | None = None
    """Who keeps the weights near to what they were, such as `umwelt.retention.Elastic()`."""

    diet = "replay"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What `observe` and `learn` report."""
        return (SURPRISE, DOUBT, LOSS, DECODED if self.decodes else GRASPED, REWARD, GUESSED)

    @property
    def decodes(self) -> bool:
        """True where a belief tells observations."""
        if self.tells not in ("observation", "value and action"):
            raise ValueError(f"tells={self.tells!r}: it is 'observation' or 'value and action'")
        return self.tells == "observation"

    def init(self, key: jax.Array, spec: WorldSpec) -> RssmState:
        """A model that expects no reward and no end."""
        seen, done = eyes.seeing(spec.observation), form(spec.action)
        named = keys.split(key, "encoder", "decoder", "joined", "gates", "prior", "posterior", "reward", "continues")
        draws, state = self.groups * self.choices, self.certain + self.groups * self.choices
        encoder, embedded = eyes.encoder(named[0], seen, self.units, self.depth, self.fold)
        ends = layers.stack(named[7], (state, self.units, 1), scale=0.0)
        # Ends are rare: who has seen none expects none, or a dreamer would count on an end to bad times.
        ends = (*ends[:-1], dataclasses.replace(ends[-1], bias=ends[-1].bias + 6.0))
        weights = Weights(
            encoder=encoder,
            decoder=eyes.decoder(named[1], seen, state, self.units, self.depth, self.fold)
            if self.decodes
            else grasp.init(named[1], state, embedded, self.units, self.bins, done),
            joined=layers.layer(named[2], draws + done.bounds[0].size, self.units, normed=True),
            gates=layers.layer(named[3], self.units + self.certain, 3 * self.certain, normed=True),
            prior=layers.stack(named[4], (self.certain, self.units, draws)),
            posterior=layers.stack(named[5], (self.certain + embedded, self.units, draws)),
            reward=layers.stack(named[6], (state, self.units, self.bins.count), scale=0.0),
            continues=ends,
        )
        balance = jnp.zeros(3, jnp.float32)
        return RssmState(
            weights=weights, balance=balance, optimiser=self._optimiser().init((weights, balance)), seen=seen, done=done
        )

    def start(self, state: RssmState, batch: int) -> Belief:
        """Nothing is certain, nothing drawn."""
        drawn = jnp.zeros((batch, self.groups, self.choices), jnp.float32)
        return Belief(certain=jnp.zeros((batch, self.certain), jnp.float32), drawn=drawn)

    def observe(self, key: jax.Array, state: RssmState, belief: Belief, action: Any, step: TimeStep) -> tuple[Belief, Info]:
        """Draw what was seen. Surprise is the divergence, in nats, of the draws from what was guessed of
        them. Doubt is zero: `Doubted` gives one."""
        weights, rows = state.weights, step.kind.shape[0]
        flat = jnp.where(step.first[:, None], 0.0, state.done.units(action))
        certain = self._onward(weights, select(step.first, self.start(state, rows), belief), flat)
        logits = self._seen(weights, certain, eyes.look(weights.encoder, state.seen, step.observation))
        surprise = _divergence(logits, self._guess(weights, certain))
        nothing = jnp.where(step.first, jnp.nan, jnp.zeros_like(surprise))
        return Belief(certain=certain, drawn=_draw(key, logits)), {"surprise": surprise + nothing, "doubt": nothing}

    def imagine(self, key: jax.Array, state: RssmState, belief: Belief, action: Any) -> tuple[Belief, Prediction]:
        """Draw what is guessed. Where nobody reads the observation, the compiler leaves the decoder out."""
        weights = state.weights
        certain = self._onward(weights, belief, state.done.units(action))
        after = Belief(certain=certain, drawn=_draw(key, self._guess(weights, certain)))
        inner = numbers(after)
        return after, Prediction(
            observation=eyes.imagined(weights.decoder, state.seen, inner) if self.decodes else None,
            reward=self.bins.mean(layers.apply(weights.reward, inner, jax.nn.silu)),
            continues=jax.nn.sigmoid(layers.apply(weights.continues, inner, jax.nn.silu)[:, 0]),
            doubt=jnp.zeros(inner.shape[0], jnp.float32),
        )

    def learn(self, key: jax.Array, state: RssmState, experience: Experience) -> tuple[RssmState, Info]:
        """One update from sequences [N, L] (or transitions [N]), also across episodes: each begins anew at its FIRST
        step. Sequences of nothing but seams weigh nothing."""
        if experience.origin.ndim == 1:
            experience = jax.tree.map(lambda leaf: leaf[:, None], experience)
        used = jnp.any(experience.valid, axis=1)
        turned = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), experience)
        valid = turned.valid

        def kept(leaf: jax.Array) -> jax.Array:
            return jnp.where(used.reshape(1, -1, *(1,) * (leaf.ndim - 2)), leaf, 0).astype(leaf.dtype)

        turned = jax.tree.map(kept, turned)
        learned = (state.weights, state.balance)

        def slope(learned: Any) -> tuple[Any, Info]:
            return jax.grad(self._loss, has_aux=True)(learned, key, state, turned, valid)

        gradient, info = slope(learned)
        update, optimiser = self._optimiser().update(gradient, state.optimiser, learned, slope=lambda at: slope(at)[0])
        weights, balance = optax.apply_updates(learned, update)
        after = dataclasses.replace(state, weights=weights, balance=balance, optimiser=optimiser)
        return jax.tree.map(lambda new, old: jnp.where(jnp.any(used), new, old), after, state), info

    def _loss(self, both: Any, key: jax.Array, state: RssmState, turned: Experience, valid: jax.Array) -> tuple[jax.Array, Info]:
        """turned: experience [L, N]; valid: bool [L, N], False at seams. The total, and the metrics."""
        weights, balance = both
        length, number = turned.origin.shape
        seen = jax.tree.map(lambda one, rest: jnp.concatenate([one[:1], rest]), turned.step.observation, turned.next.observation)
        rows = (length + 1) * number
        every = jax.tree.map(lambda leaf: leaf.reshape(rows, *leaf.shape[2:]), seen)
        embedded = eyes.look(weights.encoder, state.seen, every).reshape(length + 1, number, -1)
        action = state.done.units(jax.tree.map(lambda leaf: leaf.reshape(length * number, *leaf.shape[2:]), turned.action))
        action = action.reshape(length, number, -1)
        action = jnp.concatenate([jnp.zeros_like(action[:1]), action])
        begins = jnp.concatenate([jnp.ones((1, number), bool), turned.next.first])
        action = jnp.where(begins[..., None], 0.0, action)
        unknown = self.start(state, number)

        def tick(belief: Belief, moment: tuple[jax.Array, jax.Array, jax.Array, jax.Array]) -> tuple[Belief, Any]:
            draw, begins, action, embedded = moment
            certain = self._onward(weights, select(begins, unknown, belief), action)
            logits = self._seen(weights, certain, embedded)
            after = Belief(certain=certain, drawn=_draw(draw, logits))
            return after, (after, logits)

        draws = jax.random.split(key, length + 1)
        _, (beliefs, logits) = jax.lax.scan(tick, unknown, (draws, begins, action, embedded))
        beliefs, logits = jax.tree.map(lambda leaf: leaf.reshape(rows, *leaf.shape[2:]), (beliefs, logits))
        inner, guess = numbers(beliefs), self._guess(weights, beliefs.certain)
        guessing = jnp.maximum(_divergence(jax.lax.stop_gradient(logits), guess), self.free)
        drawing = jnp.maximum(_divergence(logits, jax.lax.stop_gradient(guess)), self.free)
        later = inner[number:]
        rewards, ends = jnp.where(valid, turned.next.reward, 0.0), turned.next.terminated.astype(jnp.float32)
        reward = self.bins.loss(layers.apply(weights.reward, later, jax.nn.silu), rewards.reshape(-1))
        goes_on = layers.apply(weights.continues, later, jax.nn.silu)[:, 0]
        # a seam leads to a moment that was seen, what broke does not
        seen_after = jnp.any(valid, axis=0) & (valid | turned.next.first)
        moments = jnp.concatenate([jnp.any(valid, axis=0)[None], seen_after])
        if self.decodes:
            told = mean(eyes.error(weights.decoder, state.seen, inner, every), moments)
        else:
            told = grasp.loss(
                weights.decoder, self.bins, self.discount, state.done, inner, embedded, action[1:], rewards, ends, valid
            )
        latent = self.guess_weight * mean(guessing, moments) + self.draw_weight * mean(drawing, moments)
        losses = jnp.stack([told, mean(reward, valid), latent])
        if self.balance == "harmony":
            # each loss over its own learned scale, which is kept from shrinking by log(1 + scale)
            total = jnp.sum(losses * jnp.exp(-balance) + jnp.log1p(jnp.exp(balance)))
        else:
            total = jnp.sum(losses)
        total = total + mean(optax.sigmoid_binary_cross_entropy(goes_on, 1.0 - ends.reshape(-1)), valid)
        name = "decoder_loss" if self.decodes else "grasp_loss"
        return total, {"model_loss": total, name: losses[0], "reward_loss": losses[1], "latent_loss": mean(guessing, moments)}

    def _onward(self, weights: Weights, belief: Belief, action: jax.Array) -> jax.Array:
        """The next recurrent state [N, D] from a belief and actions in units [N, A]."""
        drawn = belief.drawn.reshape(belief.drawn.shape[0], -1)
        inputs = jnp.concatenate([drawn, action], axis=-1)
        inputs = layers.activated(weights.joined, inputs @ weights.joined.weight, jax.nn.silu)
        inputs = jnp.concatenate([inputs, belief.certain], axis=-1)
        gates = layers.finished(weights.gates, inputs @ weights.gates.weight)
        reset, candidate, update = jnp.split(gates, 3, axis=-1)
        candidate = jnp.tanh(jax.nn.sigmoid(reset) * candidate)
        # a recurrent state begins by keeping what it has
        update = jax.nn.sigmoid(update - 1.0)
        return update * candidate + (1.0 - update) * belief.certain

    def _guess(self, weights: Weights, certain: jax.Array) -> jax.Array:
        """Log probabilities [N, G, C] of the draws, before anything is seen."""
        return self._logits(layers.apply(weights.prior, certain, jax.nn.silu))

    def _seen(self, weights: Weights, certain: jax.Array, embedded: jax.Array) -> jax.Array:
        """Log probabilities [N, G, C] of the draws, after something is seen."""
        return self._logits(layers.apply(weights.posterior, jnp.concatenate([certain, embedded], axis=-1), jax.nn.silu))

    def _logits(self, raw: jax.Array) -> jax.Array:
        chance = jax.nn.softmax(raw.reshape(*raw.shape[:-1], self.groups, self.choices), axis=-1)
        return jnp.log((1.0 - self.uniform) * chance + self.uniform / self.choices)

    def _optimiser(self) -> optax.GradientTransformation:
        optimiser = optax.chain(optax.clip_by_global_norm(self.clip), optax.adam(self.learning_rate))
        return protected(self.protection, optimiser)


def _draw(key: jax.Array, logits: jax.Array) -> jax.Array:
    """One-hot draws [N, G, C], through which gradients pass as if they were the probabilities."""
    drawn = jax.nn.one_hot(jax.random.categorical(key, logits), logits.shape[-1], dtype=jnp.float32)
    chance = jnp.exp(logits)
    return drawn + chance - jax.lax.stop_gradient(chance)


def _divergence(one: jax.Array, other: jax.Array) -> jax.Array:
    """Kullback-Leibler, in nats, of log probabilities [N, G, C]: float32 [N]."""
    return jnp.sum(jnp.exp(one) * (one - other), axis=(-2, -1))
