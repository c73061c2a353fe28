"""Sets that should be drawn in proportion to e^return, and how far what is drawn is from that: the study of flows."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours import Flows, OnPolicy
from umwelt.claims.arms import Measure
from umwelt.claims.studies.stretches import begun, lived_on
from umwelt.core import keys, part
from umwelt.networks import scale
from umwelt.networks.form import form
from umwelt.worlds.sets import Sets

EARLY = Measure(name="early", unit="total variation", better="down")
"""Distance of the drawn distribution from the exact one after a fifth of the episodes."""
LATE = Measure(name="late", unit="total variation", better="down")
"""The same after all episodes."""


@part
class DrawnSets:
    """A life that builds sets; a function of a key."""

    learner: Flows = Flows()
    world: Sets = Sets()
    rows: int = 16
    episodes: int = 5000

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live, and compare with the exact distribution twice: {measure: float32 []}."""
        beginning, early, late = keys.split(key, "begin", "early", "late")
        world = replace(self.world, batch=self.rows)
        horizon = world.size + 1
        agent, task = OnPolicy(learner=self.learner, horizon=horizon), world.tasks()["whole"]
        life = begun(world, agent, beginning, agent.init(beginning, world.spec), task)
        rounds = self.episodes // self.rows
        look = lambda observation: jnp.float32(0)  # noqa: E731
        life, _ = lived_on(world, agent, early, life, task, horizon * (rounds // 5), 1, look=look)
        found = {"early": self.distance(life[1])}
        life, _ = lived_on(world, agent, late, life, task, horizon * (rounds - rounds // 5), 1, look=look)
        return {**found, "late": self.distance(life[1])}

    def distance(self, mind: Any) -> jax.Array:
        """The total variation between what the policy draws and the exact distribution."""
        subsets, into = _lattice(self.world.items, self.world.size)
        chosen = jnp.asarray(subsets, jnp.float32)
        features = form(self.world.spec.observation).flat({"chosen": chosen, "open": 1.0 - chosen})
        standard = scale.standard(mind.seen, features, 10.0)
        logits, _ = self.learner.flows(mind.learner.network, standard, chosen < 0.5)
        chance, size = jnp.exp(logits), subsets.sum(axis=1)
        reached = jnp.zeros(len(subsets)).at[0].set(1.0)
        for level in range(self.world.size):
            here = np.flatnonzero(size == level)
            shares = reached[here, None] * chance[here]
            # a closed choice leads nowhere: its target is out of range
            reached = reached.at[into[here].reshape(-1)].add(shares.reshape(-1), mode="drop")
        ends = np.flatnonzero(size == self.world.size)
        exact = jax.nn.softmax(-self.world.energy(chosen[ends]))
        return 0.5 * jnp.sum(jnp.abs(reached[ends] - exact))


def _lattice(items: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """All sets of at most `size` items, float [S, n], the empty one first, and where each item leads: int [S, n]."""
    codes = np.array(sorted((code for code in range(2**items) if code.bit_count() <= size), key=int.bit_count))
    place = {int(code): index for index, code in enumerate(codes)}
    bits = 1 << np.arange(items)
    subsets = (codes[:, None] & bits > 0).astype(np.float32)
    # what is there already leads nowhere
    into = np.array([[len(codes) if code & bit else place.get(int(code | bit), len(codes)) for bit in bits] for code in codes])
    return subsets, into
