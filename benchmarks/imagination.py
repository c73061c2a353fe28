"""Imagined transitions a second of every world model, and their share of this machine's rate of matrix products.

The task: 1,024 beliefs in a world of 17 numbers and 6 actions, imagined for 15 steps under given actions; the reward,
the doubt and, where the model predicts them, the observations are read. The share counts matrix products alone, so that
it is low where a model is mostly something else.

Run it alone: `python -m benchmarks.imagination`, or of some models `python -m benchmarks.imagination dreamer 1M`.
"""

import sys
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.machine import best_seconds, matmul_rate
from benchmarks.products import products
from umwelt.core import MID, Box, TimeStep, WorldSpec, lived
from umwelt.core.contracts import Model
from umwelt.recipes import ALL
from umwelt.worlds import Pendulum

ROWS, STEPS = 1024, 15
SPEC = WorldSpec(
    name="plain",
    observation=Box(shape=(17,), low=-10.0, high=10.0),
    action=Box(shape=(6,), low=-1.0, high=1.0),
    task=Box(),
    batch=ROWS,
)


def model_of(recipe: str, size: str | None = None) -> Model:
    """The world model of a recipe."""
    return ALL[recipe](Pendulum(), size=size).agent.model  # type: ignore[attr-defined]


MODELS: dict[str, Model] = {
    "pets: ensemble": model_of("pets"),
    "mbpo: ensemble, one member": model_of("mbpo"),
    "losse_mpc: online linear": model_of("losse_mpc"),
    "tdmpc2 small: implicit": model_of("tdmpc2"),
    "tdmpc2 1M: implicit": model_of("tdmpc2", "1M"),
    "bmpc small: implicit": model_of("bmpc"),
    "dreamer_v3 0.5M: recurrent": model_of("dreamer_v3"),
    "dreamer_v3 2M: recurrent": model_of("dreamer_v3", "2M"),
    "dreamer_v3 12M: recurrent": model_of("dreamer_v3", "12M"),
    "mudreamer 0.5M: recurrent, no decoder": model_of("mudreamer"),
}


def imagining(model: Model) -> tuple[Any, tuple[Any, ...]]:
    """A function that imagines, and its arguments."""
    key = jax.random.key(0)
    state = model.init(key, SPEC)
    observation = jax.random.normal(key, (ROWS, 17))
    step = TimeStep(kind=jnp.full(ROWS, MID, jnp.int8), observation=observation, reward=jnp.zeros(ROWS))
    actions = jax.random.uniform(key, (STEPS, ROWS, 6), minval=-1.0, maxval=1.0)
    if model.diet == "stream":
        # one lesson, so that the model has seen the scale of things
        state, _ = jax.jit(model.learn)(key, state, lived(step, actions[0], step))
    belief, _ = jax.jit(model.observe)(key, state, model.start(state, ROWS), actions[0], step)

    def imagine(key: jax.Array, state: Any, belief: Any, actions: jax.Array) -> Any:
        def onward(belief: Any, item: Any) -> tuple[Any, Any]:
            belief, prediction = model.imagine(item[0], state, belief, item[1])
            read = (prediction.observation, prediction.reward, prediction.doubt)
            return belief, sum(jnp.sum(leaf) for leaf in jax.tree.leaves(read))

        return jax.lax.scan(onward, belief, (jax.random.split(key, STEPS), actions))[1]

    return imagine, (key, state, belief, actions)


def measured(model: Model, rates: dict[str, float], rounds: int = 3) -> dict[str, Any]:
    """Transitions a second of one model; the best of a few rounds counts."""
    imagine, arguments = imagining(model)
    compiled = jax.jit(imagine)
    seconds = min(best_seconds(lambda: compiled(*arguments), repeats=5) for _ in range(rounds))
    flop = products(imagine, *arguments)
    return {
        "value": ROWS * STEPS / seconds,
        "unit": "transitions/s",
        "share": flop / seconds / 1e9 / max(rates["matmul"], matmul_rate(repeats=6)),
        "of": "matmul",
        "note": f"{flop / ROWS / STEPS / 1e6:.2f} MFLOP each",
    }


def run(rates: dict[str, float]) -> dict[str, dict[str, Any]]:
    """Every model."""
    return {f"imagination, {name}": measured(model, rates) for name, model in MODELS.items()}


if __name__ == "__main__":
    rates = {"matmul": matmul_rate()}
    for name in [name for name in MODELS if not sys.argv[1:] or any(part in name for part in sys.argv[1:])]:
        figure = measured(MODELS[name], rates)
        print(f"{name:45s} {figure['value']:12,.0f} transitions/s  {figure['share']:.0%}  {figure['note']}", flush=True)
