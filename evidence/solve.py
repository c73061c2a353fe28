"""Does a recipe solve a world, how soon, and at what cost? Several seeds, each a life of its own.

    python -m evidence.solve pets_pendulum --out evidence/results/pets_pendulum.json

A life is examined at the end (and, where the case says so, on the way) with the same ten episodes for
every seed. Seconds are wall clock of the whole life, from the start of its process to its end, probes included.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """One row of the table. bar: what the mean of ten probe episodes must reach. measure: `return` or `upright`."""

    world: str
    recipe: str
    steps: int
    bar: float
    measure: str = "return"
    every: int = 0
    options: tuple[str, ...] = field(default=())


CASES: dict[str, Case] = {
    "pets_pendulum": Case(world="gymnasium:Pendulum-v1", recipe="pets", steps=1000, bar=-250.0),
    "pets_cartpole_swingup": Case(
        world="cartpole_swingup",
        recipe="pets",
        steps=4000,
        bar=0.9,
        measure="upright",
        options=(
            *("--recipe.planner.horizon", "30", "--recipe.planner.samples", "150"),
            *("--recipe.planner.elites", "15"),
        ),
    ),
    "losse_pendulum": Case(world="pendulum", recipe="losse_mpc", steps=1500, bar=-250.0, every=500),
    "losse_mountain_car": Case(
        world="mountain_car_continuous",
        recipe="losse_mpc",
        steps=2500,
        bar=90.0,
        options=(
            *("--recipe.planner.horizon", "90", "--recipe.planner.samples", "160", "--recipe.planner.beta", "4"),
            *("--recipe.objective.doubt", "20"),
        ),
    ),
}


def live_one(case: Case, seed: int, folder: str) -> dict[str, Any]:
    """One seed in its own process: its last probe, the first probe that reached the bar, and the seconds."""
    words = ["live", "--world", case.world, "--recipe", case.recipe, "--steps", str(case.steps), "--seed", str(seed)]
    words += ["--lives", folder, "--name", f"seed-{seed}", "--rhythm.probe-episodes", "10", "--json", *case.options]
    words += ["--rhythm.probe-every", str(case.every)] if case.every else []
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "umwelt", *words], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"seed {seed}: exit {done.returncode}: {done.stderr[-2000:]}")
    seconds = time.perf_counter() - began
    summary = json.loads(done.stdout)
    end = summary["tasks"][0]["end"]
    row = {"seed": seed, "steps": case.steps, "return": end["mean"], "low": end["low"], "high": end["high"]}
    row |= {"seconds": round(seconds, 1), "spent": {name: round(value, 1) for name, value in summary["seconds"].items()}}
    if case.measure == "upright":
        row["upright"] = upright(Path(folder) / f"seed-{seed}")
    row["reached_at"] = _reached(Path(folder) / f"seed-{seed}", case) if case.measure == "return" else None
    return row


def upright(path: Path) -> float:
    """Mean cosine of the pole's angle over decisions 100 to 200 of ten probe episodes."""
    import jax

    from umwelt.evaluation.proctor import Proctor
    from umwelt.life.api import life_of
    from umwelt.life.engine import Engine
    from umwelt.life.exams.examine import PROBE_KEY, panel_of, repeated
    from umwelt.life.folder.folder import Folder
    from umwelt.life.saves.saver import Saver
    from umwelt.worlds.inside import with_batch

    folder = Folder.read(path)
    life = life_of(folder)
    mind = Saver(folder.checkpoints, Engine(life)).load_minds()[0]
    proctor = Proctor(life.agent, lambda rows: with_batch(life.world, rows))
    tasks = repeated(panel_of(life), 10)
    film = proctor.film(jax.random.key(PROBE_KEY), mind.agent, tasks, warm=99, ticks=100)
    return float(np.asarray(film.observation)[..., 2].mean())


def _reached(path: Path, case: Case) -> int | None:
    """The clock of the first probe at or above the bar."""
    from umwelt.life.chronicle.chronicle import Chronicle

    with Chronicle.read(path / "chronicle.db") as chronicle:
        probes = chronicle.probes()
    good = probes["clock"][probes["mean"] >= case.bar]
    return int(good[0]) if len(good) else None


def table(name: str, seeds: int, only_new: Path | None = None) -> dict[str, Any]:
    """Run all seeds of a case; those that the file already has do not run again."""
    case = CASES[name]
    known = json.loads(only_new.read_text()) if only_new and only_new.exists() else {"options": None, "rows": []}
    # seeds of other options prove nothing about these
    rows = [row for row in known["rows"] if row["steps"] == case.steps] if known["options"] == list(case.options) else []
    for seed in range(seeds):
        if seed in [row["seed"] for row in rows]:
            continue
        with tempfile.TemporaryDirectory(prefix="umwelt-solve-") as folder:
            rows.append(live_one(case, seed, folder))
        print(json.dumps(rows[-1]), flush=True)
    reached = [row[case.measure] >= case.bar for row in rows]
    values = np.array([row[case.measure] for row in rows])
    spread = 1.96 * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    return {
        "case": name,
        "command": f"python -m evidence.solve {name} --seeds {seeds}",
        "date": time.strftime("%Y-%m-%d"),
        "options": list(case.options),
        "bar": case.bar,
        "measure": case.measure,
        "solved": f"{sum(reached)} of {len(rows)}",
        "mean": round(float(values.mean()), 3),
        "interval": [round(float(values.mean() - spread), 3), round(float(values.mean() + spread), 3)],
        "slowest_seconds": max(row["seconds"] for row in rows),
        "rows": rows,
    }


def main() -> int:
    """One case, to the screen and to a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=list(CASES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="JSON; seeds that stand in it already are kept")
    given = parser.parse_args()
    made = table(given.case, given.seeds, given.out)
    print(json.dumps({name: value for name, value in made.items() if name != "rows"}, indent=1))
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(made, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
