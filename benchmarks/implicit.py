"""How fast the implicit model plans and learns, against the rate of this machine's matrix products.

The task: the published 1M shapes. Observations of 17 numbers, actions of 6; MPPI with 512 candidates,
24 of them from the policy, horizon 3, 6 iterations, one row; updates of 256 sequences of 3 transitions.

Counted are products alone, two for each weight and row; in an update the gradients take twice as many
again, but for targets (none) and for the values under the policy's loss (once again, to reach their inputs).

Run it alone: `python -m benchmarks.implicit`.
"""

import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.machine import best_seconds, matmul_rate
from umwelt.behaviours import ModelPredictive
from umwelt.core import MID, Box, TimeStep, WorldSpec, lived
from umwelt.models import Implicit
from umwelt.recipes.tdmpc2 import tdmpc2
from umwelt.worlds import Pendulum

SPEC = WorldSpec(name="published", observation=Box(shape=(17,)), action=Box(shape=(6,), low=-1.0, high=1.0), task=Box())


def weights_of(model: Implicit, observed: int, acting: int) -> dict[str, int]:
    """How many weights each stack has."""
    both, units, bins = model.latent + acting, model.units, model.bins.count
    hidden = units * units
    return {
        "encoder": observed * model.encoder_units + model.encoder_units * model.latent,
        "dynamics": both * units + hidden + units * model.latent,
        "outcome": both * units + hidden + units * (bins + 1),
        "values": model.members * (both * units + hidden + units * bins),
        "policy": model.latent * units + hidden + units * 2 * acting,
    }


def planning_flop(agent: ModelPredictive, weights: dict[str, int]) -> float:
    """Products of one decision."""
    planner = agent.planner
    step = weights["dynamics"] + weights["outcome"]
    end = weights["policy"] + weights["values"]
    given = round(planner.samples * planner.proposed)
    proposals = given * planner.horizon * (weights["policy"] + weights["dynamics"])
    scored = planner.iterations * (planner.samples - given) + given
    return 2.0 * (scored * (planner.horizon * step + end) + proposals)


def learning_flop(agent: ModelPredictive, weights: dict[str, int]) -> float:
    """Products of one update of the model, without the guessers of its doubt."""
    inner = agent.model.model
    two = weights["values"] * min(2, inner.members) / inner.members
    learned = 3 * (weights["encoder"] + 3 * sum(weights[name] for name in ("dynamics", "outcome", "values")))
    # returns along the whole sequence need values at its end alone
    targets = 3 * weights["encoder"] + (1 if inner.lambda_ == 1.0 else 3) * (weights["policy"] + two)
    policy = (inner.policy_latents or 4) * (3 * weights["policy"] + 2 * two)
    return 2.0 * agent.batch * (learned + targets + policy)


def calls(agent: ModelPredictive) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """A call that decides, and one that learns."""
    key = jax.random.key(0)
    state = agent.init(key, SPEC)
    step = TimeStep(kind=jnp.full(1, MID, jnp.int8), observation=jax.random.normal(key, (1, 17)), reward=jnp.zeros(1))
    batch = lived(step, jnp.zeros((1, 6)), step)
    batch = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf[:, None], (agent.batch, 3, *leaf.shape[1:])), batch)
    choose, learn = (
        jax.jit(lambda key, state: agent.act(key, agent.see(key, state, step)[0])[1]),
        jax.jit(agent.model.learn, donate_argnums=1),
    )
    held = [state, jax.tree.map(jnp.copy, state.model)]

    def decide() -> Any:
        return choose(key, held[0])

    def update() -> Any:
        held[1], info = learn(key, held[1], batch)
        return info["model_loss"]

    return decide, update


def run(rates: dict[str, float], rounds: int = 8, size: str = "1M") -> dict[str, dict[str, Any]]:
    """Decisions and updates a second, measured in turns with the rate of matrix products; the best of each counts."""
    agent = tdmpc2(Pendulum(), size=size).agent
    weights = weights_of(agent.model.model, 17, 6)
    decide, update = calls(agent)
    limit, found = [rates["matmul"]], {"planning": [], "learning": []}
    for _ in range(rounds):
        found["planning"].append(best_seconds(decide, repeats=10))
        found["learning"].append(best_seconds(update, repeats=10))
        limit.append(matmul_rate(repeats=6))
    flops = {"planning": planning_flop(agent, weights), "learning": learning_flop(agent, weights)}
    return {
        f"implicit {name} {size}": {
            "value": 1 / min(seconds),
            "unit": "decisions/s" if name == "planning" else "updates/s",
            "share": flops[name] / min(seconds) / 1e9 / max(limit),
            "of": "matmul",
            "note": f"{flops[name] / 1e9:.2f} GFLOP each, limit {max(limit):.0f} GFLOP/s",
        }
        for name, seconds in found.items()
    }


if __name__ == "__main__":
    for size in sys.argv[1:] or ["1M"]:
        print(run({"matmul": matmul_rate()}, size=size))
