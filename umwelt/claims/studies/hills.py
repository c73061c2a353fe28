"""One decision between a narrow high hill and a broad low one: which of them a policy climbs."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import Reparameterised
from umwelt.behaviours.batch import Batch
from umwelt.claims.arms import Measure
from umwelt.core import Box, keys, part

HIGHEST = Measure(name="highest", unit="share", better="up")
"""Whether the policy ends on the higher hill."""
MIDDLES, WIDTHS, HEIGHTS = (-0.7, 0.4), (0.06, 0.5), (1.0, 0.6)
"""Of the two hills."""


@part
class Hills:
    """A learner of ways that is paid by what it has just done; a function of a key."""

    learner: Reparameterised
    updates: int = 3000
    batch: int = 64
    pay: float = 1.0
    """What the top of the higher hill pays."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Climb: {measure: float32 []}."""
        beginning, climbing, ending = keys.split(key, "begin", "climb", "end")
        ways = self.learner.ways
        begun = self.learner.init(beginning, 1 + ways, Box(shape=(1,), low=-1.0, high=1.0))
        seen = jnp.zeros((self.batch, 1), jnp.float32)
        ones = jnp.ones(self.batch, jnp.float32)

        def update(state: Any, key: jax.Array) -> tuple[Any, None]:
            choosing, acting, learning = keys.split(key, "choose", "act", "learn")
            way = jax.nn.one_hot(jax.random.categorical(choosing, self.learner.chances(state, seen)), ways)
            features = jnp.concatenate([seen, way], axis=-1)
            action = self.learner.act(acting, state, features, "explore")
            paid = self.pay * height(action[:, 0])
            batch = Batch(now=features, action=action, reward=paid, continues=0.0 * ones, after=features, weight=ones)
            return self.learner.learn(learning, state, batch)[0], None

        state, _ = jax.lax.scan(update, begun, jax.random.split(climbing, self.updates))
        likeliest = jax.nn.one_hot(jnp.argmax(self.learner.chances(state, seen), axis=-1), ways)
        action = self.learner.act(ending, state, jnp.concatenate([seen, likeliest], axis=-1), "exploit")
        return {"highest": (height(action[0, 0]) > 1.05 * HEIGHTS[1]).astype(jnp.float32)}


def height(place: jax.Array) -> jax.Array:
    """How high the ground is: float32 [...]."""
    hills = [top * jnp.exp(-0.5 * ((place - at) / wide) ** 2) for at, wide, top in zip(MIDDLES, WIDTHS, HEIGHTS, strict=True)]
    return jnp.maximum(hills[0], hills[1])


def single(learner: Reparameterised) -> Reparameterised:
    """The same with one way, which is the learner inside alone."""
    return replace(learner, ways=1, distinct=0.0, entropy=0.0)
