"""A model of the world apart from the task: only the reward depends on what an agent is to do.

Where the observation announces the task (`Announced`), the model inside learns from the rest alone, the same under every
task. The reward of a task is a known function. So after a change of the task alone there is nothing to learn again, and
nothing to forget.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import (
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    capability,
    is_hosted,
    part,
    spaces,
    static,
    struct,
)
from umwelt.core.contracts import Model
from umwelt.networks.known_tasks import Announcement, announcement


def worthless(observation: Any, action: Any, next_observation: Any) -> jax.Array:
    """Reward nothing: for a model inside a `Wished`, which then learns no reward."""
    return jnp.zeros(_rows(next_observation), jnp.float32)


def endless(observation: Any, action: Any, next_observation: Any) -> jax.Array:
    """End never: for a model of a world whose episodes are only cut off."""
    return jnp.ones(_rows(next_observation), jnp.float32)


@struct
class WishedState:
    """inner: the inner model's. announcement: where the observation holds the task."""

    inner: Any
    announcement: Announcement = static()


@struct
class WishedBelief:
    """inner: the inner model's. observation: the expected observation [N, ...], with the task."""

    inner: Any
    observation: Any


@part
class Wished:
    """A model of all but the announced task, with a known reward of it.

    >>> from umwelt.models.losse import Losse
    >>> from umwelt.worlds import Announced, Pendulum

    >>> world = Announced(world=Pendulum())
    >>> model, key = Wished(model=Losse(), world=world), jax.random.key(0)
    >>> state = jax.eval_shape(lambda key: model.init(key, world.spec), key)
    >>> state.announcement.rest.width, state.announcement.width  # numbers that it predicts, and of the task
    (3, 7)
    """

    model: Model
    """The model inside; it must decode observations. Rewards are hidden from it."""
    world: Any
    """A world that announces its task and knows the `reward` of a transition; nothing else of it is used."""

    passes = ()

    @property
    def inner(self) -> Model:
        """The model inside."""
        return self.model

    @property
    def hosted(self) -> bool:
        """Whether the model inside is plain Python."""
        return is_hosted(self.model)

    @property
    def diet(self) -> Any:
        """The inner model's."""
        return self.model.diet

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The inner model's."""
        return self.model.metrics

    def init(self, key: jax.Array, spec: WorldSpec) -> WishedState:
        """Make the inner model for the world without tasks."""
        found = announcement(spec.observation)
        if found.task is None:
            raise ValueError(
                f"observation: Wished needs the task in it, and it is {spec.observation}; announce the task with"
                " `Announced(world=...)`"
            )
        capability(self.world, "reward", required="world")
        inner = self.model.init(key, replace(spec, observation=found.rest.space))
        return WishedState(inner=inner, announcement=found)

    def start(self, state: WishedState, batch: int) -> WishedBelief:
        """Start the inner model's beliefs, without a task."""
        empty = spaces.zeros(state.announcement.space, batch)
        return WishedBelief(inner=self.model.start(state.inner, batch), observation=empty)

    def observe(
        self, key: jax.Array, state: WishedState, belief: WishedBelief, action: Any, step: TimeStep
    ) -> tuple[WishedBelief, Info]:
        """Filter the rest by the inner model, and keep the task as the observation announces it."""
        rest = replace(step, observation=state.announcement.without(step.observation))
        inner, info = self.model.observe(key, state.inner, belief.inner, action, rest)
        return WishedBelief(inner=inner, observation=step.observation), info

    def imagine(self, key: jax.Array, state: WishedState, belief: WishedBelief, action: Any) -> tuple[WishedBelief, Prediction]:
        """Imagine by the inner model, with the known reward of the task."""
        inner, prediction = self.model.imagine(key, state.inner, belief.inner, action)
        after = state.announcement.joined(prediction.observation, state.announcement.tasks(belief.observation))
        known: Any = capability(self.world, "reward", required="world")
        reward = known(belief.observation, action, after).astype(jnp.float32)
        return WishedBelief(inner=inner, observation=after), replace(prediction, observation=after, reward=reward)

    def learn(self, key: jax.Array, state: WishedState, experience: Experience) -> tuple[WishedState, Info]:
        """Update the inner model, without tasks and rewards."""

        def cut(step: TimeStep) -> TimeStep:
            rest = state.announcement.without(step.observation)
            return replace(step, observation=rest, reward=jnp.zeros_like(step.reward))

        rest = replace(experience, step=cut(experience.step), next=cut(experience.next))
        inner, info = self.model.learn(key, state.inner, rest)
        return replace(state, inner=inner), info


def _rows(observation: Any) -> int:
    return jax.tree.leaves(observation)[0].shape[0]
