"""A few crossings that are shown with actions and many without: what a policy makes of both, and what it knows of the world."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import Sequenced, Unified
from umwelt.claims.arms import Measure
from umwelt.claims.studies.crossed import Crossed
from umwelt.core import WATCHED, Experience, keys, part
from umwelt.networks.inside import with_batch
from umwelt.networks.scale import standard
from umwelt.worlds import Crossing

FORWARD = Measure(name="forward_error", unit="deviations", better="down")
"""Mean distance of what follows a known action from what is drawn for it, in deviations of what is seen."""
INVERSE = Measure(name="inverse_error", unit="units", better="down")
"""Mean distance of an action from what is drawn for a known next observation."""


@part
class Scattered(Crossed):
    """Crossings that begin anywhere before the field."""

    @property
    def field(self) -> Crossing:
        """The field itself."""
        return Crossing(time_limit=self.time_limit, spread=0.8)


@part
class HalfWatched:
    """An agent that is shown one route, mostly without actions, and crosses; a function of a key."""

    agent: Sequenced
    known: int = 2
    """Streams that are shown with their actions; each has `turns` episodes."""
    watched: bool = True
    """Show the other streams too, without their actions."""
    rows: int = 42
    turns: int = 5
    noise: float = 0.1
    """Deviation of the noise on what is shown."""
    updates: int = 4000

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Show, study and examine: {measure: float32 []}."""
        playing, beginning, studying, probing, asking = keys.split(key, "play", "begin", "study", "probe", "ask")
        study = self._crossed
        shown = self.hidden(study.shown(playing))
        rows = self.rows if self.watched else self.known
        shown = jax.tree.map(lambda leaf: leaf[:, :rows], shown)
        state = self.agent.init(beginning, with_batch(study.world, rows).spec)
        state, _ = study.studied(studying, state, shown)
        found = study.examined(probing, state)
        return {"success": found["success"], **self.errors(asking, state, study.shown(probing))}

    def hidden(self, shown: Experience) -> Experience:
        """The experience [T, B] without the actions of all streams but the first ones."""
        others = jnp.arange(self.rows) >= self.known
        action = jnp.where(others[:, None], 0.0, shown.action)
        return replace(shown, action=action, origin=jnp.where(others, jnp.int8(WATCHED), shown.origin))

    def errors(self, key: jax.Array, state: Any, shown: Experience) -> dict[str, jax.Array]:
        """How far draws are from transitions [T, B] that were never shown; none of a learner that draws only actions."""
        learner = self.agent.learner
        if not isinstance(learner, Unified) or learner.window != 1 or learner.chunk != 1:
            return {}
        predicting, inverting = keys.split(key, "forward", "inverse")
        flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), shown)
        # places are units already, as the field is
        now, after = (standard(state.units, each.observation, self.agent.clip) for each in (flat.step, flat.next))
        seen = jnp.concatenate([now, jnp.ones((now.shape[0], 1))], axis=-1)
        mean = replace(state.learner, policy=state.mean)
        _, later = learner.drawn(predicting, mean, seen, actions=flat.action)
        done, _ = learner.drawn(inverting, mean, seen, after=after)
        pairs = {"forward_error": (later, after), "inverse_error": (done, flat.action)}
        weight = flat.valid.astype(jnp.float32)

        def distance(one: jax.Array, other: jax.Array) -> jax.Array:
            return jnp.sum(jnp.sqrt(jnp.sum((one - other) ** 2, axis=-1)) * weight) / jnp.sum(weight)

        return {name: distance(*both) for name, both in pairs.items()}

    @property
    def _crossed(self) -> Scattered:
        return Scattered(
            agent=self.agent,
            modes=1,
            rows=self.rows,
            turns=self.turns,
            noise=self.noise,
            updates=self.updates,
            starts=24,
            probes=5,
        )
