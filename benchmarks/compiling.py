"""How long XLA compiles for a short life of every recipe at its default size, with an empty and with a warm cache.

Counted is all that JAX spends between a Python function and a program that runs: tracing, lowering, and compiling
or reading the cache; for the first and the last probe, for acting and for learning. Each life has its own process.

Run it alone: `python -m benchmarks.compiling [recipe ...]`.
"""

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

WORLDS = {"dqn": "cartpole", "losse_dyna": "cartpole"}
"""Recipes that need a world of choices; the others live in `pendulum`."""
DURATIONS = (
    "/jax/core/compile/jaxpr_trace_duration",
    "/jax/core/compile/jaxpr_to_mlir_module_duration",
    "/jax/core/compile/backend_compile_duration",
)


def child(recipe: str, folder: str) -> None:
    """Live a few decisions, and print the seconds of compiling."""
    import jax

    from umwelt.cli.main import main

    spent: list[float] = []

    def hear(event: str, duration: float, **_: Any) -> None:
        if event in DURATIONS:
            spent.append(duration)

    jax.monitoring.register_event_duration_secs_listener(hear)
    rhythm = ["--rhythm.random", "20", "--rhythm.first-updates", "1", "--rhythm.chunk", "20", "--rhythm.probe-episodes", "1"]
    world = WORLDS.get(recipe, "pendulum")
    code = main(["live", "--world", world, "--recipe", recipe, "--steps", "60", "--lives", folder, "--quiet", *rhythm])
    print(json.dumps({"seconds": sum(spent), "code": code}))


def seconds_of(recipe: str, cache: str) -> float:
    """Compile seconds of one life with the cache in the folder `cache`."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "benchmarks.compiling", "--child", recipe, folder]
        done = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ, "XDG_CACHE_HOME": cache})
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def run(recipes: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
    """Cold and warm seconds of each recipe."""
    from umwelt.recipes import ALL

    found = {}
    for recipe in recipes or tuple(ALL):
        with tempfile.TemporaryDirectory() as cache:
            for name in ("cold", "warm"):
                found[f"compiling {recipe}, {name}"] = {"value": seconds_of(recipe, cache), "unit": "s"}
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:4])
    else:
        for name, figure in run(tuple(sys.argv[1:])).items():
            print(f"{name:35s} {figure['value']:6.1f} s", flush=True)
