"""Learners around a learner: one that standardises what is seen, and one that probes with averaged weights."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.around import AroundLearner
from umwelt.behaviours.batch import Batch, Learner, wiped
from umwelt.core import Info, part, struct
from umwelt.core.contracts import Mode
from umwelt.networks import scale
from umwelt.networks.optimise import averaged, where_any
from umwelt.networks.scale import Scale


@struct
class StandardState:
    """inner: the learner's state. seen: the scale of features [F]. lessons: int32 []."""

    inner: Any
    seen: Scale
    lessons: jax.Array


@part
class Standard(AroundLearner):
    """Brings features to mean 0 and deviation 1 of the batches of the first lessons, and learns from those.

    A network learns slowly from a column that is a hundred times wider than another. The scale is frozen after `lessons`,
    so that values and policy keep their meaning in the life that follows.
    """

    learner: Learner
    """What learns from standard features."""
    lessons: int = 500
    """Lessons in which the scale is measured."""
    clip: float = 10.0
    """The largest feature, in deviations."""

    passes = ("imitate", "worth", "outputs")
    """Capabilities of the learner inside that hold here too."""

    def project(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Turn the arguments of a capability into those of the learner inside."""
        state = arguments["state"]
        found = {**arguments, "state": state.inner}
        if "features" in found:
            found["features"] = self._standard(state.seen, found["features"])
        if "batch" in found:
            found["batch"] = self._read(state.seen, found["batch"])
        return found

    def init(self, key: jax.Array, width: int, action: Any) -> StandardState:
        """Begin untrained, with features as they are."""
        return StandardState(inner=self.learner.init(key, width, action), seen=scale.unit(width), lessons=jnp.int32(0))

    def act(self, key: jax.Array, state: StandardState, features: jax.Array, mode: Mode, open: Any = None) -> Any:
        """Act as the learner does."""
        return self.learner.act(key, state.inner, self._standard(state.seen, features), mode, open)

    def learn(self, key: jax.Array, state: StandardState, batch: Batch) -> tuple[StandardState, Info]:
        """Measure the scale in the first lessons, and update the learner."""
        batch = wiped(batch)
        some = jnp.any(batch.weight > 0)
        counts = (batch.weight > 0).astype(jnp.float32) * (state.lessons < self.lessons)
        seen = scale.update(state.seen, batch.now, counts, float("inf"))
        seen = jax.tree.map(lambda new, old: jnp.where(jnp.sum(counts) > 0, new, old), seen, state.seen)
        inner, info = self.learner.learn(key, state.inner, self._read(seen, batch))
        return replace(state, inner=inner, seen=seen, lessons=state.lessons + some), info

    def _read(self, seen: Scale, batch: Batch) -> Batch:
        return replace(batch, now=self._standard(seen, batch.now), after=self._standard(seen, batch.after))

    def _standard(self, seen: Scale, features: jax.Array) -> jax.Array:
        return scale.standard(seen, features, self.clip)


@struct
class AveragedState:
    """inner: the learner's state. mean: of its policy."""

    inner: Any
    mean: Any


@part
class Averaged(AroundLearner):
    """Probes with a moving average of the policy's weights, of a learner whose state has a `policy`.

    A clone's return swings from update to update while its loss does not ("Butterfly effects of SGD noise", 2024); the
    average does not swing.
    """

    learner: Learner
    """What learns; its state has a `policy`."""
    rate: float = 0.999
    """Share of the average that stays in each update; 0 for the policy itself."""

    passes = ("worth", "outputs")
    """Capabilities of the learner inside that hold here too."""
    cites = ("butterfly_2024",)

    def init(self, key: jax.Array, width: int, action: Any) -> AveragedState:
        """Begin untrained."""
        if not 0.0 <= self.rate <= 1.0:
            raise ValueError(f"rate={self.rate}: the share of the average that stays lies between 0 and 1, such as 0.999")
        inner = self.learner.init(key, width, action)
        if not hasattr(inner, "policy"):
            raise ValueError(
                f"learner: {type(self.learner).__name__} has no policy of its own to average; use it without Averaged"
            )
        return AveragedState(inner=inner, mean=jax.tree.map(jnp.copy, inner.policy))

    def act(self, key: jax.Array, state: AveragedState, features: jax.Array, mode: Mode, open: Any = None) -> Any:
        """Act as the learner does, in a probe by the averaged policy."""
        inner = replace(state.inner, policy=state.mean) if mode == "exploit" else state.inner
        return self.learner.act(key, inner, features, mode, open)

    def learn(self, key: jax.Array, state: AveragedState, batch: Batch) -> tuple[AveragedState, Info]:
        """Update the learner, and the average after it."""
        inner, info = self.learner.learn(key, state.inner, batch)
        moved = averaged(inner.policy, state.mean, 1.0 - self.rate)
        return AveragedState(inner=inner, mean=where_any(batch.weight, moved, state.mean)), info
