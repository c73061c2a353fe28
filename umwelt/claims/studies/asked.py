"""A policy of histories studies logs, is asked for the best return in them, and is examined; and how widely it attends."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import Sequenced, histories
from umwelt.claims.arms import Measure
from umwelt.claims.studies.offline import between, episodes
from umwelt.core import Experience, keys, part
from umwelt.core.contracts import Agent
from umwelt.memory.played import Played
from umwelt.networks import policies, transformer
from umwelt.networks.inside import with_batch
from umwelt.worlds import stream

SPREAD = Measure(name="attention_entropy", unit="of that of even attention", better="up")
"""The entropy of what a token reads, over that of reading all that it may read alike."""


@part
class Asked:
    """An agent that studies each of some logs and is examined in its world: means over the logs; a function of a key."""

    agent: Sequenced
    data: tuple[Played, ...]
    """How each log is played; all episodes last until the world's time limit."""
    updates: int = 2000
    probes: int = 30
    """Episodes of each exam."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Play, study and examine: {measure: float32 []}."""
        found = [self.one(keys.fold(key, f"log{index}"), data) for index, data in enumerate(self.data)]
        return jax.tree.map(lambda *values: jnp.mean(jnp.stack(values)), *found)

    def one(self, key: jax.Array, data: Played) -> dict[str, jax.Array]:
        """The measures of one log."""
        playing, beginning, studying, probing, looking = keys.split(key, "play", "begin", "study", "probe", "look")
        state = self.agent.init(beginning, with_batch(data.world, data.episodes).spec)
        state = studied(self.agent, state, episodes(data, playing), studying, self.updates)
        return {
            "normalised": normalised(self.agent, state, data.world, probing, self.probes),
            "attention_entropy": self._spread(looking, state),
        }

    def _spread(self, key: jax.Array, state: Any) -> jax.Array:
        """The mean entropy of attention in stretches of the log, as a share of the largest."""
        agent: Any = self.agent
        drawn = agent.memory.sample(key, state.memory, (64, agent.learner.length))
        batch = histories.of(key, state.seen, policies.over(state.action_form.space), drawn, False)
        batch = histories.standardised(batch, state.units, state.returns, agent.clip, None)
        regions = agent.learner._regions(state.learner, batch.context.actions)
        policy = state.learner.policy
        laid, mask, places = agent.learner.tokens(policy, batch.context, regions)
        shares = transformer.attention(policy.body, laid, mask, places)
        entropy = -jnp.sum(shares * jnp.log(shares + 1e-12), axis=-1)
        most = jnp.log(jnp.sum(mask, axis=-1))[None, :, None]
        return jnp.sum(entropy) / jnp.sum(jnp.broadcast_to(most, entropy.shape))


def studied(agent: Agent, state: Any, shown: Experience, key: jax.Array, updates: int) -> Any:
    """The agent's state after it was shown experience [T, B] and has learned."""
    state, _ = jax.lax.scan(lambda state, one: (agent.remember(key, state, one)[0], None), state, shown)
    learn = lambda state, key: (agent.learn(key, state)[0], None)  # noqa: E731
    return jax.lax.scan(learn, state, jax.random.split(key, updates))[0]


def normalised(agent: Agent, state: Any, world: Any, key: jax.Array, number: int) -> jax.Array:
    """The agent's mean return in a probe between that of chance, 0, and of the expert, 1: float32 []."""
    return between(world, key, number, probed(agent, state, with_batch(world, number), key))


def probed(agent: Agent, state: Any, room: Any, key: jax.Array) -> jax.Array:
    """The agent's mean return of one episode of each row of a world: float32 []."""
    begin_key, roll_key = keys.split(key, "init", "roll")
    task, number = stream.default(room, None, room.spec.batch), room.spec.batch
    body = agent.embody(key, state, room.spec)

    def tick(carry: Any, key: jax.Array) -> tuple[Any, None]:
        body, state, step, alive, total = carry
        seeing, choosing, stepping = keys.split(key, "see", "act", "step")
        body, _ = agent.see(seeing, body, step)
        body, action = agent.act(choosing, body, "exploit")
        state, next = room.step(stepping, state, action, task)
        total = total + jnp.where(alive, next.reward, 0.0)
        return (body, state, next, alive & ~next.last, total), None

    begun = (body, *room.init(begin_key, task), jnp.ones(number, bool), jnp.zeros(number))
    (_, _, _, _, total), _ = jax.lax.scan(tick, begun, jax.random.split(roll_key, room.time_limit))
    return jnp.mean(total)
