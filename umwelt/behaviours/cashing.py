"""Pay for knowledge when it comes: what it will be worth to an agent that exploits it.

"Knowledge is reward: learning optimal exploration by predictive reward cashing" (2021). The agent holds a belief over a
few environments. The cross-value of one for another is what the best policy for the one returns in the other. What a
belief is worth is the best mean cross-value; here the policies compared are those that are best for one environment.
Paying the rise of that worth is a potential over situations and beliefs, so the best policy stays what it was.
"""

from dataclasses import replace
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, part, spaces, struct
from umwelt.core.contracts import Agent, Mode

CASHED = Metric(name="cashed", unit="reward", meaning="what the rise of the belief's worth added to the reward of a transition")
SEEN, BELIEF = "seen", "belief"
"""Leaves of what the inner agent observes: the world's observation, and the belief over environments."""


class Knowledge(Protocol):
    """What is known of K environments, one of which an episode takes place in."""

    @property
    def number(self) -> int:
        """How many there are."""
        ...

    @property
    def discount(self) -> float:
        """The worth of the next step in units of this one."""
        ...

    def likelihood(self, observation: Any, action: Any, next_observation: Any) -> jax.Array:
        """The likelihood of what came after in each environment, up to a factor: float32 [N, K]."""
        ...

    def worth(self, observation: Any, belief: jax.Array) -> jax.Array:
        """What the best policy returns on average under beliefs [N, K]: float32 [N]."""
        ...


def cross_values(moves: np.ndarray, rewards: np.ndarray, continues: np.ndarray, discount: float) -> np.ndarray:
    """The value float64 [K, K, S] of the second environment's cells under the policy that is best for the first.

    moves: probabilities [K, S, A, S]. rewards, continues: [K, S, A].
    """
    number, cells, _ = rewards.shape
    values, best = rewards, np.zeros((number, cells))
    # to a ten-millionth: a deterministic family is done after as many sweeps as it has cells
    for _ in range(max(cells, int(np.log(1e-7) / np.log(discount)) + 1)):
        values = rewards + discount * continues * np.einsum("ksat,kt->ksa", moves, best)
        best = values.max(-1)
    found = np.zeros((number, number, cells))
    for one, policy in enumerate(values.argmax(-1)):
        at = (np.arange(cells), policy)
        for other in range(number):
            following = discount * continues[other][at][:, None] * moves[other][at]
            found[one, other] = np.linalg.solve(np.eye(cells) - following, rewards[other][at])
    return found


@part
class Tabled:
    """Knowledge of a world whose named tasks are tables: it has `tables`, `cell` and `likelihood`."""

    world: Any
    """Such as `umwelt.worlds.Corridor()`."""
    discount: float = 0.95
    """Worth of the next step in units of this one (gamma)."""

    @property
    def number(self) -> int:
        """As many as the world has named tasks."""
        return len(self.world.tasks())

    @property
    def cross(self) -> np.ndarray:
        """The cross-values, float64 [K, K, S]."""
        moves, rewards, continues = self.world.tables()
        return cross_values(moves, rewards, continues, self.discount)

    def likelihood(self, observation: Any, action: Any, next_observation: Any) -> jax.Array:
        """The world's."""
        return self.world.likelihood(observation, action, next_observation)

    def worth(self, observation: Any, belief: jax.Array) -> jax.Array:
        """The best mean cross-value at the cell that is seen."""
        at = jnp.asarray(self.cross, jnp.float32)[:, :, self.world.cell(observation)]
        return jnp.max(jnp.einsum("kjn,nj->kn", at, belief), axis=0)


@struct
class CashedState:
    """inner: the agent's state. belief: float32 [B, K], of the present step; kept: the same for the step that is
    remembered next. observation, action: leaves [B, ...], the last ones."""

    inner: Any
    belief: jax.Array
    kept: jax.Array
    observation: Any
    action: Any


@part
class Cashed:
    """An agent that is shown a belief over environments, and is paid for the rise of what that belief is worth."""

    agent: Agent
    """What acts and learns; its discount should be that of the knowledge."""
    knowledge: Knowledge
    """What turns observations into beliefs, and beliefs into worth."""
    weight: float = 1.0
    """What the rise is multiplied by; 0 shows the belief and pays nothing for it."""

    cites = ("predictive_cashing_2021",)

    @property
    def inner(self) -> None:
        """None: the inner agent observes more than the world shows."""
        return None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the inner agent reports, and what was cashed."""
        return (*self.agent.metrics, CASHED)

    def init(self, key: jax.Array, spec: WorldSpec) -> CashedState:
        """Begin the agent without experience, and with an even belief."""
        even = self._even(spec.batch)
        return CashedState(
            inner=self.agent.init(key, self._spec(spec)),
            belief=even,
            kept=even,
            observation=spaces.zeros(spec.observation, spec.batch),
            action=spaces.zeros(spec.action, spec.batch),
        )

    def see(self, key: jax.Array, state: CashedState, step: TimeStep) -> tuple[CashedState, Info]:
        """Update the belief by Bayes, and let the agent see both."""
        belief = self.updated(state.belief, state.observation, state.action, step)
        inner, info = self.agent.see(key, state.inner, _shown(step, belief))
        return replace(state, inner=inner, belief=belief, observation=step.observation), info

    def act(self, key: jax.Array, state: CashedState, mode: Mode = "explore") -> tuple[CashedState, Any]:
        """Act as the inner agent does."""
        inner, action = self.agent.act(key, state.inner, mode)
        return replace(state, inner=inner, action=action), action

    def remember(self, key: jax.Array, state: CashedState, experience: Experience) -> tuple[CashedState, Info]:
        """Pay the rise of the worth, and let the agent remember."""
        step, next = experience.step, experience.next
        before = jnp.where(step.first[:, None], self._even(step.kind.shape[0]), state.kept)
        after = self.updated(before, step.observation, experience.action, next)
        worth = self.knowledge.worth
        later = jnp.where(next.terminated, 0.0, worth(next.observation, after))
        rise = self.knowledge.discount * later - worth(step.observation, before)
        cashed = jnp.where(experience.valid, self.weight * rise, 0.0)
        paid = replace(_shown(next, after), reward=next.reward + cashed)
        inner, info = self.agent.remember(key, state.inner, replace(experience, step=_shown(step, before), next=paid))
        return replace(state, inner=inner, kept=after), {**info, "cashed": cashed}

    def learn(self, key: jax.Array, state: CashedState) -> tuple[CashedState, Info]:
        """Learn as the inner agent does."""
        inner, info = self.agent.learn(key, state.inner)
        return replace(state, inner=inner), info

    def embody(self, key: jax.Array, state: CashedState, spec: WorldSpec) -> CashedState:
        """The same agent in a new body, with an even belief."""
        even = self._even(spec.batch)
        return replace(
            state,
            inner=self.agent.embody(key, state.inner, self._spec(spec)),
            belief=even,
            kept=even,
            observation=spaces.zeros(spec.observation, spec.batch),
            action=spaces.zeros(spec.action, spec.batch),
        )

    def imagine(self, key: jax.Array, state: CashedState, actions: Any) -> Prediction | None:
        """Return None: what the inner agent imagines holds beliefs."""
        return None

    def updated(self, belief: jax.Array, observation: Any, action: Any, step: TimeStep) -> jax.Array:
        """The belief [B, K] after a step: even where an episode begins, and where all had a likelihood of 0."""
        raw = belief * self.knowledge.likelihood(observation, action, step.observation)
        total = jnp.sum(raw, axis=1, keepdims=True)
        known = (total > 0) & ~step.first[:, None]
        return jnp.where(known, raw / jnp.where(total > 0, total, 1.0), self._even(belief.shape[0]))

    def _even(self, batch: int) -> jax.Array:
        return jnp.full((batch, self.knowledge.number), 1.0 / self.knowledge.number, jnp.float32)

    def _spec(self, spec: WorldSpec) -> WorldSpec:
        """The spec of the world as the inner agent observes it."""
        return replace(spec, observation={SEEN: spec.observation, BELIEF: Box(shape=(self.knowledge.number,), low=0.0, high=1.0)})


def _shown(step: TimeStep, belief: jax.Array) -> TimeStep:
    """A step [B] with the belief beside its observation."""
    return replace(step, observation={SEEN: step.observation, BELIEF: belief})
