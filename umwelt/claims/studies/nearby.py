"""Skills that are imitated near where they were shown, and examined farther away."""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp
import optax

from umwelt.claims.arms import Measure
from umwelt.core import keys, part
from umwelt.networks import layers
from umwelt.networks.optimise import optimiser
from umwelt.worlds.arm import HOLE, Arm
from umwelt.worlds.local import Local, local

SUCCESS = Measure(name="success", unit="share", better="up")
"""Episodes in which the peg ends within twelve centimetres of its hole."""


@part
class Nearby:
    """Imitates how a peg is taken, and is examined where pegs lie ten times as far about. A function of a key.

    Straight lines lead the hand to a place near the peg, drawn for each episode, and later from there to the hole. The
    skill in between, which comes to the peg and grips it, is imitated.
    """

    sees: Literal["local", "global"] = "local"
    """What the policy reads: places from the peg, or those of hand and peg on the table."""
    shown: int = 64
    """Episodes to imitate."""
    exams: int = 64
    """Episodes of the exam."""
    phases: tuple[int, int, int] = (25, 20, 30)
    """Decisions of the way there, of the skill, and of the way to the hole."""
    away: float = 0.2
    """How far from the peg the skill begins, at most, along each axis."""
    near: float = 0.02
    """The deviation of where the peg lies in what is shown."""
    far: float = 0.2
    """The same in the exam."""
    units: int = 64
    """Width of the policy."""
    updates: int = 1500
    """Updates, of 128 decisions each."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Show, imitate and examine: {measure: float32 []}."""
        showing, beginning, learning, ending = keys.split(key, "show", "begin", "learn", "end")
        (seen, acted), _ = self._lived(showing, self.shown, self.near, expert)
        skill = slice(self.phases[0], sum(self.phases[:2]))
        features, wanted = self._read(seen[skill].reshape(-1, 12)), acted[skill].reshape(-1, 3)
        middle, spread = jnp.mean(features, axis=0), jnp.std(features, axis=0) + 1e-3
        # what hardly varies must not explode farther away
        spread = jnp.maximum(spread, 0.05)
        policy: Any = layers.stack(beginning, (features.shape[1], self.units, self.units, 3), normed=False)
        step = optimiser(1e-3)

        def update(learned: Any, key: jax.Array) -> tuple[Any, None]:
            policy, optimised = learned
            rows = jax.random.randint(key, (128,), 0, features.shape[0])

            def loss(policy: Any) -> jax.Array:
                told = layers.apply(policy, (features[rows] - middle) / spread, jax.nn.relu)
                return jnp.mean((told - wanted[rows]) ** 2)

            steps, optimised = step.update(jax.grad(loss)(policy), optimised, policy)
            return (optax.apply_updates(policy, steps), optimised), None

        (policy, _), _ = jax.lax.scan(update, (policy, step.init(policy)), jax.random.split(learning, self.updates))

        def imitated(key: jax.Array, seen: jax.Array) -> jax.Array:
            return jnp.clip(layers.apply(policy, (self._read(seen) - middle) / spread, jax.nn.relu), -1.0, 1.0)

        _, last = self._lived(ending, self.exams, self.far, imitated)
        return {"success": jnp.mean(jnp.linalg.norm(last[:, 10:12] - HOLE, axis=-1) < 0.12)}

    def _read(self, seen: jax.Array) -> jax.Array:
        """What the policy reads of observations of the arm [N, 12]."""
        if self.sees == "local":
            return Local(thing="peg").shown(seen)[:, :2]
        return jnp.concatenate([seen[:, 4:6], seen[:, 10:12]], axis=-1)

    def _lived(self, key: jax.Array, rows: int, jitter: float, act: Any) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        """Episodes of `rows`: what the arm saw [L, N, 12] and did [L, N, 3], and how it ended [N, 12]."""
        there, taken, brought = self.phases
        world = Arm(batch=rows, jitter=jitter, time_limit=there + taken + brought + 1)
        near = local(world, "peg")
        task = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (rows, *leaf.shape)), world.tasks()["peg"])
        beginning, placing, living = keys.split(key, "begin", "place", "live")
        offset = jax.random.uniform(placing, (rows, 2), minval=-self.away, maxval=self.away)
        state, _ = near.init(beginning, task)
        looks = jax.vmap(replace(world, batch=1).observe)

        def tick(state: Any, given: tuple[jax.Array, jax.Array]) -> tuple[Any, Any]:
            key, time = given
            seen = looks(state.inner.body, task)
            hand, peg = seen[:, 4:6], seen[:, 10:12]
            aim = jnp.where(time < there, peg + offset, jnp.asarray(HOLE) + hand - peg)
            straight = jnp.clip(5.0 * (aim - hand), -0.6, 0.6)
            grips = jnp.where(time < there, -1.0, 1.0) * jnp.ones((rows, 1))
            planned = jnp.concatenate([straight, grips], axis=-1)
            action = jnp.where((time >= there) & (time < there + taken), act(key, seen), planned)
            state, _ = near.step(key, state, action, task)
            return state, (seen, action)

        length = there + taken + brought
        state, found = jax.lax.scan(tick, state, (jax.random.split(living, length), jnp.arange(length)))
        return found, looks(state.inner.body, task)


def expert(key: jax.Array, seen: jax.Array) -> jax.Array:
    """Come to the peg and grip it, from observations of the arm [N, 12]: velocity of the hand and grip, with noise."""
    there = -Local(thing="peg").shown(seen)[:, :2]
    holds = jnp.linalg.norm(there, axis=-1, keepdims=True) < 0.06
    velocity = jnp.clip(5.0 * there, -0.6, 0.6) + 0.1 * jax.random.normal(key, there.shape)
    return jnp.clip(jnp.concatenate([velocity, jnp.where(holds, 1.0, -1.0)], axis=-1), -1.0, 1.0)
