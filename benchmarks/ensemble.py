"""The speed of the probabilistic ensemble, read against this machine's matrix products.

Learning at the size that was published for continuous control (7 members of 4 layers of 200, batches
of 256 for each, 23 inputs, 36 outputs), imagination at the size of a planner.

    python -m benchmarks.ensemble
"""

import jax
import jax.numpy as jnp

from benchmarks.machine import best_seconds, matmul_rate
from umwelt.core import MID, Box, Experience, TimeStep, WorldSpec, lived, spaces
from umwelt.models.ensemble import Ensemble

SPEC = WorldSpec(name="shape", observation=Box(shape=(17,)), action=Box(shape=(6,), low=-1.0, high=1.0), task=Box(), batch=1)
BATCH = 256
ROWS, HORIZON = 500, 25


def never_ends(observation: jax.Array, action: jax.Array, next_observation: jax.Array) -> jax.Array:
    """The known end of a world that has none; so the network has 36 outputs, 2 for each of 17 + 1 targets."""
    return jnp.ones(observation.shape[0], jnp.float32)


def experience(*lead: int) -> Experience:
    """Random transitions [*lead] of the benchmark's shape."""
    before, after = spaces.sample(jax.random.key(0), SPEC.observation, 2, *lead)
    kind, reward = jnp.full(lead, MID, jnp.int8), jax.random.normal(jax.random.key(1), lead)
    step, next = (TimeStep(kind=kind, observation=seen, reward=reward) for seen in (before, after))
    return lived(step, spaces.sample(jax.random.key(2), SPEC.action, *lead), next)


def updates_per_second(model: Ensemble, updates: int = 20, repeats: int = 8) -> float:
    """Updates per second of `learn` in a donated scan, as a life runs it, each on a batch of its own."""
    eaten = experience(updates, model.members * BATCH)
    draws = jax.random.split(jax.random.key(3), updates)

    def learn(state: object, eaten: Experience) -> object:
        return jax.lax.scan(lambda held, x: model.learn(x[0], held, x[1]), state, (draws, eaten))

    compiled = jax.jit(learn, donate_argnums=0)
    held = [model.init(jax.random.key(4), SPEC)]

    def call() -> object:
        held[0], info = compiled(held[0], eaten)
        return info

    return updates / best_seconds(call, repeats)


def learning_flops(model: Ensemble) -> int:
    """Of one update: forward, and twice that backward, 2 for each weight and row."""
    weights = model.init(jax.random.key(0), SPEC).weights.network.weights
    return 3 * 2 * BATCH * sum(weight.size for weight in weights)


def imagined_rows_per_second(model: Ensemble, repeats: int = 8) -> float:
    """Imagined steps per second, ROWS at once over HORIZON steps; each step moves all particles of a row."""
    state = model.init(jax.random.key(0), SPEC)
    actions = spaces.sample(jax.random.key(1), SPEC.action, HORIZON, ROWS)

    @jax.jit
    def rollout(state: object) -> object:
        steps = (jax.random.split(jax.random.key(2), HORIZON), actions)
        return jax.lax.scan(lambda belief, x: model.imagine(x[0], state, belief, x[1]), model.start(state, ROWS), steps)

    return ROWS * HORIZON / best_seconds(lambda: rollout(state), repeats)


def run() -> dict[str, float]:
    """Every figure by name."""
    published = Ensemble(members=7, layers=4, units=200, continues=never_ends)
    before = matmul_rate()
    updates = updates_per_second(published)
    machine = max(before, matmul_rate())
    achieved = updates * learning_flops(published) / 1e9
    planning = Ensemble(members=5, layers=3, units=128)
    return {
        "machine_gflops": machine,
        "updates_per_second": updates,
        "learning_gflops": achieved,
        "share_of_machine": achieved / machine,
        "imagined_rows_per_second": imagined_rows_per_second(planning),
        "imagined_rows_per_second_noiseless": imagined_rows_per_second(Ensemble(noisy=False)),
        "imagined_rows_per_second_ts1": imagined_rows_per_second(Ensemble(propagation="ts1")),
    }


if __name__ == "__main__":
    for name, figure in run().items():
        print(f"{name:36s} {figure:12.2f}")
