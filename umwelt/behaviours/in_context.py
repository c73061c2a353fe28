"""A transformer that learns in its context: it names the best action of a task from what happened so far.

"Supervised pretraining can learn in-context reinforcement learning" (2023). It practises on tasks that are drawn without end.
In each of them something acts by chance, and the best action at one moment is the label. What comes out weighs actions as
posterior sampling does, so that it explores while it does not know.
"""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.core import (
    DOUBT,
    SURPRISE,
    Discrete,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    capability,
    keys,
    part,
    static,
    struct,
)
from umwelt.core.contracts import Mode
from umwelt.networks import layers, transformer
from umwelt.networks.form import Form, vectors
from umwelt.networks.inside import with_batch
from umwelt.networks.layers import Layer
from umwelt.networks.optimise import optimiser, stepped
from umwelt.networks.transformer import Transformer

NAMING = Metric(name="naming_loss", unit="nats", meaning="cross entropy of the action to name, over all prefixes", better="down")


@struct
class Namer:
    """read: a layer from a moment as numbers to a token. network: over tokens. head: a layer from a token to logits."""

    read: Layer
    network: Transformer
    head: Layer


@struct
class InContextState:
    """policy: a namer. optimiser: Optax's. moments: float32 [B, H, W], those of the episode, in order. count: int32 [B], how
    many there are. observation: features [B, F]. action: int32 [B], the pending one."""

    policy: Namer
    optimiser: Any
    moments: jax.Array
    count: jax.Array
    observation: jax.Array
    action: jax.Array
    observation_form: Form = static()
    choices: int = static()


@part
class InContext:
    """Practises on drawn tasks of a world, and in its life learns within each episode, without a change of weights.

    A context is what happened in the present episode; its oldest moments are dropped beyond `horizon`. A moment has no
    place; its order is only in what it may read.
    """

    world: Any
    """The pure world of choices that it practises in, with an `expert`; tasks are `drawn`, or named ones."""
    horizon: int = 50
    """Moments of a context."""
    aim: Literal["best", "shown"] = "best"
    """What it names: the expert's action, or one of what acted in its practice."""
    batch: int = 64
    """Tasks of one lesson."""
    width: int = 32
    """Numbers of a token."""
    layers: int = 2
    """Blocks of the transformer."""
    heads: int = 1
    """Heads of each block."""
    learning_rate: float = 1e-3
    """Step size of Adam."""

    metrics = (SURPRISE, DOUBT, NAMING)
    cites = ("dpt_2023",)

    def init(self, key: jax.Array, spec: WorldSpec) -> InContextState:
        """Begin with an untrained network and an empty context."""
        if not isinstance(spec.action, Discrete):
            raise ValueError(f"world: {spec.name} has actions {spec.action}; InContext names one of several choices")
        if spec.action != self.world.spec.action:
            raise ValueError(f"world: practice has actions {self.world.spec.action}, where {spec.name} has {spec.action}")
        if self.world.spec.hosted:
            raise ValueError(f"world: InContext practises in compiled programs, and {self.world.spec.name} is a simulator")
        if self.world.time_limit < self.horizon:
            raise ValueError(f"horizon={self.horizon}: an episode of practice ends after {self.world.time_limit}; ask for less")
        for_read, for_network, for_head = keys.split(key, "read", "network", "head")
        seen = vectors(spec.observation, self)
        wide = 2 + 2 * seen.width + spec.action.n
        network = transformer.transformer(for_network, 1, self.width, self.layers, self.heads)
        head = layers.layer(for_head, self.width, spec.action.n, scale=0.1)
        policy = Namer(read=layers.layer(for_read, wide, self.width), network=network, head=head)
        return InContextState(
            policy=policy,
            optimiser=self._optimiser().init(policy),
            moments=jnp.zeros((spec.batch, self.horizon, wide), jnp.float32),
            count=jnp.zeros(spec.batch, jnp.int32),
            observation=jnp.zeros((spec.batch, seen.width), jnp.float32),
            action=jnp.zeros(spec.batch, jnp.int32),
            observation_form=seen,
            choices=spec.action.n,
        )

    def see(self, key: jax.Array, state: InContextState, step: TimeStep) -> tuple[InContextState, Info]:
        """Add the moment that led here; where an episode begins, forget what there was."""
        after = state.observation_form.flat(step.observation)
        moment = moments(state.observation, jax.nn.one_hot(state.action, state.choices), after, step.reward)
        full = state.count >= self.horizon
        shifted = jnp.where(full[:, None, None], jnp.roll(state.moments, -1, axis=1), state.moments)
        place = jnp.minimum(state.count, self.horizon - 1)
        held = jax.vmap(lambda row, at, new: row.at[at].set(new))(shifted, place, moment)
        count = jnp.where(step.first, 0, jnp.minimum(state.count + 1, self.horizon))
        nothing = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        return replace(state, moments=held, count=count, observation=after), {"surprise": nothing, "doubt": nothing}

    def act(self, key: jax.Array, state: InContextState, mode: Mode = "explore") -> tuple[InContextState, Any]:
        """Draw the action that is named; take the likeliest in a probe."""
        if mode == "random":
            action = jax.random.randint(key, state.count.shape, 0, state.choices)
        else:
            every = logits(state.policy, query(state.observation, state.moments.shape[-1]), state.moments)
            found = jnp.take_along_axis(every, state.count[:, None, None], axis=1)[:, 0]
            action = jnp.argmax(found, axis=-1) if mode == "exploit" else jax.random.categorical(key, found, axis=-1)
        action = action.astype(jnp.int32)
        return replace(state, action=action), action

    def remember(self, key: jax.Array, state: InContextState, experience: Experience) -> tuple[InContextState, Info]:
        """Keep nothing: the context holds the episode, and no weight learns from a life."""
        return state, {}

    def learn(self, key: jax.Array, state: InContextState) -> tuple[InContextState, Info]:
        """Practise once, on tasks that are drawn now."""
        asked, before, label = self.practice(key, state)

        def miss(policy: Namer) -> jax.Array:
            named = jax.nn.log_softmax(logits(policy, asked, before), axis=-1)
            return -jnp.mean(jnp.take_along_axis(named, label[:, None, None], axis=-1))

        loss, gradient = jax.value_and_grad(miss)(state.policy)
        policy, optimised = stepped(self._optimiser(), gradient, state.optimiser, state.policy, jax.grad(miss))
        return replace(state, policy=policy, optimiser=optimised), {"naming_loss": loss}

    def practice(self, key: jax.Array, state: InContextState) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Drawn tasks: queries [N, W], what happened [N, H, W], and the actions to name, int32 [N].

        In each task something acts by chances of its own, which are even between a draw and an even share of one action.
        """
        tasking, mixing, only, weighing, beginning, rolling, asking, telling = keys.split(
            key, "task", "mix", "only", "weigh", "begin", "roll", "ask", "tell"
        )
        world, seen, number = with_batch(self.world, self.batch), state.observation_form, self.batch
        task = drawn_tasks(world, tasking, number)
        loose = jax.random.dirichlet(mixing, jnp.ones(state.choices), (number,))
        one = jax.nn.one_hot(jax.random.randint(only, (number,), 0, state.choices), state.choices)
        weight = jax.random.uniform(weighing, (number, 1))
        chances = jnp.log(weight * loose + (1.0 - weight) * one + 1e-9)

        def tick(held: Any, key: jax.Array) -> tuple[Any, Any]:
            acting, stepping = keys.split(key, "act", "step")
            inside, step = held
            action = jax.random.categorical(acting, chances, axis=-1).astype(jnp.int32)
            inside, next = world.step(stepping, inside, action, task)
            now, after = seen.flat(step.observation), seen.flat(next.observation)
            return (inside, next), (step.observation, moments(now, jax.nn.one_hot(action, state.choices), after, next.reward))

        _, (places, happened) = jax.lax.scan(tick, world.init(beginning, task), jax.random.split(rolling, self.horizon))
        when = jax.random.randint(asking, (number,), 0, self.horizon)
        place = jax.tree.map(lambda leaf: leaf[when, jnp.arange(number)], places)
        expert: Any = capability(world, "expert", required="aim='best'") if self.aim == "best" else None
        label = expert(telling, place, task) if expert else jax.random.categorical(telling, chances, axis=-1)
        before = jnp.swapaxes(happened, 0, 1)
        return query(seen.flat(place), before.shape[-1]), before, label.astype(jnp.int32)

    def embody(self, key: jax.Array, state: InContextState, spec: WorldSpec) -> InContextState:
        """Put the same network into spec.batch rows that have seen nothing."""
        fresh = jnp.zeros((spec.batch, *state.moments.shape[1:]), jnp.float32)
        none = jnp.zeros(spec.batch, jnp.int32)
        width = state.observation.shape[-1]
        return replace(state, moments=fresh, count=none, action=none, observation=jnp.zeros((spec.batch, width), jnp.float32))

    def imagine(self, key: jax.Array, state: InContextState, actions: Any) -> Prediction | None:
        """Return None: it has no model."""
        return None

    def _optimiser(self) -> Any:
        return optimiser(self.learning_rate, clip=1.0)


def drawn_tasks(world: Any, key: jax.Array, number: int) -> Any:
    """Tasks [number]: as the world draws them, or of its named ones where it draws none."""
    if draw := capability(world, "drawn"):
        return jax.vmap(draw)(jax.random.split(key, number))
    named = jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *world.tasks().values())
    chosen = jax.random.randint(key, (number,), 0, len(world.tasks()))
    return jax.tree.map(lambda leaf: leaf[chosen], named)


def moments(now: jax.Array, done: jax.Array, after: jax.Array, reward: jax.Array) -> jax.Array:
    """Moments as numbers [N, W]: no question, what was seen, what was done, what followed, and what was paid."""
    return jnp.concatenate([jnp.zeros_like(reward)[:, None], now, done, after, reward[:, None]], axis=-1)


def query(now: jax.Array, width: int) -> jax.Array:
    """Questions as numbers [N, W]: what is seen [N, F], and zeros for all that is to come."""
    asked = jnp.concatenate([jnp.ones((now.shape[0], 1)), now], axis=-1)
    return jnp.pad(asked, ((0, 0), (0, width - asked.shape[-1])))


def logits(policy: Namer, asked: jax.Array, before: jax.Array) -> jax.Array:
    """Name the action after each prefix of what happened: [N, W], [N, H, W] -> float32 [N, H + 1, choices]."""
    rows = jnp.concatenate([asked[:, None], before], axis=1)
    tokens = layers.finished(policy.read, rows @ policy.read.weight)
    length = rows.shape[1]
    read = transformer.apply(policy.network, tokens, transformer.causal(length), jnp.zeros(length, jnp.int32))
    return layers.finished(policy.head, read @ policy.head.weight)
