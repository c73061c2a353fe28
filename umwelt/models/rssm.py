"""A recurrent state-space model with discrete latents.

"Mastering diverse domains through world models" (DreamerV3, 2023). A gated recurrent unit carries the deterministic
state, a few categorical variables the rest. The model learns to predict them before it observes, and to decode the
observation, the reward, and whether the episode continues.

Where we differ: sequences begin without a past, as after a FIRST step, of which there may be more in them; one
dense recurrent layer stands for the block-diagonal one, and Adam for LaProp.
"""

import dataclasses
from typing import Any, Literal

import jax
import jax.numpy as jnp
import optax

from umwelt.core import DOUBT, SURPRISE, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, keys, part, select
from umwelt.models import grasp, vision
from umwelt.models.rssm_state import DECODED, GRASPED, LATENT, LOSS, REWARD, Belief, Filtered, RssmState, Weights
from umwelt.models.sequences import mean
from umwelt.networks import layers, optimise
from umwelt.networks.beliefs import usable
from umwelt.networks.form import form, numbers
from umwelt.networks.optimise import Protection
from umwelt.networks.twohot import Bins


@part
class Rssm:
    """Recurrent, with discrete latents. Vectors and 64 x 64 pictures as observations.

    >>> from umwelt.worlds import Pendulum
    >>> model, spec = Rssm(deterministic=32), Pendulum().spec
    >>> belief = jax.eval_shape(lambda key: model.start(model.init(key, spec), 4), jax.random.key(0))
    >>> belief.deterministic.shape  # four rows, 32 numbers
    (4, 32)
    """

    deterministic: int = 256
    """Numbers of the recurrent state."""
    groups: int = 16
    """Categorical variables of a latent."""
    classes: int = 16
    """Classes of each variable."""
    units: int = 256
    """Width of the hidden layers."""
    depth: int = 16
    """Channels of the first convolution, where there are pictures."""
    fold: int = 1
    """Side of the squares of pixels that become channels before the convolutions: 1, 2, 4 or 8."""
    bins: Bins = Bins(low=-12.0, high=12.0, count=61)
    """The bins of rewards."""
    uniform: float = 0.01
    """Share of every categorical that is even, so that no class becomes certain."""
    free_nats: float = 1.0
    """The divergence below which the prior is good enough."""
    dynamics_weight: float = 1.0
    """Weight of the prior's pull towards the posterior (the paper's beta_dyn)."""
    representation_weight: float = 0.1
    """Weight of the posterior's pull towards the prior (the paper's beta_rep)."""
    targets: Literal["observation", "value and action"] = "observation"
    """What trains the latent: the decoded observation; or, without a decoder, the value of a belief and the action
    between two embeddings."""
    discount: float = 0.99
    """Discount of the next step in that value."""
    balance: Literal["fixed", "harmony"] = "fixed"
    """Weights of decoder, reward and latent losses: as they are, or learned so that each weighs alike."""
    learning_rate: float = 4e-4
    """Step size of Adam."""
    clip: float = 100.0
    """Largest norm of a gradient."""
    protection: Protection | None = None
    """Keeps the weights near to what they were, such as `umwelt.retention.Elastic()`."""

    cites = ("dreamer_v3_2023",)
    diet = "replay"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What `observe` and `learn` report."""
        return (SURPRISE, DOUBT, LOSS, DECODED if self.decodes else GRASPED, REWARD, LATENT)

    @property
    def decodes(self) -> bool:
        """True where a belief decodes observations."""
        if self.targets not in ("observation", "value and action"):
            raise ValueError(f"targets={self.targets!r}: it is 'observation' or 'value and action'")
        return self.targets == "observation"

    def init(self, key: jax.Array, spec: WorldSpec) -> RssmState:
        """Make a model that expects no reward and no end."""
        observation, action = vision.observation_form(spec.observation), form(spec.action)
        named = keys.split(key, "encoder", "decoder", "joined", "gates", "prior", "posterior", "reward", "continues")
        stochastic = self.groups * self.classes
        width = self.deterministic + stochastic
        encoder, embedded = vision.encoder(named[0], observation, self.units, self.depth, self.fold)
        ends = layers.stack(named[7], (width, self.units, 1), scale=0.0)
        # Ends are rare: a model that has seen none expects none, or a dreamer would count on an end to bad times.
        ends = (*ends[:-1], dataclasses.replace(ends[-1], bias=ends[-1].bias + 6.0))
        weights = Weights(
            encoder=encoder,
            decoder=vision.decoder(named[1], observation, width, self.units, self.depth, self.fold)
            if self.decodes
            else grasp.init(named[1], width, embedded, self.units, self.bins, action),
            joined=layers.layer(named[2], stochastic + action.width, self.units, normed=True),
            gates=layers.layer(named[3], self.units + self.deterministic, 3 * self.deterministic, normed=True),
            prior=layers.stack(named[4], (self.deterministic, self.units, stochastic)),
            posterior=layers.stack(named[5], (self.deterministic + embedded, self.units, stochastic)),
            reward=layers.stack(named[6], (width, self.units, self.bins.count), scale=0.0),
            continues=ends,
        )
        balance = jnp.zeros(3, jnp.float32)
        return RssmState(
            weights=weights,
            balance=balance,
            optimiser=self._optimiser().init((weights, balance)),
            observation_form=observation,
            action_form=action,
        )

    def start(self, state: RssmState, batch: int) -> Belief:
        """Make beliefs of zeros."""
        stochastic = jnp.zeros((batch, self.groups, self.classes), jnp.float32)
        return Belief(deterministic=jnp.zeros((batch, self.deterministic), jnp.float32), stochastic=stochastic)

    def observe(self, key: jax.Array, state: RssmState, belief: Belief, action: Any, step: TimeStep) -> tuple[Belief, Info]:
        """Draw from the posterior. Surprise is its divergence from the prior, in nats. Doubt is zero: `Doubted` gives
        one."""
        weights, rows = state.weights, step.kind.shape[0]
        flat = jnp.where(step.first[:, None], 0.0, state.action_form.units(action))
        deterministic = self._onward(weights, select(step.first, self.start(state, rows), belief), flat)
        embedded = vision.encode(weights.encoder, state.observation_form, step.observation)
        logits = self._posterior(weights, deterministic, embedded)
        surprise = _divergence(logits, self._prior(weights, deterministic))
        nothing = jnp.where(step.first, jnp.nan, jnp.zeros_like(surprise))
        after = Belief(deterministic=deterministic, stochastic=_draw(key, logits))
        return after, {"surprise": surprise + nothing, "doubt": nothing}

    def imagine(self, key: jax.Array, state: RssmState, belief: Belief, action: Any) -> tuple[Belief, Prediction]:
        """Draw from the prior. The compiler leaves out a decoder whose observation is never read."""
        weights = state.weights
        deterministic = self._onward(weights, belief, state.action_form.units(action))
        after = Belief(deterministic=deterministic, stochastic=_draw(key, self._prior(weights, deterministic)))
        latent = numbers(after)
        return after, Prediction(
            observation=vision.decode(weights.decoder, state.observation_form, latent) if self.decodes else None,
            reward=self.bins.mean(layers.apply(weights.reward, latent, jax.nn.silu)),
            continues=jax.nn.sigmoid(layers.apply(weights.continues, latent, jax.nn.silu)[:, 0]),
            doubt=jnp.zeros(latent.shape[0], jnp.float32),
        )

    def recall(self, key: jax.Array, state: RssmState, experience: Experience) -> Belief:
        """Filter experience [N, L] with one pass of the encoder: beliefs [L + 1, N], as `observe` makes them step by
        step with the keys `jax.random.split(key, L + 1)`."""
        turned = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), experience)
        return self._filter(key, state.weights, state, turned).beliefs

    def learn(self, key: jax.Array, state: RssmState, experience: Experience) -> tuple[RssmState, Info]:
        """Update once from sequences [N, L] (or transitions [N]), also across episodes: a FIRST step resets the belief.
        Sequences of nothing but seams, or with an unknown action, weigh nothing."""
        if experience.origin.ndim == 1:
            experience = jax.tree.map(lambda leaf: leaf[:, None], experience)
        after, info, _ = self.learn_and_recall(key, state, experience)
        return after, info

    def learn_and_recall(self, key: jax.Array, state: RssmState, experience: Experience) -> tuple[RssmState, Info, Belief]:
        """Learn from sequences [N, L], and return the beliefs [L + 1, N] of the loss, from before the update. Those of
        sequences that weigh nothing are beliefs about zeros."""
        valid = usable(experience)
        used = jnp.any(valid, axis=1)
        turned = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), experience)

        def kept(leaf: jax.Array) -> jax.Array:
            return jnp.where(used.reshape(1, -1, *(1,) * (leaf.ndim - 2)), leaf, 0).astype(leaf.dtype)

        turned = jax.tree.map(kept, turned)
        learned = (state.weights, state.balance)

        def slope(learned: Any) -> tuple[Any, Any]:
            return jax.grad(self._loss, has_aux=True)(learned, key, state, turned, valid.T)

        gradient, (info, beliefs) = slope(learned)
        (weights, balance), optimiser = optimise.stepped(
            self._optimiser(), gradient, state.optimiser, learned, lambda at: slope(at)[0]
        )
        after = dataclasses.replace(state, weights=weights, balance=balance, optimiser=optimiser)
        after = optimise.where_any(used, after, state)
        return after, info, jax.lax.stop_gradient(beliefs)

    def _filter(self, key: jax.Array, weights: Weights, state: RssmState, turned: Experience) -> Filtered:
        """Encode all observations of experience [L, N] at once, and draw beliefs along it."""
        length, number = turned.origin.shape
        seen = _joined(turned.step.observation, turned.next.observation)
        embedded = vision.encode(weights.encoder, state.observation_form, _rows(seen)).reshape(length + 1, number, -1)
        action = state.action_form.units(_rows(turned.action)).reshape(length, number, -1)
        action = jnp.concatenate([jnp.zeros_like(action[:1]), action])
        begins = jnp.concatenate([jnp.ones((1, number), bool), turned.next.first])
        action = jnp.where(begins[..., None], 0.0, action)
        unknown = self.start(state, number)

        def tick(belief: Belief, moment: tuple[jax.Array, jax.Array, jax.Array, jax.Array]) -> tuple[Belief, Any]:
            draw, begins, action, embedded = moment
            deterministic = self._onward(weights, select(begins, unknown, belief), action)
            logits = self._posterior(weights, deterministic, embedded)
            after = Belief(deterministic=deterministic, stochastic=_draw(draw, logits))
            return after, (after, logits)

        draws = jax.random.split(key, length + 1)
        _, (beliefs, logits) = jax.lax.scan(tick, unknown, (draws, begins, action, embedded))
        return Filtered(beliefs=beliefs, logits=logits, embedded=embedded, action=action)

    def _loss(self, both: Any, key: jax.Array, state: RssmState, turned: Experience, valid: jax.Array) -> tuple[jax.Array, Any]:
        """Compute the total over experience [L, N]; also the metrics, and the beliefs [L + 1, N]. valid: bool [L, N],
        False at seams."""
        weights, balance = both
        number = turned.origin.shape[1]
        filtered = self._filter(key, weights, state, turned)
        beliefs, logits = _rows((filtered.beliefs, filtered.logits))
        latent, prior = numbers(beliefs), self._prior(weights, beliefs.deterministic)
        dynamics = jnp.maximum(_divergence(jax.lax.stop_gradient(logits), prior), self.free_nats)
        representation = jnp.maximum(_divergence(logits, jax.lax.stop_gradient(prior)), self.free_nats)
        later = latent[number:]
        rewards, ends = jnp.where(valid, turned.next.reward, 0.0), turned.next.terminated.astype(jnp.float32)
        reward = self.bins.loss(layers.apply(weights.reward, later, jax.nn.silu), rewards.reshape(-1))
        continues = layers.apply(weights.continues, later, jax.nn.silu)[:, 0]
        # a seam leads to a step with an observation of its own, a broken transition does not
        observed = jnp.any(valid, axis=0) & (valid | turned.next.first)
        observed = jnp.concatenate([jnp.any(valid, axis=0)[None], observed])
        if self.decodes:
            seen = _rows(_joined(turned.step.observation, turned.next.observation))
            missed = mean(vision.error(weights.decoder, state.observation_form, latent, seen), observed)
        else:
            embedded, action = filtered.embedded, filtered.action[1:]
            missed = grasp.loss(
                weights.decoder, self.bins, self.discount, state.action_form, latent, embedded, action, rewards, ends, valid
            )
        divergence = self.dynamics_weight * mean(dynamics, observed) + self.representation_weight * mean(representation, observed)
        losses = jnp.stack([missed, mean(reward, valid), divergence])
        if self.balance == "harmony":
            # each loss over its own learned scale, which log(1 + scale) keeps from shrinking
            total = jnp.sum(losses * jnp.exp(-balance) + jnp.log1p(jnp.exp(balance)))
        else:
            total = jnp.sum(losses)
        total = total + mean(optax.sigmoid_binary_cross_entropy(continues, 1.0 - ends.reshape(-1)), valid)
        name = "decoder_loss" if self.decodes else "grasp_loss"
        info = {"model_loss": total, name: losses[0], "reward_loss": losses[1], "latent_loss": mean(dynamics, observed)}
        return total, (info, filtered.beliefs)

    def _onward(self, weights: Weights, belief: Belief, action: jax.Array) -> jax.Array:
        """Compute the next recurrent state [N, D] from a belief and actions in units [N, A]."""
        stochastic = belief.stochastic.reshape(belief.stochastic.shape[0], -1)
        inputs = jnp.concatenate([stochastic, action], axis=-1)
        inputs = layers.activated(weights.joined, inputs @ weights.joined.weight, jax.nn.silu)
        inputs = jnp.concatenate([inputs, belief.deterministic], axis=-1)
        gates = layers.finished(weights.gates, inputs @ weights.gates.weight)
        reset, candidate, update = jnp.split(gates, 3, axis=-1)
        candidate = jnp.tanh(jax.nn.sigmoid(reset) * candidate)
        # a recurrent state begins by keeping what it has
        update = jax.nn.sigmoid(update - 1.0)
        return update * candidate + (1.0 - update) * belief.deterministic

    def _prior(self, weights: Weights, deterministic: jax.Array) -> jax.Array:
        """Log probabilities [N, G, C] of the classes, before an observation."""
        return self._logits(layers.apply(weights.prior, deterministic, jax.nn.silu))

    def _posterior(self, weights: Weights, deterministic: jax.Array, embedded: jax.Array) -> jax.Array:
        """Log probabilities [N, G, C] of the classes, after an observation."""
        return self._logits(layers.apply(weights.posterior, jnp.concatenate([deterministic, embedded], axis=-1), jax.nn.silu))

    def _logits(self, raw: jax.Array) -> jax.Array:
        chance = jax.nn.softmax(raw.reshape(*raw.shape[:-1], self.groups, self.classes), axis=-1)
        return jnp.log((1.0 - self.uniform) * chance + self.uniform / self.classes)

    def _optimiser(self) -> Any:
        return optimise.optimiser(self.learning_rate, self.clip, self.protection)


def _joined(before: Any, after: Any) -> Any:
    """Lay the first of leaves [L, N, ...] before the leaves that follow: [L + 1, N, ...]."""
    return jax.tree.map(lambda one, rest: jnp.concatenate([one[:1], rest]), before, after)


def _rows(tree: Any) -> Any:
    """Merge the two leading axes of all leaves."""
    return jax.tree.map(lambda leaf: leaf.reshape(leaf.shape[0] * leaf.shape[1], *leaf.shape[2:]), tree)


def _draw(key: jax.Array, logits: jax.Array) -> jax.Array:
    """Draw one-hot classes [N, G, C], through which gradients pass as if they were the probabilities."""
    drawn = jax.nn.one_hot(jax.random.categorical(key, logits), logits.shape[-1], dtype=jnp.float32)
    chance = jnp.exp(logits)
    return drawn + chance - jax.lax.stop_gradient(chance)


def _divergence(one: jax.Array, other: jax.Array) -> jax.Array:
    """Kullback-Leibler, in nats, of log probabilities [N, G, C]: float32 [N]."""
    return jnp.sum(jnp.exp(one) * (one - other), axis=(-2, -1))
