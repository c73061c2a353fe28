"""Learn without labels in which of a few modes a body is, and how it moves in each.

"Discrete-time hybrid automata learning: legged locomotion meets skateboarding" (2025). An encoder of a short past says a
mode, one of K, and a small code. Each mode has a flow of its own, which predicts the next moment from the present one, the
action and the code. A mode is drawn by Gumbel's trick, and its gradient is that of the soft choice. The policy reads the
present moment, the code and the mode.

Where we differ: the policy sends no gradient into the encoder, and the paper's own losses are known to us only in outline:
prediction, divergence of the code from a unit normal, and a balance that keeps all modes in use.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours.asymmetric import Parts, ReadsParts, parts
from umwelt.behaviours.batch import mean
from umwelt.behaviours.on_policy import Rollout, turns
from umwelt.behaviours.proximal import PPO
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import latent, layers
from umwelt.networks.form import Form
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped

FLOW = Metric(
    name="flow_loss", unit="deviations squared", meaning="mean squared error of the next moment, before the update", better="down"
)
USED = Metric(name="modes_used", unit="modes", meaning="e to the power of the entropy of modes over the batch")


@struct
class Weights:
    """encoder: past moments -> modes [K], and mean and log deviation of the code. flows: leaves [K, ...], (moment, action,
    code) -> change of the moment."""

    encoder: Stack
    flows: Stack


@struct
class AutomataState:
    """inner: of the policy. weights, optimiser: of the automaton."""

    inner: Any
    weights: Weights
    optimiser: Any
    parts: Parts = static()


@part
class Automata(ReadsParts):
    """A policy that reads the mode of a hybrid automaton; a `RolloutLearner`. The observation is that of
    `umwelt.worlds.partly`."""

    learner: PPO = PPO(bounded=True)
    """The policy and its values."""
    past: int = 6
    """Moments that the world shows."""
    modes: int = 3
    """Flows, of which one holds at a time."""
    code: int = 2
    """Numbers of the code."""
    units: tuple[int, ...] = (64, 64)
    """Widths of the encoder's hidden layers."""
    flow: tuple[int, ...] = (16,)
    """Widths of the hidden layers of each flow; none for linear ones."""
    beta: float = 0.1
    """Weight of the code's divergence from a unit normal."""
    balance: float = 0.02
    """Weight of the divergence of the mean mode from even ones."""
    temperature: float = 1.0
    """Of Gumbel's trick."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    epochs: int = 4
    """Passes over a rollout."""
    pieces: int = 4
    """Batches of one pass."""

    cites = ("dhal_2025", "gumbel_2017", "beta_policy_2017")

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The policy's, and those of the automaton."""
        return (*self.learner.metrics, FLOW, USED)

    def init_for(self, key: jax.Array, observation: Form, action: Any) -> AutomataState:
        """Begin untrained."""
        acting, encoding, flowing = keys.split(key, "policy", "encoder", "flows")
        found = parts(observation, self.past, self)
        newest = len(found.newest)
        inner = self.learner.init(acting, newest + self.code + self.modes, action, facts=newest + len(found.hidden))

        def flow(key: jax.Array) -> Stack:
            return layers.stack(key, (newest + inner.acts.inputs + self.code, *self.flow, newest), normed=False)

        weights = Weights(
            encoder=layers.stack(encoding, (len(found.past), *self.units, self.modes + 2 * self.code), normed=False),
            flows=jax.vmap(flow)(jax.random.split(flowing, self.modes)),
        )
        return AutomataState(inner=inner, weights=weights, optimiser=self._optimiser().init(weights), parts=found)

    def act(
        self, key: jax.Array, state: AutomataState, features: jax.Array, mode: Mode, open: jax.Array | None = None
    ) -> tuple[Any, Any, jax.Array]:
        """Act on the present moment, code and mode."""
        return self.learner.act(key, state.inner, self.read(state, features), mode, open)

    def read(self, state: AutomataState, features: jax.Array) -> jax.Array:
        """What the policy reads of features [..., F]: float32 [..., K]."""
        flat = features.reshape(-1, features.shape[-1])
        logits, code, _ = self.encoded(state.weights, state.parts, flat)
        mode = jax.nn.one_hot(jnp.argmax(logits, axis=-1), self.modes)
        found = jnp.concatenate([flat[:, np.array(state.parts.newest)], code, mode], axis=-1)
        return found.reshape(*features.shape[:-1], -1)

    def encoded(self, weights: Weights, parts: Parts, features: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Logits of modes [N, K], and mean and log deviation [N, C] of the code."""
        found = layers.apply(weights.encoder, features[:, np.array(parts.past)], jax.nn.elu)
        code, deviation = jnp.split(found[:, self.modes :], 2, axis=-1)
        return found[:, : self.modes], code, jnp.clip(deviation, latent.LOWEST, 2.0)

    def predicted(
        self, weights: Weights, parts: Parts, features: jax.Array, action: jax.Array, mode: jax.Array, code: jax.Array
    ) -> jax.Array:
        """The next moment [N, V] by modes [N, K], one-hot or soft."""
        now = features[:, np.array(parts.newest)]
        inputs = jnp.concatenate([now, action, code], axis=-1)
        each = jax.vmap(lambda flow: layers.apply(flow, inputs, jax.nn.elu))(weights.flows)
        return now + jnp.einsum("nk,knv->nv", mode, each)

    def expected(self, state: AutomataState, features: jax.Array, unit: jax.Array) -> jax.Array:
        """The next moment [N, V] of features [N, F] after unit actions, by the likeliest mode and the mean code."""
        logits, code, _ = self.encoded(state.weights, state.parts, features)
        mode = jax.nn.one_hot(jnp.argmax(logits, axis=-1), self.modes)
        return self.predicted(state.weights, state.parts, features, self._taken(state, unit), mode, code)

    def learn(self, key: jax.Array, state: AutomataState, rollout: Rollout) -> tuple[AutomataState, Info]:
        """Improve policy and values, then the automaton."""
        improving, shuffling, drawing = keys.split(key, "improve", "shuffle", "draw")
        told = state.parts.facts(rollout.now), state.parts.facts(rollout.after)
        read = replace(rollout, now=self.read(state, rollout.now), after=self.read(state, rollout.after), facts=told)
        inner, info = self.learner.learn(improving, state.inner, read)
        flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), rollout)

        def update(held: AutomataState, given: tuple[jax.Array, jax.Array]) -> tuple[AutomataState, Info]:
            chosen, key = given
            return self.taught(key, held, *(leaf[chosen] for leaf in (flat.now, flat.unit, flat.after, flat.weight)))

        order = turns(shuffling, flat.weight.shape[0], self.epochs, self.pieces)
        after, infos = jax.lax.scan(update, state, (order, jax.random.split(drawing, order.shape[0])))
        after = replace(after, inner=inner)
        some = jnp.any(rollout.weight > 0)
        after = jax.tree.map(lambda new, old: jnp.where(some, new, old), after, state)
        return after, {**info, **{name: value[-1] for name, value in infos.items()}}

    def taught(
        self, key: jax.Array, state: AutomataState, now: jax.Array, unit: jax.Array, after: jax.Array, weight: jax.Array
    ) -> tuple[AutomataState, Info]:
        """Update the automaton once from moments [N, F], what was done, and the moments that followed."""
        choosing, coding = jax.random.split(key)
        wanted, taken = after[:, np.array(state.parts.newest)], self._taken(state, unit)

        def miss(weights: Weights) -> tuple[jax.Array, Info]:
            logits, code, deviation = self.encoded(weights, state.parts, now)
            drawn = code + jnp.exp(deviation) * jax.random.normal(coding, code.shape)
            soft = jax.nn.softmax((logits + jax.random.gumbel(choosing, logits.shape)) / self.temperature, axis=-1)
            # forward the draw, backward the soft choice
            mode = soft + jax.lax.stop_gradient(jax.nn.one_hot(jnp.argmax(soft, axis=-1), self.modes) - soft)
            guess = self.predicted(weights, state.parts, now, taken, mode, drawn)
            error = mean(jnp.mean((guess - wanted) ** 2, axis=-1), weight)
            apart = mean(jnp.sum(latent.divergence(code, deviation), axis=-1), weight)
            share = jax.vmap(mean, (1, None))(jax.nn.softmax(logits, axis=-1), weight)
            entropy = -jnp.sum(share * jnp.log(share + 1e-8))
            loss = error + self.beta * apart - self.balance * entropy
            return loss, {"flow_loss": error, "modes_used": jnp.exp(entropy)}

        gradient, info = jax.grad(miss, has_aux=True)(state.weights)
        weights, optimised = stepped(self._optimiser(), gradient, state.optimiser, state.weights)
        return replace(state, weights=weights, optimiser=optimised), info

    def _taken(self, state: AutomataState, unit: jax.Array) -> jax.Array:
        found = state.inner.acts.features(unit)
        return found if unit.ndim == 1 else jnp.clip(found, -1.0, 1.0)

    def _optimiser(self) -> Any:
        return optimiser(self.learning_rate, clip=10.0)
