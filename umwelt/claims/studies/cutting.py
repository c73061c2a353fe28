"""Runs of an arm that are made of scripted skills, and the cuts between them."""

from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.core import keys, part
from umwelt.memory.segments import Segments
from umwelt.worlds.arm import BUTTON, HOLE, MARK, Arm, ArmBody, handle, tip

F1 = Measure(name="f1", unit="share", better="up")
"""The harmonic mean of the share of cuts that fall within three decisions of a change, and of changes that are met."""
NEAR = 3
"""Decisions from a change within which a cut is right."""


@part
class Cutting:
    """Learns from uncut runs and cuts others. A function of a key.

    A skill is one of five places that the tip goes to, with noise; its length is drawn.
    """

    segments: Segments
    """The policy, and the rule by which it cuts."""
    by: Literal["actions", "observations", "even"] = "actions"
    """Whose surprise cuts: about the next action, or the next observation. `even` makes as many cuts as `actions`, evenly."""
    runs: int = 96
    """Runs to learn from; a third as many are cut."""
    length: int = 90
    """Decisions of a run."""
    shortest: int = 12
    """Decisions of the shortest skill."""
    longest: int = 30
    """Decisions of the longest skill."""
    updates: int = 500
    """Updates of the policy."""
    batch: int = 24
    """Runs in an update."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Make the runs, learn, and cut: {measure: float32 []}."""
        making, beginning, learning = keys.split(key, "make", "begin", "learn")
        number = self.runs + self.runs // 3
        seen, acted, changes = jax.vmap(self._run, out_axes=1)(jax.random.split(making, number))
        before = jnp.concatenate([jnp.zeros_like(acted[:1]), acted[:-1]])
        features = jnp.concatenate([seen[:-1], before], axis=-1)
        wanted = acted
        if self.by == "observations":
            features, wanted = jnp.concatenate([seen[:-1], acted], axis=-1), 10.0 * (seen[1:] - seen[:-1])
        state = self.segments.init(beginning, features.shape[-1], wanted.shape[-1])

        def update(state: Any, key: jax.Array) -> tuple[Any, None]:
            rows = jax.random.randint(key, (self.batch,), 0, self.runs)
            return self.segments.learn(state, features[:, rows], wanted[:, rows])[0], None

        state, _ = jax.lax.scan(update, state, jax.random.split(learning, self.updates))
        cuts = self.segments.cuts(state, features[:, self.runs :], wanted[:, self.runs :])
        if self.by == "even":
            share = (jnp.sum(cuts, axis=0) + 1) / self.length
            along = jnp.floor(jnp.arange(self.length)[:, None] * share)
            cuts = jnp.diff(along, axis=0, prepend=jnp.zeros_like(along[:1])) > 0
        return {"f1": agreement(cuts, changes[:, self.runs :], NEAR)}

    def _run(self, key: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """One run: observations [L + 1, 12], actions [L, 3], and where another skill begins, bool [L]."""
        world = Arm()
        task = world.tasks()["button"]
        body = world.begin(key, task)

        def tick(carry: Any, key: jax.Array) -> tuple[Any, Any]:
            body, skill, left = carry
            choosing, lasting, shaking = jax.random.split(key, 3)
            # another one than before
            other = (skill + jax.random.randint(choosing, (), 1, 5)) % 5
            lasts = jax.random.randint(lasting, (), self.shortest, self.longest + 1)
            over = left <= 0
            skill, left = jnp.where(over, other, skill), jnp.where(over, lasts, left) - 1
            action = self._towards(body, skill) + 0.1 * jax.random.normal(shaking, (3,))
            after, _, _ = world.advance(key, body, action, task)
            return (after, skill, left), (world.observe(after, task), action, over)

        begun = (body, jnp.int32(0), jnp.int32(0))
        _, (seen, acted, over) = jax.lax.scan(tick, begun, jax.random.split(key, self.length))
        return jnp.concatenate([world.observe(body, task)[None], seen]), acted, over.at[0].set(False)

    def _towards(self, body: ArmBody, skill: jax.Array) -> jax.Array:
        """Speeds of the joints that lead the tip to the place of a skill, and an open hand: float32 [3]."""
        aims = jnp.stack([jnp.asarray(BUTTON), handle(body.door), jnp.asarray(MARK), jnp.asarray(HOLE), jnp.array([0.0, 0.9])])
        slope = jax.jacobian(tip)(body.joints)
        speeds = jnp.clip(4.0 * slope.T @ (aims[skill] - tip(body.joints)), -1.0, 1.0)
        return jnp.concatenate([speeds, jnp.array([-1.0])])


def agreement(cuts: jax.Array, changes: jax.Array, near: int) -> jax.Array:
    """Compute F1 of cuts against changes, both bool [L, N], each right within `near` steps of one of the other kind."""

    def met(those: jax.Array, others: jax.Array) -> jax.Array:
        around = jnp.pad(others, ((near, near), (0, 0)))
        close = jnp.stack([around[shift : shift + others.shape[0]] for shift in range(2 * near + 1)]).any(axis=0)
        return jnp.sum(those & close) / jnp.maximum(jnp.sum(those), 1)

    right, found = met(cuts, changes), met(changes, cuts)
    return 2.0 * right * found / jnp.maximum(right + found, 1e-9)
