"""How fast a planner decides in a latent model, against the rate of this machine's matrix products.

The task: MPPI with 512 candidates, horizon 5 and 6 iterations, one row. The belief of the model is a latent of 256
numbers; its dynamics is a network with two hidden layers of 256 over [latent, action].

FLOP of one decision, products only (two for each weight; noise, softmax and activations are not counted):

    first layer     (256 + 6) * 256;
    second layer          256 * 256;
    next latent           256 * 256;
    reward                256 *   1;
    all weights             198,400.

    6 iterations * 512 candidates * 5 steps * 2 * 198,400 = 6,094,848,000 FLOP

Run it alone: `python -m benchmarks.planning`.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.machine import best_seconds, matmul_rate
from umwelt.core import Box, Objective, Prediction, WorldSpec, keys, struct
from umwelt.core.contracts import Prospect
from umwelt.planners import MPPI

LATENT, HIDDEN, ACTIONS = 256, 256, 6
PLANNER = MPPI(samples=512, horizon=5, iterations=6)
FLOP = PLANNER.iterations * PLANNER.samples * PLANNER.horizon * 2 * (
    (LATENT + ACTIONS) * HIDDEN + HIDDEN * HIDDEN + HIDDEN * LATENT + HIDDEN
)  # fmt: skip


@struct
class Latent:
    """The weights of a latent model. The first layer is two arrays, one for latents and one for actions. Their results
    add up, so no step copies latents and actions into one array."""

    of_latent: jax.Array
    of_action: jax.Array
    second: jax.Array
    following: jax.Array
    reward: jax.Array


def latent(key: jax.Array) -> Latent:
    """Random weights that keep the size of what passes through them."""
    shapes = {
        "of_latent": (LATENT, HIDDEN),
        "of_action": (ACTIONS, HIDDEN),
        "second": (HIDDEN, HIDDEN),
        "following": (HIDDEN, LATENT),
        "reward": (HIDDEN, 1),
    }
    draws = {name: jax.random.normal(keys.fold(key, name), shape) for name, shape in shapes.items()}
    return Latent(**{name: draw * (2.0 / draw.shape[0]) ** 0.5 for name, draw in draws.items()})


def imagine(model: Latent, belief: jax.Array, action: jax.Array) -> tuple[jax.Array, Prediction]:
    """One imagined step of latents [N, 256] under actions [N, 6]."""
    hidden = jax.nn.relu(belief @ model.of_latent + action @ model.of_action)
    hidden = jax.nn.relu(hidden @ model.second)
    reward = (hidden @ model.reward)[:, 0]
    following = jax.nn.relu(hidden @ model.following)
    return following, Prediction(observation=None, reward=reward, continues=jnp.ones_like(reward), doubt=jnp.zeros_like(reward))


def decider(planner: Any = PLANNER, batch: int = 1) -> Callable[[], jax.Array]:
    """A call that makes one decision in each of `batch` rows, from the warm start of the call before."""
    spec = WorldSpec(
        name="latent",
        observation=Box(shape=(LATENT,)),
        action=Box(shape=(ACTIONS,), low=-1.0, high=1.0),
        task=Box(),
        batch=batch,
    )
    model_key, belief_key, init_key = keys.split(jax.random.key(0), "model", "belief", "init")
    model, belief = latent(model_key), jax.nn.relu(jax.random.normal(belief_key, (batch, LATENT)))

    @jax.jit
    def decide(key: jax.Array, model: Latent, state: Any, belief: jax.Array) -> Any:
        def dream(key: jax.Array, belief: jax.Array, action: jax.Array) -> tuple[jax.Array, Prediction]:
            return imagine(model, belief, action)

        return planner.plan(key, state, belief, Prospect(imagine=dream, objective=Objective()))

    held = [planner.init(init_key, spec)]

    def call() -> jax.Array:
        held[0], action = decide(jax.random.key(1), model, held[0], belief)
        return action

    return call


def run(rates: dict[str, float], rounds: int = 10) -> dict[str, dict[str, Any]]:
    """The figure, and its share of the rate of matrix products.

    The two are measured in turns, and the best of each counts, so that other work on the machine
    does not favour one of them.
    """
    call, seconds, limit = decider(), [], [rates["matmul"]]
    for _ in range(rounds):
        seconds.append(best_seconds(call, repeats=30))
        limit.append(matmul_rate(repeats=6))
    rate = 1 / min(seconds)
    return {
        "planning": {
            "value": rate,
            "unit": "decisions/s",
            "share": rate * FLOP / 1e9 / max(limit),
            "of": "matmul",
            "note": f"MPPI 512 x 5 x 6, latent 256, {FLOP / 1e9:.3f} GFLOP a decision, limit {max(limit):.0f} GFLOP/s",
        }
    }


if __name__ == "__main__":
    print(run({"matmul": matmul_rate()}))
