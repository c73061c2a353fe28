"""What a policy learns from, whoever made it: a life, a memory or a dream."""

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
    float32 [N]; goes_on is 0 where the episode ended by itself, weight 0 where nothing is to be learned."""

    now: jax.Array
    action: Any
    reward: jax.Array
    goes_on: jax.Array
    after: jax.Array
    weight: jax.Array


class Learner(Protocol):
    """A policy that learns from transitions. Features [N, F] are flat observations, or beliefs."""

    metrics: tuple[Metric, ...]
    discount: float

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
    """Experience [N, L], each row inside one episode, as a lesson [N * L]: from every moment to the end of its row.

    The reward is the discounted sum on the way there; `goes_on` is what the end is worth beside one step's discount.
    """
    length = experience.valid.shape[1]
    powers = discount ** jnp.arange(length, dtype=jnp.float32)
    # [from, to]: the weight of the reward at `to`, none of what lies behind
    weights = jnp.triu(powers[jnp.abs(jnp.arange(length)[None] - jnp.arange(length)[:, None])])
    rows = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), experience)
    ends = jax.tree.map(lambda leaf: jnp.repeat(leaf[:, -1], length, axis=0), experience.next)
    whole = jnp.repeat(jnp.all(experience.valid, axis=1), length)
    return Lesson(
        now=seen.flat(rows.step.observation),
        action=rows.action,
        reward=(experience.next.reward @ weights.T).reshape(-1),
        goes_on=(1.0 - ends.terminated) * jnp.tile(powers[::-1], experience.valid.shape[0]),
        after=seen.flat(ends.observation),
        weight=whole.astype(jnp.float32),
    )


def wiped(lesson: Lesson) -> Lesson:
    """The lesson with zeros where nothing weighs: what stands there, be it infinite, reaches no gradient."""

    def wipe(leaf: jax.Array) -> jax.Array:
        weighs = (lesson.weight > 0).reshape(-1, *(1,) * (leaf.ndim - 1))
        return jnp.where(weighs, leaf, jnp.zeros_like(leaf))

    return jax.tree.map(wipe, lesson)


def mean(values: jax.Array, weight: jax.Array) -> jax.Array:
    """The mean of values [N] by weight [N]; 0 where nothing weighs."""
    return jnp.sum(values * weight) / jnp.maximum(jnp.sum(weight), 1.0)
