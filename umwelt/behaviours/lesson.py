"""What a policy learns from, whoever made it: a life, a memory or a dream."""

from dataclasses import replace
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from umwelt.core import Experience, Info, Metric, struct
from umwelt.core.contracts import Mode
from umwelt.networks.form import Form

VALUE = Metric(name="value", unit="reward", meaning="mean of what the critics say of the actions that were done", better="up")
VALUE_LOSS = Metric(name="value_loss", unit="squared reward", meaning="mean squared error of the critics, before the update")
ENTROPY = Metric(name="policy_entropy", unit="nats", meaning="entropy of the policy, estimated by one draw of it")


@struct
class Lesson:
    """Transitions [N]. now, after: float32 [N, F]. action: the world's, [N, ...]. reward, goes_on, weight:
    float32 [N]; goes_on is 0 where the episode ended by itself, weight 0 where nothing is to be learned. far: the same
    moments and a later `after`, with the discounted rewards on the way there; None where only one step is known."""

    now: jax.Array
    action: Any
    reward: jax.Array
    goes_on: jax.Array
    after: jax.Array
    weight: jax.Array
    far: "Lesson | None" = None


class Learner(Protocol):
    """A policy that learns from transitions. Features [N, F] are flat observations, or beliefs."""

    metrics: tuple[Metric, ...]

    def init(self, key: jax.Array, width: int, action: Any) -> Any:
        """Somebody who has learned nothing: `width` features, and the action space."""
        ...

    def act(self, key: jax.Array, state: Any, features: jax.Array, mode: Mode) -> Any:
        """Actions [N, ...] for features [N, F]."""
        ...

    def learn(self, key: jax.Array, state: Any, lesson: Lesson) -> tuple[Any, Info]:
        """One update."""
        ...


def of(seen: Form, experience: Experience) -> Lesson:
    """Experience [N] as a lesson over flat observations; rows that are not valid weigh nothing."""
    return Lesson(
        now=seen.flat(experience.step.observation),
        action=experience.action,
        reward=experience.next.reward.astype(jnp.float32),
        goes_on=1.0 - experience.next.terminated.astype(jnp.float32),
        after=seen.flat(experience.next.observation),
        weight=experience.valid.astype(jnp.float32),
    )


def ahead(seen: Form, experience: Experience, discount: float) -> Lesson:
    """Experience [N, L], each row inside one episode, as a lesson [N * L], and `far` from every moment to its row's end.

    There the reward is the discounted sum on the way; `goes_on` is what the end is worth beside one step's discount.
    """
    rows = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), experience)
    count, length = experience.valid.shape
    powers = discount ** jnp.arange(length, dtype=jnp.float32)
    # [from, to]: the weight of the reward at `to`, none of what lies behind
    weights = jnp.triu(powers[jnp.abs(jnp.arange(length)[None] - jnp.arange(length)[:, None])])
    ends = jax.tree.map(lambda leaf: jnp.repeat(leaf[:, -1], length, axis=0), experience.next)
    near = of(seen, rows)
    far = replace(
        near,
        reward=(experience.next.reward @ weights.T).reshape(-1),
        goes_on=(1.0 - ends.terminated) * jnp.tile(powers[::-1], count),
        after=seen.flat(ends.observation),
    )
    return replace(near, far=far)


def wiped(lesson: Lesson) -> Lesson:
    """The lesson with zeros where nothing weighs: what stands there, be it infinite, reaches no gradient."""

    def wipe(leaf: jax.Array) -> jax.Array:
        weighs = (lesson.weight > 0).reshape(-1, *(1,) * (leaf.ndim - 1))
        return jnp.where(weighs, leaf, jnp.zeros_like(leaf))

    return jax.tree.map(wipe, lesson)


def mean(values: jax.Array, weight: jax.Array) -> jax.Array:
    """The mean of values [N] by weight [N]; 0 where nothing weighs."""
    return jnp.sum(values * weight) / jnp.maximum(jnp.sum(weight), 1.0)
