"""What an agent wants is not what it knows: a model of the world beside a wish that it is shown.

Where the observation ends with the wish, as `Announced` shows a task, the model inside learns of the rest alone, the
same under every wish; what a wish is worth is a known function. So nothing that is learned has to be learned again,
or can be forgotten, when only the wish changes.
"""

from dataclasses import replace
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from umwelt.core import Experience, Info, Metric, Prediction, TimeStep, WorldSpec, part, static, struct
from umwelt.core.contracts import Model
from umwelt.networks import shown


class Knows(Protocol):
    """Who knows what a wish is worth, such as `umwelt.worlds.Arm`."""

    def reward(self, observation: Any, action: Any, next_observation: Any) -> jax.Array:
        """float32 [N], of a transition of rows [N] whose observations end with the wish."""
        ...


def worthless(observation: Any, action: Any, next_observation: Any) -> jax.Array:
    """No reward: what a model inside a `Wished` may be told, so that it learns none."""
    return jnp.zeros(next_observation.shape[0], jnp.float32)


def endless(observation: Any, action: Any, next_observation: Any) -> jax.Array:
    """No end: what a model may be told of a world whose episodes are only cut off."""
    return jnp.ones(next_observation.shape[0], jnp.float32)


@struct
class WishedState:
    """inner: the inner model's. width: of the observation without the wish."""

    inner: Any
    width: int = static()


@struct
class WishedBelief:
    """inner: the inner model's. seen: float32 [N, width], the observation expected now, without the wish. wish: [N, entries]."""

    inner: Any
    seen: jax.Array
    wish: jax.Array


@part
class Wished:
    """A model of all but the last `entries` numbers of the observation, with a known worth of them."""

    model: Model
    """The model inside; it must tell observations. Rewards are hidden from it."""
    entries: int
    """Numbers at the end of the observation that are the wish."""
    world: Knows
    """Who knows what a transition is worth; nothing else of it is used."""

    @property
    def diet(self) -> Any:
        """The inner model's."""
        return self.model.diet

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The inner model's."""
        return self.model.metrics

    def init(self, key: jax.Array, spec: WorldSpec) -> WishedState:
        """The inner model, born into the world without wishes."""
        if self.entries < 1:
            raise ValueError(f"entries={self.entries}: a wish is at least one number; show it with `Announced(world=...)`")
        rest = shown.without(spec, self.entries)
        return WishedState(inner=self.model.init(key, rest), width=rest.observation.shape[0])

    def start(self, state: WishedState, batch: int) -> WishedBelief:
        """The inner start, and no wish."""
        inner, zeros = self.model.start(state.inner, batch), jnp.zeros((batch, state.width), jnp.float32)
        return WishedBelief(inner=inner, seen=zeros, wish=jnp.zeros((batch, self.entries), jnp.float32))

    def observe(
        self, key: jax.Array, state: WishedState, belief: WishedBelief, action: Any, step: TimeStep
    ) -> tuple[WishedBelief, Info]:
        """The inner model's view of the rest, and the wish as it is shown."""
        seen, wish = step.observation[..., : -self.entries], step.observation[..., -self.entries :]
        inner, info = self.model.observe(key, state.inner, belief.inner, action, replace(step, observation=seen))
        return WishedBelief(inner=inner, seen=seen, wish=wish), info

    def imagine(self, key: jax.Array, state: WishedState, belief: WishedBelief, action: Any) -> tuple[WishedBelief, Prediction]:
        """The inner model's imagination, worth what is wished."""
        inner, prediction = self.model.imagine(key, state.inner, belief.inner, action)
        before = jnp.concatenate([belief.seen, belief.wish], axis=-1)
        after = jnp.concatenate([prediction.observation, belief.wish], axis=-1)
        reward = self.world.reward(before, action, after).astype(jnp.float32)
        return WishedBelief(inner=inner, seen=prediction.observation, wish=belief.wish), replace(
            prediction, observation=after, reward=reward
        )

    def learn(self, key: jax.Array, state: WishedState, experience: Experience) -> tuple[WishedState, Info]:
        """One lesson of the inner model, in which no reward is to be seen."""

        def cut(step: TimeStep) -> TimeStep:
            return replace(step, observation=step.observation[..., : -self.entries], reward=jnp.zeros_like(step.reward))

        rest = replace(experience, step=cut(experience.step), next=cut(experience.next))
        inner, info = self.model.learn(key, state.inner, rest)
        return replace(state, inner=inner), info
