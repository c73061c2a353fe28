"""How fast a dreamer learns: one update of its model from 16 sequences of 64, and one of its policy from dreams after them.

The published task: 64 x 64 pictures of three colours, 6 actions, dreams of 15 steps from each of the 1,024 moments (the
size `0.5M` replays 32 moments and dreams from 128 of them). Updates run in one compiled program, as in a life, each on
the same sequences; the share counts matrix products and convolutions alone. Decided is for 16 rows at once.

Run it alone: `python -m benchmarks.dreaming [size ...]`, on a GPU where there is one (`python -m benchmarks.dreaming 12M`).
"""

import sys
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.machine import best_seconds, matmul_rate
from benchmarks.products import products
from umwelt.behaviours import Dreamer
from umwelt.core import MID, Box, Experience, TimeStep, WorldSpec, keys, lived, spaces
from umwelt.recipes import dreamer_v3

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


def learned(agent: Dreamer, key: jax.Array, model: Any, policy: Any, meal: Experience) -> tuple[Any, Any, Any]:
    """`Dreamer.learn`, but for the memory."""
    learning, recalling, dreaming, practising = keys.split(key, "learn", "recall", "dream", "practise")
    model, info = agent.model.learn(learning, model, meal)
    dream = agent.dream(dreaming, model, policy, *agent.recall(recalling, model, meal))
    policy, told = agent.policy.learn(practising, policy, dream)
    return model, policy, info | told


def run(rates: dict[str, float], sizes: tuple[str, ...] = ("0.5M",)) -> dict[str, dict[str, Any]]:
    """Milliseconds of an update, of its model's part, and of a decision, at each size; the best counts."""
    found, limit = {}, max(rates["matmul"], matmul_rate(repeats=6))
    for size in sizes:
        agent = dreamer_v3.sizes[size]
        meal, key = sequences(agent), jax.random.key(3)
        state = agent.init(key, SPEC)

        def both(key: jax.Array, held: Any, meal: Experience, agent: Dreamer = agent) -> Any:
            def update(held: Any, key: jax.Array) -> Any:
                *held, info = learned(agent, key, *held, meal)
                return tuple(held), info["model_loss"]

            return jax.lax.scan(update, held, jax.random.split(key, UPDATES))

        def alone(key: jax.Array, held: Any, meal: Experience, agent: Dreamer = agent) -> Any:
            def update(model: Any, key: jax.Array) -> Any:
                model, info = agent.model.learn(key, model, meal)
                return model, info["model_loss"]

            model, loss = jax.lax.scan(update, held[0], jax.random.split(key, UPDATES))
            return (model, held[1]), loss

        for name, function in (("update", both), ("of which the model", alone)):
            flop = products(function, key, (state.model, state.policy), meal) / UPDATES
            seconds = _seconds(function, key, state, meal) / UPDATES
            moments = agent.batch * agent.length / seconds
            found[f"dreaming {size}: {name}"] = {
                "value": 1e3 * seconds,
                "unit": "ms",
                "share": flop / seconds / 1e9 / limit,
                "of": "matmul",
                "note": f"{moments:,.0f} replayed transitions/s, {flop / 1e9:.0f} GFLOP",
            }
        step = TimeStep(kind=jnp.full(ROWS, MID, jnp.int8), observation=meal.step.observation[:, 0], reward=jnp.zeros(ROWS))
        act = jax.jit(agent.act)
        seconds = best_seconds(lambda: act(key, state, step), repeats=10)  # noqa: B023 - used at once
        found[f"dreaming {size}: decided"] = {"value": ROWS / seconds, "unit": "decisions/s", "note": f"{ROWS} rows at once"}
    return found


def _seconds(function: Any, key: jax.Array, state: Any, meal: Experience) -> float:
    """Of one call, which takes the place of what it is given, as a life does."""
    compiled = jax.jit(function, donate_argnums=1)
    held = [jax.tree.map(jnp.copy, (state.model, state.policy))]

    def call() -> jax.Array:
        held[0], loss = compiled(key, held[0], meal)
        return loss

    return best_seconds(call, repeats=10)


if __name__ == "__main__":
    print(jax.devices()[0].device_kind)
    for name, figure in run({"matmul": matmul_rate()}, tuple(sys.argv[1:]) or ("0.5M",)).items():
        share = f"{figure['share']:5.0%}" if "share" in figure else "     "
        print(f"{name:40s} {figure['value']:10,.1f} {figure['unit']:12s} {share}  {figure['note']}", flush=True)
