"""A life killed again and again by SIGKILL becomes, bit for bit, what it would have become.

    python -m evidence.kill --kills 20 --out evidence/results/kill.json

For each world the same life runs twice: once undisturbed, and once in processes that are killed
at random moments and resumed. Then the fingerprints of the whole value and of the chronicle are compared.
"""

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SMALL = ["--rhythm.save-seconds", "0.3", "--rhythm.probe-episodes", "1", "--rhythm.chunk", "20", "--rhythm.random", "60"]
LOSSE = ["--recipe", "losse_mpc", "--recipe.planner.samples", "32", "--recipe.planner.horizon", "5"]
PETS = ["--recipe", "pets", "--recipe.planner.samples", "32", "--recipe.planner.horizon", "5", "--recipe.planner.elites", "4"]
TASKS = ["--teacher.names", "earth", "moon", "earth", "--rhythm.probe-every", "400"]
DREAM = ["--recipe.batch", "4", "--recipe.length", "8", "--recipe.memory.length", "8", "--rhythm.first-updates", "5"]
PLAN = ["--recipe.planner.samples", "64", "--rhythm.first-updates", "5"]
UMWELT = [sys.executable, "-m", "umwelt"]
LIVES: dict[str, list[str]] = {
    "pendulum, scan": ["--world", "pendulum", *PETS, *TASKS, "--teacher.steps", "400"],
    "pendulum, host": ["--world", "pendulum", "--driver", "host", *LOSSE, *TASKS, "--teacher.steps", "400"],
    "gymnasium:Pendulum-v1": ["--world", "gymnasium:Pendulum-v1", *LOSSE],
    "gymnasium:Hopper-v5": ["--world", "gymnasium:Hopper-v5", *PETS],
}
CHANGING: dict[str, list[str]] = {
    "changing world, experts": [
        *("--world", "pendulum", "--recipe", "losse_experts", "--recipe.planner.samples", "32"),
        *("--recipe.planner.horizon", "5", "--recipe.model.most", "3", "--recipe.model.model.encoder.grids", "6"),
        *("--teacher.names", "earth", "mirrored", "earth", "moon", "--teacher.steps", "250", "--rhythm.probe-every", "500"),
    ],
    "changing world, consolidated": [
        *("--world", "pendulum", "--recipe", "evidence.agents:consolidated"),
        *("--teacher.names", "earth", "mirrored", "earth", "moon", "--teacher.steps", "250", "--rhythm.probe-every", "500"),
    ],
    "changing world, on disk": [
        *("--world", "pendulum", "--recipe", "evidence.agents:spilling"),
        *("--teacher.names", "earth", "mirrored", "earth", "moon", "--teacher.steps", "250", "--rhythm.probe-every", "500"),
    ],
}
"""Lives through changes of the task: experts come and go, weights are consolidated, and memory goes to disk."""
RECIPES: dict[str, list[str]] = {
    "recipe tdmpc2": ["--world", "pendulum", "--recipe", "tdmpc2", *PLAN],
    "recipe bmpc": ["--world", "pendulum", "--recipe", "bmpc", *PLAN],
    "recipe dreamer_v3": ["--world", "pendulum", "--recipe", "dreamer_v3", *DREAM],
    "recipe mudreamer": ["--world", "pendulum", "--recipe", "mudreamer", *DREAM],
    "recipe harmony_dream": ["--world", "pendulum", "--recipe", "harmony_dream", *DREAM],
    "recipe mbpo": ["--world", "pendulum", "--recipe", "mbpo", "--recipe.updates", "2", "--rhythm.first-updates", "5"],
    "recipe losse_dyna": ["--world", "cartpole", "--recipe", "losse_dyna"],
    "recipe sac": ["--world", "pendulum", "--recipe", "sac"],
    "recipe dqn": ["--world", "cartpole", "--recipe", "dqn"],
}
"""Every recipe that the lives above do not live, small."""


def fingerprint(lives: Path, name: str) -> dict[str, Any]:
    """What `umwelt hash` says."""
    command = [*UMWELT, "hash", name, "--lives", str(lives), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def kill_and_compare(
    name: str, steps: int, kills: int, seed: int, longest: float, options: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Live `name` undisturbed and killed `kills` times at random moments within `longest` seconds of each start."""
    lives = Path(tempfile.mkdtemp(prefix="umwelt-kill-"))
    common = [
        *(LIVES | CHANGING | RECIPES)[name],
        *SMALL,
        *options,
        "--steps",
        str(steps),
        "--lives",
        str(lives),
        "--quiet",
        "--seed",
        str(seed),
    ]
    try:
        with (lives / "log").open("w") as log:
            subprocess.run([*UMWELT, "live", *common, "--name", "whole"], check=True, stdout=log, stderr=log)
            killed, resumed = live_killed(common, lives, kills, random.Random(seed), longest, log)
        whole, broken = fingerprint(lives, "whole"), fingerprint(lives, "killed")
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"{name}: exit {error.returncode}; the log ends: {(lives / 'log').read_text()[-2000:]}") from error
    finally:
        shutil.rmtree(lives)
    row = {"life": name, "steps": steps, "seed": seed, "killed": killed, "resumed": resumed, "same": whole == broken, **whole}
    return row if whole == broken else {**row, "other": broken}


def live_killed(common: list[str], lives: Path, kills: int, draw: random.Random, longest: float, log: Any) -> tuple[int, int]:
    """One life in as many processes as it takes; returns how often it was killed and how often resumed."""
    killed = resumed = 0
    while True:
        again = (lives / "killed").exists()
        start = ["resume", "killed", "--lives", str(lives), "--quiet"] if again else ["live", *common, "--name", "killed"]
        process = subprocess.Popen([*UMWELT, *start], stdout=log, stderr=log)
        resumed += again
        try:
            process.wait(timeout=draw.uniform(0.2, longest) if killed < kills else None)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
            continue
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, start)
        return killed, resumed


def main() -> int:
    """Run all lives and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--longest", type=float, default=10.0, help="seconds that a process lives at most before it is killed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="lives whose name holds this word")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows = []
    for name in (name for name in LIVES | CHANGING | RECIPES if given.only in name):
        began = time.perf_counter()
        rows.append(kill_and_compare(name, given.steps, given.kills, given.seed, given.longest))
        print(json.dumps({**rows[-1], "seconds": round(time.perf_counter() - began)}), flush=True)
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps({"command": "python -m evidence.kill " + " ".join(sys.argv[1:]), "rows": rows}, indent=1))
    return 0 if all(row["same"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
