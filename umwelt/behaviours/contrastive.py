"""Reach goals by contrast: the critic knows which moments follow which, and the policy seeks those that lead to the goal.

"Contrastive learning as goal-conditioned reinforcement learning" (NeurIPS 2022), and "A single goal is all you need" (ICLR
2025), in which the goal that is set is always the same hard one. No reward is read.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import ENTROPY
from umwelt.behaviours.memories import empty, example
from umwelt.behaviours.soft_actor_critic import TEMPERATURE
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
    spaces,
    static,
    struct,
)
from umwelt.core.contracts import Memory, Mode
from umwelt.networks import contrast, layers, policies
from umwelt.networks.form import Form, vectors
from umwelt.networks.later import later_moment
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped, where_any

APART = Metric(name="told_apart", unit="share", meaning="rows of a batch whose own later moment scores highest", better="up")
SEEN, TASK = "seen", "task"
"""The leaves of an announced observation."""


@struct
class ContrastiveState:
    """policy: a stack. critic: stacks of moment and action, and of goals. temperature: float32 [], its logarithm.
    optimisers: of policy, critic and temperature. memory: None in a body for probes. observation: leaves [B, ...]."""

    policy: Stack
    critic: tuple[Stack, Stack]
    temperature: jax.Array
    optimisers: tuple[Any, Any, Any]
    memory: Any
    observation: Any
    observation_form: Form = static()
    acts: policies.Gaussian = static()


@part
class Contrastive:
    """A policy towards the goal that the world announces, which is some entries of what it shows.

    >>> from umwelt.memory import Trajectories
    >>> from umwelt.worlds import Pendulum
    >>> from umwelt.worlds.wanted import announcing_goals

    >>> agent = Contrastive(memory=Trajectories(bytes=10_000, length=3, across=True), horizon=3, units=8)
    >>> state = agent.init(jax.random.key(0), announcing_goals(Pendulum()).spec)
    >>> state.critic[0][0].weight.shape  # three numbers of the pendulum, and its torque
    (4, 8)
    """

    cites = ("contrastive_rl_2022", "single_goal_2025")

    memory: Memory
    """A memory of sequences of `horizon` transitions, such as `Trajectories(length=50, across=True)`."""
    entries: tuple[int, ...] = ()
    """The entries of what is seen that a goal wants; empty for the first ones, as many as a goal has."""
    units: int = 256
    """Width of the two hidden layers."""
    size: int = 64
    """Numbers of a representation."""
    learning_rate: float = 3e-4
    """Step size of Adam."""
    discount: float = 0.99
    """How much less often each further step is a row's positive."""
    horizon: int = 50
    """How far away it lies, at most."""
    batch: int = 256
    """Rows of one update."""
    target_entropy: float = 0.0
    """The policy's entropy that the temperature keeps, in nats for each entry of an action."""

    metrics = (SURPRISE, DOUBT, APART, ENTROPY, TEMPERATURE)

    def init(self, key: jax.Array, spec: WorldSpec) -> ContrastiveState:
        """Begin untrained."""
        seen, wanted = self._widths(spec)
        acts = policies.over(spec.action, lowest=-5.0)
        if not isinstance(acts, policies.Gaussian):
            raise ValueError(f"action space {spec.action!r}: Contrastive acts in one Box; take a world of continuous actions")
        for_policy, for_moment, for_goal = keys.split(key, "policy", "moment", "goal")
        hidden = (self.units, self.units)
        policy = layers.stack(for_policy, (seen + wanted, *hidden, acts.width), scale=0.01, normed=False)
        moment = layers.stack(for_moment, (seen + acts.size, *hidden, self.size), normed=False)
        goal = layers.stack(for_goal, (wanted, *hidden, self.size), normed=False)
        temperature, adam = jnp.zeros((), jnp.float32), optimiser(self.learning_rate)
        return ContrastiveState(
            policy=policy,
            critic=(moment, goal),
            temperature=temperature,
            optimisers=(adam.init(policy), adam.init((moment, goal)), adam.init(temperature)),
            memory=empty(self.memory, example(spec), (self.batch, self.horizon)),
            observation=spaces.zeros(spec.observation, spec.batch),
            observation_form=vectors(spec.observation, self),
            acts=acts,
        )

    def see(self, key: jax.Array, state: ContrastiveState, step: TimeStep) -> tuple[ContrastiveState, Info]:
        """Keep the observation to act on."""
        nothing = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        return replace(state, observation=step.observation), {"surprise": nothing, "doubt": nothing}

    def act(self, key: jax.Array, state: ContrastiveState, mode: Mode = "explore") -> tuple[ContrastiveState, Any]:
        """Draw from the policy; take its best action in a probe."""
        seen, goal = self._read(state, state.observation)
        if mode == "random":
            unit = jax.random.uniform(key, (seen.shape[0], state.acts.size), minval=-1.0, maxval=1.0)
            return state, state.acts.action(unit)
        outputs = layers.apply(state.policy, jnp.concatenate([seen, goal], axis=-1), jax.nn.relu)
        return state, state.acts.action(state.acts.best(outputs) if mode == "exploit" else state.acts.draw(key, outputs)[0])

    def remember(self, key: jax.Array, state: ContrastiveState, experience: Experience) -> tuple[ContrastiveState, Info]:
        """Store the experience."""
        return replace(state, memory=self.memory.add(key, state.memory, experience)), {}

    def learn(self, key: jax.Array, state: ContrastiveState) -> tuple[ContrastiveState, Info]:
        """Update the critic, then the policy, then the temperature, once from memory."""
        sampling, choosing, acting = keys.split(key, "sample", "choose", "act")
        found = self.memory.sample(sampling, state.memory, (self.batch, self.horizon))
        rows = jnp.arange(self.batch)
        later = later_moment(choosing, found.valid, jnp.zeros(self.batch, jnp.int32), self.discount)
        first, then = jax.tree.map(lambda leaf: leaf[:, 0], found), jax.tree.map(lambda leaf: leaf[rows, later], found.next)
        weight = first.acted.astype(jnp.float32)
        weighs = weight[:, None] > 0
        seen = jnp.where(weighs, self._read(state, first.step.observation)[0], 0.0)
        goal = jnp.where(weighs, self.reached(state, then.observation), 0.0)
        unit = jnp.where(weighs, state.acts.unit(first.action), 0.0)
        after, info = self._updated(acting, state, seen, unit, goal, weight)
        return where_any(weight, after, state), info

    def values(self, critic: tuple[Stack, Stack], seen: jax.Array, unit: jax.Array, goal: jax.Array) -> jax.Array:
        """Score every goal [M, G] for every moment [N, F] and action [N, A]: float32 [N, M]."""
        moment = layers.apply(critic[0], jnp.concatenate([seen, unit], axis=-1), jax.nn.relu)
        return contrast.similarities(moment, layers.apply(critic[1], goal, jax.nn.relu))

    def embody(self, key: jax.Array, state: ContrastiveState, spec: WorldSpec) -> ContrastiveState:
        """Put the same policy into spec.batch rows, without memory."""
        return replace(state, memory=None, observation=spaces.zeros(spec.observation, spec.batch))

    def imagine(self, key: jax.Array, state: ContrastiveState, actions: Any) -> Prediction | None:
        """Return None: it has no model."""
        return None

    def reached(self, state: ContrastiveState, observation: Any) -> jax.Array:
        """What observations [N] achieve, as a goal is shown: float32 [N, G]."""
        seen, goal = self._read(state, observation)
        return seen[:, jnp.array(self.entries or tuple(range(goal.shape[1])))]

    def _updated(
        self, key: jax.Array, state: ContrastiveState, seen: jax.Array, unit: jax.Array, goal: jax.Array, weight: jax.Array
    ) -> tuple[ContrastiveState, Info]:
        adam = optimiser(self.learning_rate)

        def tell(critic: tuple[Stack, Stack]) -> tuple[jax.Array, jax.Array]:
            logits = self.values(critic, seen, unit, goal)
            return contrast.contrast(logits, weight), contrast.told_apart(logits, weight)

        gradient, apart = jax.grad(tell, has_aux=True)(state.critic)
        critic, of_critic = stepped(adam, gradient, state.optimisers[1], state.critic)
        # half of the goals are the rows' own, half those of others
        half = jnp.arange(seen.shape[0]) % 2 == 0
        sought = jnp.where(half[:, None], goal, jnp.roll(goal, 1, axis=0))
        temperature, share = jnp.exp(state.temperature), weight / jnp.maximum(jnp.sum(weight), 1.0)

        def please(policy: Stack) -> tuple[jax.Array, jax.Array]:
            outputs = layers.apply(policy, jnp.concatenate([seen, sought], axis=-1), jax.nn.relu)
            drawn, log_prob = state.acts.draw(key, outputs)
            moment = layers.apply(critic[0], jnp.concatenate([seen, drawn], axis=-1), jax.nn.relu)
            value = jnp.sum(moment * layers.apply(critic[1], sought, jax.nn.relu), axis=-1)
            return jnp.sum(share * (temperature * log_prob - value)), -jnp.sum(share * log_prob)

        gradient, entropy = jax.grad(please, has_aux=True)(state.policy)
        policy, of_policy = stepped(adam, gradient, state.optimisers[0], state.policy)
        excess = entropy - self.target_entropy * state.acts.size
        heat, of_heat = stepped(adam, excess, state.optimisers[2], state.temperature)
        optimisers = (of_policy, of_critic, of_heat)
        after = replace(state, policy=policy, critic=critic, temperature=heat, optimisers=optimisers)
        return after, {"told_apart": apart, "policy_entropy": entropy, "temperature": temperature}

    def _read(self, state: ContrastiveState, observation: Any) -> tuple[jax.Array, jax.Array]:
        """What is seen and the goal that is shown, in units: float32 [N, F], [N, G]."""
        units, seen = state.observation_form.units(observation), state.observation_form.under((SEEN,))
        return units[:, seen], units[:, ~seen]

    def _widths(self, spec: WorldSpec) -> tuple[int, int]:
        """Numbers of what is seen, and of a goal."""
        space = spec.observation
        if not isinstance(space, dict) or set(space) != {SEEN, TASK}:
            raise ValueError(f"world: {spec.name} shows no goal; wrap it in umwelt.worlds.Announced(only=('goal',))")
        seen, wanted = spaces.width(space[SEEN]), spaces.width(space[TASK])
        if wanted > seen or len(self.entries or range(wanted)) != wanted:
            raise ValueError(
                f"entries={self.entries}: a goal has {wanted} numbers; name as many entries of the {seen} that are seen"
            )
        return seen, wanted
