"""A masked trajectory model studies a log, and rebuilds what each role hides of episodes that it was not shown."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import Sequenced, histories, masked
from umwelt.claims.arms import Measure
from umwelt.claims.studies.asked import studied
from umwelt.claims.studies.offline import episodes
from umwelt.core import WATCHED, Experience, keys, part
from umwelt.memory.played import Played
from umwelt.networks import policies
from umwelt.networks.inside import with_batch

ROLES: tuple[masked.Role, ...] = ("forward", "inverse", "policy", "asked")
ERRORS = tuple(Measure(name=role, unit="squared deviations or units", better="down") for role in ROLES)
"""The mean error of what each role rebuilds."""


@part
class Rebuilt:
    """An agent with a `Masked` learner that studies a log; a function of a key."""

    agent: Sequenced
    data: Played
    watched: float = 0.0
    """Share of the episodes whose actions are not shown; all others come first."""
    updates: int = 2000
    rows: int = 1000
    """Stretches of the exam."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Play, study and rebuild: {role: float32 []}."""
        playing, beginning, studying, testing = keys.split(key, "play", "begin", "study", "test")
        agent: Any = self.agent
        state = agent.init(beginning, with_batch(self.data.world, self.data.episodes).spec)
        fresh = state.memory
        state = studied(agent, state, self._hidden(episodes(self.data, playing)), studying, self.updates)
        others = episodes(self.data, testing)
        memory, _ = jax.lax.scan(lambda held, one: (agent.memory.add(key, held, one), None), fresh, others)
        drawn = agent.memory.sample(testing, memory, (self.rows, agent.learner.length))
        batch = histories.of(testing, state.seen, policies.over(state.action_form.space), drawn, False)
        batch = histories.standardised(batch, state.units, state.returns, agent.clip, None)
        return {role: self._error(state, batch, role) for role in ROLES}

    def _error(self, state: Any, batch: histories.Sequences, role: masked.Role) -> jax.Array:
        learner: Any = self.agent.learner
        visible, target = masked.shown(role, learner.context)
        seen = jnp.broadcast_to(jnp.asarray(visible), (self.rows, *visible.shape))
        found = learner.rebuilt(state.mean if self.agent.average else state.learner.policy, batch.context, seen)
        errors = masked.missed(state.learner.acts, found, batch)
        return jnp.sum(errors * target) / (self.rows * target.sum())

    def _hidden(self, shown: Experience) -> Experience:
        """The log, with some of the actions taken out."""
        number = self.data.episodes
        hides = jnp.arange(number) >= round((1.0 - self.watched) * number)
        action = jax.tree.map(
            lambda leaf: jnp.where(hides.reshape(1, -1, *(1,) * (leaf.ndim - 2)), jnp.zeros_like(leaf), leaf), shown.action
        )
        return replace(shown, action=action, origin=jnp.where(hides, jnp.int8(WATCHED), shown.origin))
