"""Facts that only a teacher may know: values read them, and the policy does not."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours.on_policy import Rollout
from umwelt.behaviours.proximal import PPO
from umwelt.core import Info, Metric, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks.form import Form


@part
class Parts:
    """Which numbers of features are which. newest: of the present moment. past: of all moments that are seen, the newest
    last. hidden: of what only a teacher knows."""

    newest: tuple[int, ...]
    past: tuple[int, ...]
    hidden: tuple[int, ...]

    def facts(self, features: jax.Array) -> jax.Array:
        """The present moment and what is hidden: float32 [..., K]."""
        return features[..., np.array(self.newest + self.hidden, int)]


def parts(observation: Form, moments: int, reader: Any) -> Parts:
    """Find the parts of an observation `{"seen": ..., "hidden": ...}` that shows so many moments."""
    seen, hidden = (np.flatnonzero(observation.under((name,))) for name in ("seen", "hidden"))
    if not seen.size or seen.size % moments:
        raise ValueError(
            f"past={moments}: {type(reader).__name__} reads that many moments under the name `seen`, and the observation has"
            f" {seen.size} numbers there; wrap the world in `umwelt.worlds.partly(world, hidden=..., past={moments})`"
        )
    newest = seen[-(seen.size // moments) :]
    return Parts(newest=tuple(newest.tolist()), past=tuple(seen.tolist()), hidden=tuple(hidden.tolist()))


class ReadsParts:
    """A base of learners whose features have parts: they begin from the form of an observation, by `init_for`."""

    def init(self, key: jax.Array, width: int, action: Any) -> Any:
        """Refuse features whose parts are not known."""
        name = type(self).__name__
        raise ValueError(f"width={width}: {name} asks for the form of an observation; use it in `OnPolicy`, which gives it")


@struct
class AsymmetricState:
    """inner: of the learner inside."""

    inner: Any
    parts: Parts = static()


@part
class Asymmetric(ReadsParts):
    """A policy of what is seen, and values of what is so and what is hidden; a `RolloutLearner`.

    "Asymmetric actor critic for image-based robot learning" (2018).
    """

    learner: PPO = PPO()
    """The policy and its values."""
    past: int = 6
    """Moments that the world shows."""
    recalls: bool = True
    """Read all moments, in place of the present one."""

    cites = ("asymmetric_2018",)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The learner's."""
        return self.learner.metrics

    def init_for(self, key: jax.Array, observation: Form, action: Any) -> AsymmetricState:
        """Begin untrained."""
        found = parts(observation, self.past, self)
        width = len(found.past if self.recalls else found.newest)
        facts = len(found.newest + found.hidden)
        return AsymmetricState(inner=self.learner.init(key, width, action, facts=facts), parts=found)

    def act(
        self, key: jax.Array, state: AsymmetricState, features: jax.Array, mode: Mode, open: jax.Array | None = None
    ) -> tuple[Any, Any, jax.Array]:
        """Act on what is seen."""
        return self.learner.act(key, state.inner, self._seen(state, features), mode, open)

    def learn(self, key: jax.Array, state: AsymmetricState, rollout: Rollout) -> tuple[AsymmetricState, Info]:
        """Improve policy and values."""
        seen = self._seen(state, rollout.now), self._seen(state, rollout.after)
        told = state.parts.facts(rollout.now), state.parts.facts(rollout.after)
        inner, info = self.learner.learn(key, state.inner, replace(rollout, now=seen[0], after=seen[1], facts=told))
        return replace(state, inner=inner), info

    def _seen(self, state: AsymmetricState, features: jax.Array) -> jax.Array:
        return jnp.take(features, np.array(state.parts.past if self.recalls else state.parts.newest), axis=-1)
