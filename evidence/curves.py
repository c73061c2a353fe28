"""Learning curves: a few seeds of a recipe in a world, examined on the way, with what each point cost.

    python -m evidence.curves tdmpc2_cartpole --seeds 3

Every seed is a life of its own in `build/evidence`, or in a pure world all live at once in one compiled program; a
life that was broken off is resumed, and seeds whose curve is whole already are kept. Rows go to
`evidence/results/NAME.csv`: seed, decisions, frames, seconds of life without its probes, and the mean of ten probe
episodes with its interval; the summary goes to `NAME.json`.
"""

import argparse
import csv
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

RESULTS, LIVES = Path(__file__).parent / "results", Path("build/evidence")
COLUMNS = ("seed", "decisions", "frames", "seconds", "mean", "low", "high")
READ = {"seed": int, "decisions": int, "frames": int}
"""Columns that are whole numbers."""
REPEAT, BOXES = ("--world.repeat", "2"), ("--recipe.size", "boxes")


@dataclass(frozen=True)
class Curve:
    """One row of the table. bar: what the last ten probe episodes must reach. minutes: in how long, probes apart, if that counts.
    together: all seeds in one life. seeds: how many the table asks for."""

    world: str
    recipe: str
    steps: int
    bar: float
    minutes: float | None
    every: int
    options: tuple[str, ...] = ()
    together: bool = False
    seeds: int = 3


CURVES: dict[str, Curve] = {
    "tdmpc2_cartpole": Curve("dm_control:cartpole-swingup", "tdmpc2", 20_000, 830.0, 12.0, 10_000, REPEAT),
    "tdmpc2_cartpole_long": Curve("dm_control:cartpole-swingup", "tdmpc2", 50_000, 830.0, None, 10_000, REPEAT),
    "tdmpc2_walker": Curve("dm_control:walker-walk", "tdmpc2", 25_000, 900.0, 18.0, 12_500, REPEAT, seeds=2),
    "tdmpc2_cheetah": Curve("dm_control:cheetah-run", "tdmpc2", 50_000, 480.0, 40.0, 7_500, REPEAT, seeds=1),
    "dreamer_pendulum": Curve("pendulum", "dreamer_v3", 12_000, -250.0, 20.0, 3_000, together=True),
    "harmony_pendulum": Curve("pendulum", "harmony_dream", 12_000, -250.0, 20.0, 3_000, together=True),
    "mudreamer_pendulum": Curve("pendulum", "mudreamer", 18_000, -250.0, 30.0, 3_000, together=True),
    "bmpc_pendulum": Curve("gymnasium:Pendulum-v1", "bmpc", 6_000, -250.0, 10.0, 1_500),
    "dreamer_swingup": Curve("cartpole_swingup", "dreamer_v3", 50_000, 140.0, 40.0, 10_000, together=True),
    "dreamer_pixels": Curve("cartpole", "dreamer_v3", 10_000, 150.0, 60.0, 5_000, ("--wrap", "pictured"), seeds=1),
    "dreamer_cartpole": Curve("dm_control:cartpole-swingup", "dreamer_v3", 50_000, 500.0, 60.0, 10_000, REPEAT, seeds=1),
    "mbpo_hopper": Curve("gymnasium:Hopper-v5", "mbpo", 30_000, 1000.0, 120.0, 5_000),
    "dqn_cartpole": Curve("cartpole", "dqn", 40_000, 475.0, 20.0, 5_000, together=True),
    "losse_dyna_cartpole": Curve("cartpole", "losse_dyna", 20_000, 475.0, 20.0, 2_500, together=True),
    "losse_dyna_pendulum": Curve("pendulum", "losse_dyna", 10_000, -250.0, 20.0, 2_500, BOXES, together=True),
    "sac_pendulum": Curve("gymnasium:Pendulum-v1", "sac", 10_000, -250.0, 10.0, 2_500),
}


def known(name: str) -> list[dict[str, Any]]:
    """The rows of seeds that stand in the results, whole and with the options of today."""
    made = RESULTS / f"{name}.json"
    if not made.exists() or json.loads(made.read_text())["options"] != list(CURVES[name].options):
        return []
    with (RESULTS / f"{name}.csv").open(newline="") as file:
        rows = [{column: READ.get(column, float)(row[column]) for column in COLUMNS} for row in csv.DictReader(file)]
    whole = {row["seed"] for row in rows if row["decisions"] == CURVES[name].steps}
    return [row for row in rows if row["seed"] in whole]


def live_them(name: str, seeds: list[int]) -> list[dict[str, float]]:
    """Live, or resume, the life of these seeds; the rows of their curves."""
    curve, life = CURVES[name], f"{name}-{seeds[0]}"
    folder = ["--lives", str(LIVES), "--quiet"]
    if (LIVES / life / "recipe.json").exists():
        words = ["resume", life, *folder]
    else:
        words = ["live", "--world", curve.world, "--recipe", curve.recipe, "--steps", str(curve.steps * len(seeds))]
        words += ["--name", life, *folder, "--rhythm.probe-every", str(curve.every), "--rhythm.probe-episodes", "10"]
        words += ["--seed", str(seeds[0]), "--seeds", str(len(seeds)), *curve.options]
    subprocess.run([sys.executable, "-m", "umwelt", *words], check=True)
    return curve_of(LIVES / life)


def curve_of(path: Path) -> list[dict[str, float]]:
    """The probes of a life, and the seconds that it (all its seeds together) had lived by then, probes left out."""
    from umwelt.life.chronicle.chronicle import Chronicle
    from umwelt.life.folder.folder import Folder

    repeat = int(Folder.read(path).description["repeat"])
    with Chronicle.read(path / "chronicle.db") as chronicle:
        probes, spent = chronicle.probes(), chronicle.timing()
    rows = []
    for index, clock in enumerate(probes["clock"]):
        before = spent["clock"] <= clock
        parts = [part for part in sorted(set(spent["part"])) if part != "probe"]
        lived = sum(summed(spent["seconds"][before & (spent["part"] == part)]) for part in parts)
        figures = {name: round(float(probes[name][index]), 3) for name in ("mean", "low", "high")}
        when = {"decisions": int(clock), "frames": int(clock) * repeat, "seconds": round(lived, 1)}
        rows.append({"seed": int(probes["seed"][index]), **when, **figures})
    return rows


def summed(seconds: np.ndarray) -> float:
    """Total of running sums that start again at 0 whenever the life was resumed."""
    steps = np.diff(np.asarray(seconds, np.float64), prepend=0.0)
    return float(np.where(steps < 0, seconds, steps).sum())


def summary(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What the rows of all seeds come to."""
    curve = CURVES[name]
    ends = [max((row for row in rows if row["seed"] == seed), key=lambda row: row["decisions"]) for seed in seeds_in(rows)]
    values = np.array([row["mean"] for row in ends])
    spread = 1.96 * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    return {
        "command": f"python -m evidence.curves {name} --seeds {len(ends)}",
        "date": time.strftime("%Y-%m-%d"),
        "options": list(curve.options),
        "decisions": curve.steps,
        "bar": curve.bar,
        "bar_minutes": curve.minutes,
        "reached": f"{int((values >= curve.bar).sum())} of {len(values)}",
        "mean": round(float(values.mean()), 2),
        "interval": [round(float(values.mean() - spread), 2), round(float(values.mean() + spread), 2)]
        if len(values) > 1
        else None,
        "slowest_minutes": round(max(row["seconds"] for row in ends) / 60, 2),
    }


def seeds_in(rows: list[dict[str, Any]]) -> list[int]:
    """The seeds of some rows, in order."""
    return sorted({int(row["seed"]) for row in rows})


def main() -> int:
    """One curve, to the screen and to its files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("curve", choices=list(CURVES))
    parser.add_argument("--seeds", type=int, help="as many as the table asks for, unless given")
    given = parser.parse_args()
    curve, rows = CURVES[given.curve], known(given.curve)
    missing = [seed for seed in range(given.seeds or curve.seeds) if seed not in seeds_in(rows)]
    for seeds in [missing] if curve.together and missing else [[seed] for seed in missing]:
        rows += live_them(given.curve, seeds)
        print(json.dumps(rows[-1]), flush=True)
        RESULTS.mkdir(parents=True, exist_ok=True)
        with (RESULTS / f"{given.curve}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        (RESULTS / f"{given.curve}.json").write_text(json.dumps(summary(given.curve, rows), indent=1) + "\n")
    print(json.dumps(summary(given.curve, rows), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
