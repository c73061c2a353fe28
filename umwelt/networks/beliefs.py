"""Beliefs along sequences of experience, from any model, encoded as seldom as the model can.

A belief [L + 1, N] has time first: the opening, then one belief after each transition. The belief at time t is drawn
with `jax.random.split(key, L + 1)[t]`.
"""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import WATCHED, Experience, Info, capability, is_hosted
from umwelt.core.contracts import Model

SHORT = 4
"""Sequences up to this length are unrolled, so that the compiler drops beliefs that are never read."""


def usable(experience: Experience) -> jax.Array:
    """Mark the transitions of experience [N, L] that a model of actions can use: bool [N, L]. A sequence in which one
    action is unknown is not usable at all, because a filter carries each action along."""
    return experience.valid & jnp.all(experience.origin != WATCHED, axis=1, keepdims=True)


def recalled(key: jax.Array, model: Model, state: Any, experience: Experience) -> Any:
    """Filter experience [N, L]: beliefs [L + 1, N], by the model's `recall` where it has one."""
    recall = capability(model, "recall")
    return recall(key, state, experience) if recall else observed(key, model, state, experience)


def learned(key: jax.Array, model: Model, state: Any, experience: Experience) -> tuple[Any, Info, Any]:
    """Update a model on experience [N, L]: its state, its metrics, and the beliefs [L + 1, N] before the update.

    A model that computes these beliefs for its loss hands them out (`learn_and_recall`); others filter the experience.
    """
    both = capability(model, "learn_and_recall")
    if both:
        return both(key, state, experience)
    learning, recalling = jax.random.split(key)
    after, info = model.learn(learning, state, experience)
    return after, info, recalled(recalling, model, state, experience)


def observed(key: jax.Array, model: Model, state: Any, experience: Experience) -> Any:
    """Observe experience [N, L] step by step: beliefs [L + 1, N]."""
    number, length = experience.origin.shape
    draws = jax.random.split(key, length + 1)
    turned = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), experience)
    first, action = jax.tree.map(lambda leaf: leaf[0], (turned.step, turned.action))
    opening, _ = model.observe(draws[0], state, model.start(state, number), action, first.opening)

    def tick(belief: Any, moment: Any) -> tuple[Any, Any]:
        draw, action, next = moment
        after, _ = model.observe(draw, state, belief, action, next)
        return after, after

    moments = (draws[1:], turned.action, turned.next)
    if length > SHORT and not is_hosted(model):
        _, after = jax.lax.scan(tick, opening, moments)
        return jax.tree.map(lambda one, rest: jnp.concatenate([one[None], rest]), opening, after)
    beliefs = [opening]
    for index in range(length):
        beliefs.append(tick(beliefs[-1], jax.tree.map(lambda leaf, index=index: leaf[index], moments))[0])
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *beliefs)
