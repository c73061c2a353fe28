"""How fast a dreamer learns: one update of its model from 16 sequences of 64, and one of its policy from dreams after them.

The published task: 64 x 64 pictures of three colours, 6 actions, dreams of 15 steps from each of the 1,024 moments (the
size `0.5M` replays 32 moments and dreams from 128 of them). Updates run in one compiled program, as in a life, each on
the same sequences; the share counts matrix products and convolutions alone. Decided is for 16 rows at once.

Run it alone: `python -m benchmarks.dreaming [size ...]`, on a GPU where there is one (`python -m benchmarks.dreaming 12M`).
"""

import sys
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.machine import best_seconds, matmul_rate
from benchmarks.products import products
from umwelt.behaviours import Dreamer
from umwelt.core import MID, Box, Experience, TimeStep, WorldSpec, lived, spaces
from umwelt.recipes.dreamer_v3 import dreamer_v3
from umwelt.worlds import Pendulum

ROWS, UPDATES = 16, 4
SPEC = WorldSpec(
    name="pictures",
    observation=Box(shape=(64, 64, 3), low=0, high=255, dtype="uint8"),
    action=Box(shape=(6,), low=-1.0, high=1.0),
    task=Box(),
    batch=ROWS,
)


def sequences(agent: Dreamer) -> Experience:
    """Random sequences [batch, length]."""
    lead = (agent.batch, agent.length)
    before, after = spaces.sample(jax.random.key(0), SPEC.observation, 2, *lead)
    kind, reward = jnp.full(lead, MID, jnp.int8), jax.random.normal(jax.random.key(1), lead)
    step, next = (TimeStep(kind=kind, observation=seen, reward=reward) for seen in (before, after))
    return lived(step, spaces.sample(jax.random.key(2), SPEC.action, *lead), next)


class Given:
    """A memory that holds one batch and always returns it."""

    def init(self, example: Experience) -> Experience:
        """Anything."""
        return example

    def sample(self, key: jax.Array, state: Experience, shape: tuple[int, ...]) -> Experience:
        """What it holds."""
        return state


def run(rates: dict[str, float], sizes: tuple[str, ...] = ("0.5M",)) -> dict[str, dict[str, Any]]:
    """Milliseconds of an update, of its model's part, and of a decision, at each size; the best counts."""
    found, limit = {}, max(rates["matmul"], matmul_rate(repeats=6))
    for size in sizes:
        agent = replace(dreamer_v3(Pendulum(), size=size).agent, memory=Given())
        batch, key = sequences(agent), jax.random.key(3)
        state = replace(agent.init(key, SPEC), memory=batch)

        def both(key: jax.Array, state: Any, agent: Dreamer = agent) -> Any:
            return agent.learn(key, state)

        def alone(key: jax.Array, state: Any, agent: Dreamer = agent) -> Any:
            model, info = agent.model.learn(key, state.model, state.memory)
            return replace(state, model=model), info

        for name, function in (("update", both), ("of which the model", alone)):
            flop, seconds = products(function, key, state), _seconds(function, key, state)
            moments = agent.batch * agent.length / seconds
            found[f"dreaming {size}: {name}"] = {
                "value": 1e3 * seconds,
                "unit": "ms",
                "share": flop / seconds / 1e9 / limit,
                "of": "matmul",
                "note": f"{moments:,.0f} replayed transitions/s, {flop / 1e9:.0f} GFLOP",
            }
        step = TimeStep(kind=jnp.full(ROWS, MID, jnp.int8), observation=batch.step.observation[:, 0], reward=jnp.zeros(ROWS))
        decide = jax.jit(lambda key, state, agent=agent: agent.act(key, agent.see(key, state, step)[0])[1])  # noqa: B023
        seconds = best_seconds(lambda: decide(key, state), repeats=10)  # noqa: B023 - used at once
        found[f"dreaming {size}: decided"] = {"value": ROWS / seconds, "unit": "decisions/s", "note": f"{ROWS} rows at once"}
    return found


def _seconds(update: Any, key: jax.Array, state: Any) -> float:
    """Of one update, some of which take the place of what they are given in one program, as in a life."""

    def several(key: jax.Array, state: Any) -> Any:
        return jax.lax.scan(lambda state, key: update(key, state), state, jax.random.split(key, UPDATES))

    compiled = jax.jit(several, donate_argnums=1)
    held = [jax.tree.map(jnp.copy, state)]

    def call() -> Any:
        held[0], info = compiled(key, held[0])
        return info

    return best_seconds(call, repeats=10) / UPDATES


if __name__ == "__main__":
    print(jax.devices()[0].device_kind)
    for name, figure in run({"matmul": matmul_rate()}, tuple(sys.argv[1:]) or ("0.5M",)).items():
        share = f"{figure['share']:5.0%}" if "share" in figure else "     "
        print(f"{name:40s} {figure['value']:10,.1f} {figure['unit']:12s} {share}  {figure['note']}", flush=True)
