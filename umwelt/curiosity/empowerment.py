"""How much of what follows is the work of the action: a learned bound on the empowerment of a state.

The intrinsic term of "INFOrmation prioritization through EmPOWERment in visual model-based RL" (ICLR 2022), with one
step. The information between action and next state is at least E[log q(a | now, after) - log p(a | now)], where q is
learned on lived actions. Here p is learned too, so no policy has to be known. The bonus is high where what follows shows
which action was taken. It is low where actions change nothing, or where noise covers what they change.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Info, Metric, Moment, keys, part, struct
from umwelt.networks import bonuses, layers, scale
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped, where_any
from umwelt.networks.scale import Scale

BOUND = Metric(
    name="empowerment", unit="nats", meaning="mean of log q(a | now, after) - log p(a | now), before the update", better="up"
)


@struct
class Heads:
    """inverse, prior: stacks that predict the action from now and after, and from now alone."""

    inverse: Stack
    prior: Stack


@struct
class EmpowermentState:
    """heads: both networks. optimiser: Optax's. inputs: scale of now and of the change."""

    heads: Heads
    optimiser: Any
    inputs: Scale


@part
class Empowerment:
    """Nats of evidence about the action in the next state, beyond what the present one holds.

    >>> signal, key = Empowerment(units=8), jax.random.key(0)
    >>> state = signal.init(key, width=2, actions=3, batch=1)

    >>> place, choice = jnp.ones((1, 2)), jnp.array([[0.0, 1.0, 0.0]])
    >>> moment = Moment(now=place, after=place, done=choice, weight=jnp.ones(1), surprise=jnp.zeros(1))
    >>> round(float(jax.jit(signal.bonus)(key, state, moment)[0]), 1)  # it has learned nothing
    0.0
    """

    choices: bool = True
    """The action is a choice, one of its numbers; False takes its numbers as normals, for boxes."""
    units: int = 64
    """Width of the two hidden layers of each network."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    clip: float = 10.0
    """Inputs are clipped at so many standard deviations."""
    horizon: float = 1e5
    """Transitions over which scales are averaged."""

    metrics = (BOUND,)
    cites = ("infopower_2022",)

    def init(self, key: jax.Array, width: int, actions: int, batch: int) -> EmpowermentState:
        """Draw both networks, which predict any action alike at first."""
        for_inverse, for_prior = keys.split(key, "inverse", "prior")
        out = actions if self.choices else 2 * actions

        def made(key: jax.Array, into: int) -> Stack:
            return layers.stack(key, (into, self.units, self.units, out), scale=0.0, normed=False)

        heads: Any = Heads(inverse=made(for_inverse, 2 * width), prior=made(for_prior, width))
        return EmpowermentState(heads=heads, optimiser=optimiser(self.learning_rate).init(heads), inputs=scale.unit(2 * width))

    def bonus(self, key: jax.Array, state: EmpowermentState, moment: Moment) -> jax.Array:
        """The gain of each row, in nats: float32 [N]."""
        told, known = self._likelihoods(state, state.heads, moment)
        return told - known

    def learn(self, key: jax.Array, state: EmpowermentState, moment: Moment) -> tuple[EmpowermentState, Info]:
        """Make the actions likelier in both networks, once."""
        wiped, number, share = bonuses.weighed(moment)
        inputs = scale.update(state.inputs, _rows(wiped), number, self.horizon)
        scaled = replace(state, inputs=inputs)

        def loss(heads: Heads) -> tuple[jax.Array, jax.Array]:
            told, known = self._likelihoods(scaled, heads, wiped)
            return -jnp.sum(share * (told + known)), jnp.sum(share * (told - known))

        gradient, gain = jax.grad(loss, has_aux=True)(state.heads)
        heads, optimised = stepped(optimiser(self.learning_rate), gradient, state.optimiser, state.heads)
        return where_any(moment.weight, replace(scaled, heads=heads, optimiser=optimised), state), {"empowerment": gain}

    def _likelihoods(self, state: EmpowermentState, heads: Heads, moment: Moment) -> tuple[jax.Array, jax.Array]:
        """Log likelihoods [N] of the actions, given now and after, and given now."""
        rows = scale.standard(state.inputs, _rows(moment), self.clip)
        width = moment.now.shape[-1]
        outputs = layers.apply(heads.inverse, rows, jax.nn.silu), layers.apply(heads.prior, rows[:, :width], jax.nn.silu)
        told, known = (self._likelihood(each, moment.done) for each in outputs)
        return told, known

    def _likelihood(self, outputs: jax.Array, done: jax.Array) -> jax.Array:
        """Log likelihood [N] of actions [N, A], without what is the same for both networks."""
        if self.choices:
            return jnp.sum(done * jax.nn.log_softmax(outputs, axis=-1), axis=-1)
        mean, raw = jnp.split(outputs, 2, axis=-1)
        # a narrower normal would make much of an action that is known almost without noise
        wide = 3.0 * jnp.tanh(raw / 3.0)
        return jnp.sum(-0.5 * ((done - mean) * jnp.exp(-wide)) ** 2 - wide, axis=-1)


def _rows(moment: Moment) -> jax.Array:
    """Now, and the change: float32 [N, 2 F]."""
    return jnp.concatenate([moment.now, moment.after - moment.now], axis=-1)
