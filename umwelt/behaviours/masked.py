"""Masked trajectory models: one network that rebuilds what is hidden of a stretch, so that the mask says what it is.

"Masked trajectory models for prediction, representation, and control" (2023). Each step is three tokens: the return from
there on, the observation, and the action. What is visible is encoded; a decoder reads that and a mark in each hidden place.
Hide the action and it is a policy; hide the next observation and it is a forward model. Here it acts as a policy; no
planner uses its predictions.
"""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours.histories import Context, Sequences
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import layers, policies, transformer
from umwelt.networks.layers import Layer
from umwelt.networks.optimise import optimiser, stepped
from umwelt.networks.transformer import Transformer

Role = Literal["forward", "inverse", "policy", "asked"]
RETURN, STATE, ACTION = 0, 1, 2
"""The tokens of a step, in their order."""
REBUILT = (
    Metric(name="return_loss", unit="squared deviations", meaning="error of the rebuilt returns", better="down"),
    Metric(name="state_loss", unit="squared deviations", meaning="error of the rebuilt features", better="down"),
    Metric(name="action_loss", unit="squared units, or nats", meaning="error of the rebuilt actions", better="down"),
)
"""Metrics of the three kinds of tokens, in their order."""


@struct
class MaskedPolicy:
    """read: layers of the return [1, W], the features [F, W] and the action [A, W]. hidden: float32 [W], the mark of a
    hidden place. encoder, decoder: of tokens. heads: layers [W, 1], [W, F] and [W, A]."""

    read: tuple[Layer, ...]
    hidden: jax.Array
    encoder: Transformer
    decoder: Transformer
    heads: tuple[Layer, ...]


@struct
class MaskedState:
    """policy: its networks. optimiser: Optax's."""

    policy: MaskedPolicy
    optimiser: Any
    acts: policies.Policy = static()


@part
class Masked:
    """Rebuilds hidden parts of stretches, and acts by rebuilding its own action; a `SequenceLearner`."""

    context: int = 4
    """Steps of a stretch."""
    acts: Literal["policy", "asked"] = "asked"
    """How it acts: "asked" reads the return that is wanted, "policy" does not."""
    only: Role | None = None
    """Learn in this role alone, and only what it rebuilds; None draws masks."""
    ratios: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    """Shares of the tokens of one kind that are hidden; drawn for each kind and stretch."""
    last: float = 0.5
    """How often all tokens behind a random one are hidden as well."""
    width: int = 64
    """Width of tokens."""
    layers: int = 2
    """Blocks of the encoder; the decoder has one."""
    heads: int = 4
    """Heads of attention."""
    learning_rate: float = 1e-3
    """Step size of AdamW."""
    decay: float = 1e-4
    """Decay of the weights, in units of the step size."""

    reads_to_come = True
    chunk = 1
    metrics = REBUILT
    cites = ("mtm_2023",)

    @property
    def length(self) -> int:
        """Transitions of a stretch to learn from."""
        return self.context

    def init(self, key: jax.Array, width: int, action: Any) -> MaskedState:
        """Begin untrained."""
        if self.context < 2:
            raise ValueError(f"context={self.context}: what comes next needs 2 steps or more")
        acts = policies.over(action)
        reading, encoding, decoding, heading, hiding = keys.split(key, "read", "encode", "decode", "heads", "hidden")
        sizes, places = (1, width, acts.inputs), 3 * self.context
        policy = MaskedPolicy(
            read=tuple(layers.layer(keys.fold(reading, f"kind{kind}"), size, self.width) for kind, size in enumerate(sizes)),
            hidden=0.02 * jax.random.normal(hiding, (self.width,)),
            encoder=transformer.transformer(encoding, places, self.width, self.layers, self.heads),
            decoder=transformer.transformer(decoding, places, self.width, 1, self.heads),
            heads=tuple(
                layers.layer(keys.fold(heading, f"kind{kind}"), self.width, size, scale=0.01) for kind, size in enumerate(sizes)
            ),
        )
        return MaskedState(policy=policy, optimiser=optimiser(self.learning_rate, 1.0, decay=self.decay).init(policy), acts=acts)

    def act(self, key: jax.Array, state: MaskedState, features: Context, mode: Mode, open: jax.Array | None = None) -> jax.Array:
        """The action at the newest step; of choices a draw, and the likeliest in a probe."""
        visible = jnp.asarray(shown(self.acts, self.context)[0]) & features.known[:, :, None]
        found = self.rebuilt(state.policy, features, visible)[ACTION][:, -1]
        if isinstance(state.acts, policies.Choice) and mode != "exploit":
            found = jax.nn.one_hot(state.acts.draw(key, policies.masked(found, open))[0], state.acts.inputs)
        return found[:, None]

    def learn(self, key: jax.Array, state: MaskedState, batch: Sequences) -> tuple[MaskedState, Info]:
        """Rebuild stretches once, under masks of their own."""
        known = _known(batch)
        if self.only is None:
            visible, weight = known & self.drawn(key, known.shape[0]), known
        else:
            mask, target = shown(self.only, self.context)
            visible, weight = known & mask, known & target
        slope = jax.value_and_grad(self.loss, has_aux=True)
        (_, info), gradient = slope(state.policy, state, batch, visible, weight.astype(jnp.float32))
        policy, optimised = stepped(optimiser(self.learning_rate, 1.0, decay=self.decay), gradient, state.optimiser, state.policy)
        after = replace(state, policy=policy, optimiser=optimised)
        return jax.tree.map(lambda new, old: jnp.where(jnp.any(weight), new, old), after, state), info

    def loss(
        self, policy: MaskedPolicy, state: MaskedState, batch: Sequences, visible: jax.Array, weight: jax.Array
    ) -> tuple[jax.Array, Info]:
        """The sum of the errors of all kinds, by weights [N, K, 3], with bool [N, K, 3] visible; and each of them."""
        found = self.rebuilt(policy, batch.context, visible)
        errors = missed(state.acts, found, batch)
        each = jnp.sum(errors * weight, axis=(0, 1)) / jnp.maximum(jnp.sum(weight, axis=(0, 1)), 1.0)
        return jnp.sum(each), {metric.name: each[kind] for kind, metric in enumerate(REBUILT)}

    def rebuilt(self, policy: MaskedPolicy, context: Context, visible: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Returns [N, K, 1], features [N, K, F] and actions [N, K, A], from the tokens that bool [N, K, 3] names."""
        encoded = self._encoded(policy, context, visible)
        marked = jnp.where(visible.reshape(*encoded.shape[:2], 1), encoded, policy.hidden)
        decoded = transformer.apply(policy.decoder, marked).reshape(*visible.shape, self.width)
        made = [layers.finished(head, decoded[:, :, kind] @ head.weight) for kind, head in enumerate(policy.heads)]
        return made[RETURN], made[STATE], made[ACTION]

    def represent(self, policy: MaskedPolicy, features: jax.Array) -> jax.Array:
        """What the encoder makes of single observations [N, F], as the newest of a stretch: float32 [N, W]."""
        rows, steps = features.shape[0], self.context
        zeros = jnp.zeros((rows, steps), jnp.float32)
        context = Context(
            features=jnp.zeros((rows, steps, features.shape[1])).at[:, -1].set(features),
            actions=jnp.zeros((rows, steps, policy.read[ACTION].weight.shape[0])),
            rewards=zeros,
            wanted=zeros,
            known=jnp.zeros((rows, steps), bool).at[:, -1].set(True),
        )
        visible = jnp.zeros((rows, steps, 3), bool).at[:, -1, STATE].set(True)
        return self._encoded(policy, context, visible).reshape(rows, steps, 3, -1)[:, -1, STATE]

    def drawn(self, key: jax.Array, rows: int) -> jax.Array:
        """Draw what is visible: bool [rows, K, 3]."""
        sharing, hiding, choosing, cutting = keys.split(key, "share", "hide", "choose", "cut")
        share = jax.random.choice(sharing, jnp.array(self.ratios), (rows, 1, 3))
        visible = jax.random.uniform(hiding, (rows, self.context, 3)) >= share
        number = 3 * self.context
        end = jax.random.randint(cutting, (rows, 1), 0, number)
        cut = jax.random.bernoulli(choosing, self.last, (rows, 1))
        before = (jnp.arange(number) <= end) | ~cut
        return visible & before.reshape(visible.shape)

    def _encoded(self, policy: MaskedPolicy, context: Context, visible: jax.Array) -> jax.Array:
        """Tokens [N, 3 K, W] in which the visible ones have read each other, and nothing else."""
        inputs = (context.wanted[:, :, None], context.features, context.actions)
        tokens = [layers.finished(one, each @ one.weight) for one, each in zip(policy.read, inputs, strict=True)]
        laid = jnp.stack(tokens, axis=2).reshape(visible.shape[0], -1, self.width)
        number = laid.shape[1]
        reads = transformer.seen(jnp.ones((number, number), bool), visible.reshape(-1, number))
        return transformer.apply(policy.encoder, laid, reads)


def shown(role: Role, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """What a role sees, and what it is to rebuild: bool [steps, 3] each.

    "policy" and "asked" rebuild the last action; "asked" sees the returns. "forward" rebuilds the last observation, and
    "inverse" the action before it.
    """
    visible, target = np.zeros((steps, 3), bool), np.zeros((steps, 3), bool)
    visible[:, STATE], visible[:-1, ACTION] = True, True
    if role == "forward":
        visible[-1, STATE], target[-1, STATE] = False, True
    elif role == "inverse":
        visible[-2, ACTION], target[-2, ACTION] = False, True
    else:
        visible[:, RETURN], target[-1, ACTION] = role == "asked", True
    return visible, target


def missed(acts: policies.Policy, found: tuple[jax.Array, ...], batch: Sequences) -> jax.Array:
    """The error of each token: mean squares, and of choices the cross entropy: float32 [N, K, 3]."""
    context = batch.context
    wanted = (context.wanted[:, :, None], context.features, context.actions)
    errors = [jnp.mean((one - other) ** 2, axis=-1) for one, other in zip(found, wanted, strict=True)]
    if isinstance(acts, policies.Choice):
        errors[ACTION] = -jnp.sum(context.actions * jax.nn.log_softmax(found[ACTION]), axis=-1)
    return jnp.stack(errors, axis=-1)


def _known(batch: Sequences) -> jax.Array:
    """Which tokens are known, bool [N, K, 3]."""
    return jnp.stack([batch.returned, batch.context.known, batch.acted], axis=-1)
