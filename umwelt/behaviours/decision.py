"""Decision transformers: the action that leads to the return that is asked for, read off a history.

"Decision transformer: reinforcement learning via sequence modeling" (2021). Each step is three tokens: the return that is
wanted from there on, the observation, and the action, which is predicted at the observation. "Multi-objective decision
transformers" (2023) predict the next observation and return as well, at the action. They put a token of the action's coarse
region before the action; the abstract leaves its form open, and here it is a quantile of each entry.
"""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.behaviours.histories import Context, Sequences
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import layers, policies, transformer
from umwelt.networks.layers import Layer
from umwelt.networks.optimise import optimiser, stepped
from umwelt.networks.transformer import Transformer

Tell = Literal["action", "state", "return"]
TOLD = {
    "action": Metric(name="action_loss", unit="squared units, or nats", meaning="error of the predicted actions", better="down"),
    "state": Metric(name="state_loss", unit="squared deviations", meaning="error of the predicted features", better="down"),
    "return": Metric(name="return_loss", unit="squared deviations", meaning="error of the predicted returns", better="down"),
    "region": Metric(name="region_loss", unit="nats", meaning="cross entropy of the actions' regions", better="down"),
}
"""What is predicted -> its metric, before the update."""
MEASURED = 50
"""Lessons in which the edges of regions are measured."""


@struct
class DecisionPolicy:
    """read: layers of the return [1, W], the features [F, W] and the action [A, W]. body: of tokens. heads: what is
    predicted -> a layer [W, ...]. regions: a layer [A R, W], or None. doubts: what is predicted -> float32 [], the log
    variance by which its loss is weighed."""

    read: tuple[Layer, Layer, Layer]
    body: Transformer
    heads: dict[str, Layer]
    regions: Layer | None
    doubts: dict[str, jax.Array]


@struct
class DecisionState:
    """policy: its networks. optimiser: Optax's. edges: float32 [R - 1, A], of the regions. lessons: int32 []."""

    policy: DecisionPolicy
    optimiser: Any
    edges: jax.Array
    lessons: jax.Array
    acts: policies.Policy = static()


@part
class DecisionTransformer:
    """Predicts actions from the returns that followed them, and acts by asking for a large one; a `SequenceLearner`."""

    context: int = 20
    """Steps of history that it reads."""
    tells: tuple[Tell, ...] = ("action",)
    """What it predicts: "action", and beside it the next "state" and the "return" from there on. Several losses are
    weighed by learned variances."""
    regions: int = 0
    """Quantiles of each entry of the action, of which the true one is predicted first; 0 for none."""
    others: float = 1.0
    """Weight of all losses but that of actions."""
    width: int = 64
    """Width of tokens."""
    layers: int = 2
    """Blocks of the transformer."""
    heads: int = 1
    """Heads of attention."""
    learning_rate: float = 1e-3
    """Step size of AdamW."""
    decay: float = 1e-4
    """Decay of the weights, in units of the step size."""

    reads_to_come = True
    chunk = 1
    cites = ("decision_transformer_2021",)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The loss of each thing that is predicted."""
        return tuple(TOLD[name] for name in self._told)

    @property
    def length(self) -> int:
        """Transitions of a stretch to learn from."""
        return self.context

    def init(self, key: jax.Array, width: int, action: Any) -> DecisionState:
        """Begin with actions in the middle of their space."""
        if "action" not in self.tells:
            raise ValueError(f'tells={self.tells}: a policy predicts its action; add "action"')
        acts = policies.over(action)
        size = acts.inputs
        if self.regions and isinstance(acts, policies.Choice):
            raise ValueError(f"regions={self.regions}: choices have no quantiles; give regions=0, or a world of a Box")
        reading, drawing, heading, dividing = keys.split(key, "read", "body", "heads", "regions")
        sizes = {"action": size, "state": width, "return": 1, "region": size * self.regions}
        inputs = {"return": 1, "features": width, "action": size}
        policy = DecisionPolicy(
            read=tuple(layers.layer(keys.fold(reading, name), into, self.width) for name, into in inputs.items()),  # type: ignore[arg-type]
            body=transformer.transformer(drawing, self.context, self.width, self.layers, self.heads),
            heads={name: layers.layer(keys.fold(heading, name), self.width, sizes[name], scale=0.01) for name in self._told},
            regions=layers.layer(dividing, size * self.regions, self.width) if self.regions else None,
            doubts={name: jnp.float32(0.0) for name in self._told if len(self._told) > 1},
        )
        return DecisionState(
            policy=policy,
            optimiser=self._optimiser().init(policy),
            edges=jnp.zeros((max(self.regions - 1, 0), size), jnp.float32),
            lessons=jnp.int32(0),
            acts=acts,
        )

    def act(
        self, key: jax.Array, state: DecisionState, features: Context, mode: Mode, open: jax.Array | None = None
    ) -> jax.Array:
        """The action at the newest step; of choices a draw, and the likeliest in a probe."""
        regions = jnp.zeros((*features.known.shape, 0), jnp.float32)
        if self.regions:
            # those of the past are known; the newest one's is predicted first
            regions = self._regions(state, features.actions)
            likeliest = jnp.argmax(self._outputs(state.policy, features, regions)["region"][:, -1], axis=-1)
            regions = regions.at[:, -1].set(jax.nn.one_hot(likeliest, self.regions).reshape(regions.shape[0], -1))
        found = self._outputs(state.policy, features, regions)["action"][:, -1]
        if isinstance(state.acts, policies.Choice) and mode != "exploit":
            found = jax.nn.one_hot(state.acts.draw(key, policies.masked(found, open))[0], state.acts.inputs)
        return found[:, None]

    def learn(self, key: jax.Array, state: DecisionState, batch: Sequences) -> tuple[DecisionState, Info]:
        """Measure the edges of regions in the first lessons, and update the policy."""
        some = jnp.any(batch.acted & batch.returned)
        edges = self._edges(state, batch)
        measured = replace(state, edges=edges)
        (_, info), gradient = jax.value_and_grad(self.loss, has_aux=True)(state.policy, measured, batch)
        policy, optimised = stepped(self._optimiser(), gradient, state.optimiser, state.policy)
        after = replace(measured, policy=policy, optimiser=optimised, lessons=state.lessons + 1)
        return jax.tree.map(lambda new, old: jnp.where(some, new, old), after, state), info

    def loss(self, policy: DecisionPolicy, state: DecisionState, batch: Sequences) -> tuple[jax.Array, Info]:
        """The weighed sum of losses of a policy on stretches [N, L], and each of them."""
        context, actions = batch.context, batch.context.actions
        regions = self._regions(state, actions)
        found = self._outputs(policy, context, regions)
        weight = (batch.acted & batch.returned).astype(jnp.float32)
        each: dict[str, jax.Array] = {}
        for name in self._told:
            if name == "action" and isinstance(state.acts, policies.Choice):
                missed = -jnp.sum(actions * jax.nn.log_softmax(found[name]), axis=-1)
            elif name == "region":
                true = regions.reshape(*weight.shape, -1, self.regions)
                missed = -jnp.mean(jnp.sum(true * jax.nn.log_softmax(found[name]), axis=-1), axis=-1)
            else:
                wanted = {"action": actions, "state": batch.after, "return": batch.wanted_after[:, :, None]}[name]
                missed = jnp.mean((found[name] - wanted) ** 2, axis=-1)
            each[name] = jnp.sum(missed * weight) / jnp.maximum(jnp.sum(weight), 1.0)
        total = jnp.float32(0.0)
        for name, value in each.items():
            doubt = policy.doubts.get(name, 0.0)
            total = total + (1.0 if name == "action" else self.others) * (jnp.exp(-doubt) * value + doubt)
        return total, {TOLD[name].name: value for name, value in each.items()}

    def tokens(self, policy: DecisionPolicy, context: Context, regions: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Tokens [N, K T, W] of histories, the mask of what each may read, and the places [N, K T] of their steps.

        The tokens of a step stand side by side: return, features, region where there is one, action.
        """
        inputs = (context.wanted[:, :, None], context.features, context.actions)
        parts = [layers.finished(one, each @ one.weight) for one, each in zip(policy.read, inputs, strict=True)]
        if policy.regions is not None:
            parts.insert(2, layers.finished(policy.regions, regions @ policy.regions.weight))
        laid = interleaved(parts)
        known = jnp.repeat(context.known, len(parts), axis=1)
        places = jnp.repeat(transformer.order(context.known), len(parts), axis=1)
        return laid, transformer.seen(transformer.causal(laid.shape[1]), known), places

    def _outputs(self, policy: DecisionPolicy, context: Context, regions: jax.Array) -> dict[str, jax.Array]:
        """What is predicted at each step: float32 [N, K, ...] by name."""
        laid, mask, places = self.tokens(policy, context, regions)
        read = transformer.apply(policy.body, laid, mask, places)
        steps = read.reshape(*context.known.shape, -1, self.width)
        # the token that each is read at: return 0, features 1, then the region where there is one, and the action last
        at = {"region": 1, "action": 2 if self.regions else 1, "state": -1, "return": -1}
        found = {name: layers.finished(head, steps[:, :, at[name]] @ head.weight) for name, head in policy.heads.items()}
        if "region" in found:
            found["region"] = found["region"].reshape(*context.known.shape, -1, self.regions)
        return found

    def _regions(self, state: DecisionState, actions: jax.Array) -> jax.Array:
        """In which quantile each entry of actions [N, K, A] lies, one-hot: float32 [N, K, A R]."""
        if not self.regions:
            return jnp.zeros((*actions.shape[:2], 0), jnp.float32)
        above = jnp.sum(actions[..., None, :] > state.edges, axis=-2)
        return jax.nn.one_hot(above, self.regions).reshape(*actions.shape[:2], -1)

    def _edges(self, state: DecisionState, batch: Sequences) -> jax.Array:
        """The edges of regions: the mean of those of the batches of the first lessons."""
        if self.regions < 2:
            return state.edges
        shares = jnp.arange(1, self.regions) / self.regions
        known = jnp.where(batch.acted[:, :, None], batch.context.actions, jnp.nan).reshape(-1, state.edges.shape[1])
        here = jnp.where(jnp.any(batch.acted), jnp.nanquantile(known, shares, axis=0), state.edges)
        mean = state.edges + (here - state.edges) / (state.lessons + 1)
        return jnp.where(state.lessons < MEASURED, mean, state.edges)

    @property
    def _told(self) -> tuple[str, ...]:
        """What is predicted, the action first."""
        others = tuple(name for name in ("state", "return") if name in self.tells)
        return ("action", *others, *(("region",) if self.regions else ()))

    def _optimiser(self) -> Any:
        return optimiser(self.learning_rate, clip=1.0, decay=self.decay)


def interleaved(parts: list[jax.Array]) -> jax.Array:
    """Lay the tokens of each step side by side: T arrays [N, K, W] -> [N, K T, W], all of step 0 first."""
    stacked = jnp.stack(parts, axis=2)
    return stacked.reshape(stacked.shape[0], -1, stacked.shape[-1])
