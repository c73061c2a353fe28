"""Behaviour transformers: which of a few typical chunks of actions comes next, and how to correct it.

"Behavior transformers: cloning k modes with one stone" (2022). A policy that says one action is the mean of several habits;
one that names a code first follows one of them. With a goal it is "From play to policy" (2023), and with residual codes
"Behavior generation with latent actions" (2024).
"""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.behaviours.histories import Context, Sequences, chunks
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import codes as coding
from umwelt.networks import layers, policies, transformer
from umwelt.networks.codes import KMeans
from umwelt.networks.layers import Layer
from umwelt.networks.optimise import optimiser, stepped
from umwelt.networks.transformer import Transformer

CODE_LOSS = Metric(
    name="code_loss", unit="nats", meaning="focal loss of the codes of the actions, before the update", better="down"
)
OFFSET_LOSS = Metric(
    name="offset_loss", unit="units", meaning="error of the corrections of codes, before the update", better="down"
)
CODES_ERROR = Metric(
    name="codes_error", unit="units", meaning="mean distance of actions from what their codes stand for", better="down"
)


@struct
class BetPolicy:
    """read: a layer [F, W] of observations. aim: the same of goals, or None. body: of tokens. head: a layer [W, G C (1 + D)],
    for each code its logit and its correction."""

    read: Layer
    aim: Layer | None
    body: Transformer
    head: Layer


@struct
class BetState:
    """policy: its networks. codes: the state of `BeT.codes`. optimiser: Optax's."""

    policy: BetPolicy
    codes: Any
    optimiser: Any
    acts: policies.Policy = static()


@part
class BeT:
    """Names a code of the next actions, drawn by its probability, and adds a correction; a `SequenceLearner`.

    The codes are fitted in the first lessons and frozen; the transformer learns after that. With one code it is plain
    cloning by squared error.
    """

    codes: coding.Codes = KMeans()
    """How actions are coded: `KMeans()` or `Residual()`."""
    window: int = 10
    """Steps of history that it reads."""
    goal: Literal["none", "future"] = "none"
    """"future" reads a goal: in lessons a later moment of the same stretch, in life the goal that the world shows."""
    chunk: int = 1
    """Actions that one code stands for."""
    ahead: int = 64
    """Transitions of the stretches that goals are drawn from."""
    offsets: Literal["true", "sampled", "none"] = "true"
    """Which correction learns: that of the true code, by squared error; that of a code drawn from the policy, by absolute
    error; or none, and codes stand for themselves."""
    offset_weight: float = 100.0
    """Weight of the error of corrections beside the loss of codes."""
    focus: float = 2.0
    """How much less codes count that are predicted well already (gamma of the focal loss); 0 for cross entropy."""
    coarse: float = 1.0
    """Weight of the first level of codes beside the others."""
    width: int = 64
    """Width of tokens."""
    layers: int = 2
    """Blocks of the transformer."""
    heads: int = 4
    """Heads of attention."""
    learning_rate: float = 1e-3
    """Step size of AdamW."""
    decay: float = 0.1
    """Decay of the weights, in units of the step size."""

    metrics = (CODE_LOSS, OFFSET_LOSS, CODES_ERROR)
    cites = ("bet_2022",)

    @property
    def context(self) -> int:
        """Steps of history that it reads."""
        return self.window

    @property
    def length(self) -> int:
        """Transitions of a stretch to learn from."""
        return self.window + self.chunk - 1 if self.goal == "none" else self.ahead

    @property
    def reads_goal(self) -> bool:
        """Whether it reads a goal."""
        return self.goal == "future"

    def init(self, key: jax.Array, width: int, action: Any) -> BetState:
        """Begin without codes, and with nearly even chances."""
        if self.reads_goal and self.ahead < self.window + self.chunk:
            raise ValueError(
                f"ahead={self.ahead}: a goal lies behind the window and a chunk; give {self.window + self.chunk} or more"
            )
        reading, aiming, drawing, heading, coding_ = keys.split(key, "read", "aim", "body", "head", "codes")
        acts = policies.over(action)
        size = self.chunk * acts.inputs
        out = self.codes.levels * self.codes.number * (1 + size)
        policy = BetPolicy(
            read=layers.layer(reading, width, self.width),
            aim=layers.layer(aiming, width, self.width) if self.reads_goal else None,
            body=transformer.transformer(drawing, self.window + 1, self.width, self.layers, self.heads),
            head=layers.layer(heading, self.width, out, scale=0.01),
        )
        return BetState(policy=policy, codes=self.codes.init(coding_, size), optimiser=self._optimiser().init(policy), acts=acts)

    def act(self, key: jax.Array, state: BetState, features: Context, mode: Mode, open: jax.Array | None = None) -> jax.Array:
        """Draw codes at the newest step, in every mode: the likeliest one would be one habit of many."""
        logits, offsets = self.outputs(state.policy, features)
        drawn = jax.random.categorical(key, logits[:, -1])
        found = self.codes.decode(state.codes, drawn)
        if self.offsets != "none":
            found = found + _of(offsets[:, -1], drawn)
        return found.reshape(found.shape[0], self.chunk, -1)

    def learn(self, key: jax.Array, state: BetState, batch: Sequences) -> tuple[BetState, Info]:
        """Fit the codes in the first lessons, and update the policy once in each later one."""
        picking, learning = keys.split(key, "pick", "learn")
        context, rows, known = self._rows(picking, batch)
        weight = known.reshape(-1).astype(jnp.float32)
        wanted = jnp.where(known[:, :, None], rows, 0.0).reshape(-1, rows.shape[-1])

        def fit(state: BetState) -> tuple[BetState, Info]:
            held = self.codes.fit(learning, state.codes, wanted, weight)
            return replace(state, codes=held), {"code_loss": jnp.float32(0), "offset_loss": jnp.float32(0)}

        def clone(state: BetState) -> tuple[BetState, Info]:
            (_, info), gradient = jax.value_and_grad(self.loss, has_aux=True)(
                state.policy, learning, state, context, wanted, weight
            )
            policy, optimised = stepped(self._optimiser(), gradient, state.optimiser, state.policy)
            some = jnp.any(weight > 0)
            held = (state.policy, state.optimiser)
            policy, optimised = jax.tree.map(lambda new, old: jnp.where(some, new, old), (policy, optimised), held)
            return replace(state, policy=policy, optimiser=optimised), info

        state, info = jax.lax.cond(self.codes.fitted(state.codes), clone, fit, state)
        apart = jnp.mean(jnp.abs(self.codes.decode(state.codes, self.codes.encode(state.codes, wanted)) - wanted), axis=-1)
        return state, {**info, "codes_error": _mean(apart, weight)}

    def loss(
        self, policy: BetPolicy, key: jax.Array, state: BetState, context: Context, wanted: jax.Array, weight: jax.Array
    ) -> tuple[jax.Array, Info]:
        """The loss of a policy on histories [N, K], whose next chunks are wanted [N K, D] where weight [N K] is above 0."""
        logits, offsets = (each.reshape(-1, *each.shape[2:]) for each in self.outputs(policy, context))
        true = self.codes.encode(state.codes, wanted)
        each = focal(logits, true, self.focus)
        levels = jnp.ones(self.codes.levels).at[0].set(self.coarse)
        named = _mean(each @ levels, weight)
        if self.offsets == "none":
            return named, {"code_loss": named, "offset_loss": jnp.float32(0)}
        chosen = true if self.offsets == "true" else jax.random.categorical(key, jax.lax.stop_gradient(logits))
        left = wanted - self.codes.decode(state.codes, chosen) - _of(offsets, chosen)
        missed = _mean(jnp.mean(left**2 if self.offsets == "true" else jnp.abs(left), axis=-1), weight)
        return named + self.offset_weight * missed, {"code_loss": named, "offset_loss": missed}

    def outputs(self, policy: BetPolicy, context: Context) -> tuple[jax.Array, jax.Array]:
        """Logits [N, K, G, C] and corrections [N, K, G, C, D] at every step of histories [N, K]."""
        tokens, known = layers.finished(policy.read, context.features @ policy.read.weight), context.known
        places = 1 + transformer.order(known)
        if policy.aim is not None:
            goal = layers.finished(policy.aim, context.goal @ policy.aim.weight)[:, None]
            tokens = jnp.concatenate([goal, tokens], axis=1)
            known = jnp.pad(known, ((0, 0), (1, 0)), constant_values=True)
            places = jnp.pad(places, ((0, 0), (1, 0)))
        mask = transformer.seen(transformer.causal(tokens.shape[1]), known)
        read = transformer.apply(policy.body, tokens, mask, places)[:, tokens.shape[1] - context.known.shape[1] :]
        found = layers.finished(policy.head, read @ policy.head.weight)
        shape = (*found.shape[:2], self.codes.levels, self.codes.number)
        found = found.reshape(*shape, -1)
        return found[..., 0], found[..., 1:]

    def _rows(self, key: jax.Array, batch: Sequences) -> tuple[Context, jax.Array, jax.Array]:
        """Histories [N, K], the chunks [N, K, D] that follow each step, and which of those are to be learned, [N, K]."""
        rows, known = chunks(batch, self.chunk)
        if not self.reads_goal:
            cut = jax.tree.map(lambda leaf: leaf[:, : self.window], replace(batch.context, goal=None))
            return cut, rows, known
        return _towards(key, batch, rows, known, self.window, self.chunk)

    def _optimiser(self) -> Any:
        return optimiser(self.learning_rate, clip=1.0, decay=self.decay, decays=_matrices)


def focal(logits: jax.Array, true: jax.Array, focus: float) -> jax.Array:
    """The focal loss -(1 - p)^focus log p of the true class [...] under logits [..., C]; cross entropy where focus is 0."""
    log = jnp.take_along_axis(jax.nn.log_softmax(logits), true[..., None], axis=-1)[..., 0]
    return -((1.0 - jnp.exp(log)) ** focus) * log if focus else -log


def _of(offsets: jax.Array, codes: jax.Array) -> jax.Array:
    """The corrections of given codes, summed over levels: offsets [N, G, C, D], codes [N, G] -> [N, D]."""
    return jnp.sum(jnp.take_along_axis(offsets, codes[:, :, None, None], axis=2)[:, :, 0], axis=1)


def _towards(
    key: jax.Array, batch: Sequences, rows: jax.Array, known: jax.Array, window: int, chunk: int
) -> tuple[Context, jax.Array, jax.Array]:
    """Histories that begin anywhere in what is known of a stretch, each with a goal that comes later. What is done after
    the goal is not learned."""
    starting, aiming = keys.split(key, "start", "goal")
    number, length = batch.acted.shape
    first = jnp.argmax(batch.context.known, axis=1)
    past = first + jnp.sum(batch.context.known, axis=1)

    def between(key: jax.Array, low: jax.Array) -> jax.Array:
        return low + jnp.floor(jax.random.uniform(key, (number,)) * (past - low)).astype(jnp.int32)

    start = between(starting, first)
    end = between(aiming, start)
    at = start[:, None] + jnp.arange(window)
    inside = jnp.minimum(at, length - 1)

    def taken(leaf: jax.Array) -> jax.Array:
        return jax.vmap(lambda row, places: row[places])(leaf, inside)

    context = replace(
        jax.tree.map(taken, replace(batch.context, goal=None)), goal=jax.vmap(lambda row, place: row[place])(batch.achieved, end)
    )
    context = replace(context, known=context.known & (at < length))
    before = at + chunk - 1 <= end[:, None]
    short = jnp.minimum(at, rows.shape[1] - 1)
    wanted, learned = (jax.vmap(lambda row, places: row[places])(leaf, short) for leaf in (rows, known))
    return context, wanted, learned & before & (at < rows.shape[1])


def _matrices(weights: Any) -> Any:
    """The weights that decay: neither gains nor biases."""
    return jax.tree.map(lambda leaf: leaf.ndim > 1, weights)


def _mean(values: jax.Array, weight: jax.Array) -> jax.Array:
    return jnp.sum(values * weight) / jnp.maximum(jnp.sum(weight), 1.0)
