"""Optimism in a chain, with or without counts of what was recorded before: the study of data that cover a part of the way."""

from typing import Literal

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.core import keys, part

EPISODES = Measure(name="episodes", unit="episodes", better="down")
"""Episodes until the greedy policy is near the best; all of them where it never is."""
CERTIFIED = Measure(name="certified", unit="share", better="up")
"""Whether the learner's own bounds say so by the end, and are right."""


@part
class WarmCounts:
    """A chain with one right action at each place, and a learner that counts. A function of a key.

    A right action goes on by one place, most of the time; a wrong one leads back to the first. The last place pays.
    """

    counts: Literal["both", "online", "offline"] = "both"
    """Which transitions count: those recorded before and those of the own episodes, or one of the two."""
    places: int = 12
    actions: int = 4
    """Actions, of which one is right at each place."""
    horizon: int = 24
    """Decisions of an episode."""
    slip: float = 0.1
    """How often a right action does not move."""
    recorded: int = 300
    """Episodes recorded before. In the first half of the chain their policy acts right and three times in ten at random;
    behind it, it acts wrongly."""
    most: int = 6000
    """Episodes of a learner."""
    bonus: float = 0.05
    """Weight of optimism, in units of the greatest return."""
    near: float = 0.1
    """Share of the best value that may be missing."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Record, and learn: {measure: float32 []}."""
        drawing, recording, living = keys.split(key, "draw", "record", "live")
        chances, pays = self.chain(drawing)
        best = values(chances, pays, self.horizon)[0][0, 0]
        nothing = jnp.zeros((self.places, self.actions, self.places))

        def record(seen: jax.Array, key: jax.Array) -> tuple[jax.Array, None]:
            acting, living = keys.split(key, "act", "live")
            return self.lived(living, chances, self.recorder(acting, self.right(drawing)), seen), None

        before = jax.lax.scan(record, nothing, jax.random.split(recording, self.recorded))[0]

        def episode(seen: jax.Array, key: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array, jax.Array]]:
            mean, high, low = self.bounds(seen, pays)
            lost = best - worth(chances, pays, mean[1])[0, 0]
            # a bound on what the policy that looks best can lack
            gap = high[0][0, 0] - low[0][0, 0]
            after = seen if self.counts == "offline" else self.lived(key, chances, high[1], seen)
            return after, (lost <= self.near * best, gap <= self.near * best, lost)

        begun = nothing if self.counts == "online" else before
        _, (reached, sure, lost) = jax.lax.scan(episode, begun, jax.random.split(living, self.most))
        # from this episode on, the policy stays near the best
        last_miss = jnp.max(jnp.where(reached, -1, jnp.arange(self.most)))
        right = sure[-1] & reached[-1]
        return {
            "episodes": (last_miss + 1).astype(jnp.float32),
            "certified": right.astype(jnp.float32),
            "lost": lost[-1] / best,
        }

    def right(self, key: jax.Array) -> jax.Array:
        """The right action at each place: int32 [S]."""
        return jax.random.randint(keys.fold(key, "right"), (self.places,), 0, self.actions)

    def recorder(self, key: jax.Array, right: jax.Array) -> jax.Array:
        """What the recorded policy does in one episode: int32 [H, S]."""
        straying, choosing = keys.split(key, "stray", "choose")
        shape = (self.horizon, self.places)
        any_action = jax.random.randint(choosing, shape, 0, self.actions)
        near = jnp.where(jax.random.bernoulli(straying, 0.3, shape), any_action, right)
        return jnp.where(jnp.arange(self.places) < self.places // 2, near, (right + 1) % self.actions)

    def chain(self, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Chances [S, A, S] of the next place, and what each place pays [S]."""
        here = jnp.arange(self.places)
        onward = jnp.minimum(here + 1, self.places - 1)
        good = (1 - self.slip) * jax.nn.one_hot(onward, self.places) + self.slip * jax.nn.one_hot(here, self.places)
        bad = jax.nn.one_hot(jnp.zeros(self.places, jnp.int32), self.places)
        is_right = jax.nn.one_hot(self.right(key), self.actions)[:, :, None]
        return is_right * good[:, None] + (1 - is_right) * bad[:, None], (here == self.places - 1).astype(jnp.float32)

    def bounds(self, seen: jax.Array, pays: jax.Array) -> tuple[tuple[jax.Array, jax.Array], ...]:
        """(values [H + 1, S], policy [H, S]) by the mean of what was seen [S, A, S], above it, and below it."""
        number = jnp.sum(seen, axis=-1)
        chances = jnp.where(number[..., None] > 0, seen / jnp.maximum(number[..., None], 1.0), 1.0 / self.places)
        width = self.bonus * self.horizon / jnp.sqrt(jnp.maximum(number, 1.0)) + self.horizon * (number == 0)
        return tuple(values(chances, pays, self.horizon, sign * width) for sign in (0.0, 1.0, -1.0))

    def lived(self, key: jax.Array, chances: jax.Array, policy: jax.Array, seen: jax.Array) -> jax.Array:
        """The counts after an episode of a policy [H, S]."""

        def step(held: tuple[jax.Array, jax.Array], at: tuple[jax.Array, jax.Array]) -> tuple[tuple[jax.Array, jax.Array], None]:
            (place, seen), (key, acts) = held, at
            action = acts[place]
            after = jax.random.categorical(key, jnp.log(chances[place, action]))
            return (after, seen.at[place, action, after].add(1.0)), None

        return jax.lax.scan(step, (jnp.int32(0), seen), (jax.random.split(key, self.horizon), policy))[0][1]


def values(chances: jax.Array, pays: jax.Array, horizon: int, more: jax.Array | float = 0.0) -> tuple[jax.Array, jax.Array]:
    """Values [H + 1, S] and greedy policies [H, S] by backward induction; more: what each action is worth beside [S, A].

    Values stay between 0 and the steps that are left.
    """

    def back(later: jax.Array, left: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        each = jnp.clip(pays[:, None] + chances @ later + more, 0.0, left)
        return jnp.max(each, axis=1), (jnp.max(each, axis=1), jnp.argmax(each, axis=1))

    last = jnp.zeros_like(pays)
    _, (found, policy) = jax.lax.scan(back, last, jnp.arange(1.0, horizon + 1))
    return jnp.concatenate([found[::-1], last[None]]), policy[::-1]


def worth(chances: jax.Array, pays: jax.Array, policy: jax.Array) -> jax.Array:
    """The true values [H + 1, S] of a policy [H, S]."""

    def back(later: jax.Array, acts: jax.Array) -> tuple[jax.Array, jax.Array]:
        each = pays[:, None] + chances @ later
        found = jnp.take_along_axis(each, acts[:, None], axis=1)[:, 0]
        return found, found

    last = jnp.zeros_like(pays)
    return jnp.concatenate([jax.lax.scan(back, last, policy[::-1])[1][::-1], last[None]])
