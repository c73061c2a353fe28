"""Run the soft actor-critic of Stable-Baselines3 with our settings, for a table in `umwelt/claims/records`.

    python -m venv build/peer
    build/peer/bin/pip install torch==2.13.0+cpu stable-baselines3 'gymnasium[mujoco]' mujoco==3.17.0
    python -m umwelt.claims.studies.peers Pendulum-v1 --steps 6000 --seeds 2 --out umwelt/claims/records/sac_pendulum.csv

Settings of both: two hidden layers of 256, batches of 256, Adam at 3e-4, discount 0.99, target critics with an EMA rate
of 0.005. One update follows each decision after 100 at random. Scores are means of 30 episodes after the last decision.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
from pathlib import Path

COLUMNS: tuple[str, ...] = ("seed", "final_return", "seconds", "updates_a_second", "cores")
RANDOM = 100
"""Decisions at random before the first update."""
PEER = """
import json, sys, time
import gymnasium
from stable_baselines3 import SAC
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
name, (steps, seed, first) = sys.argv[1], map(int, sys.argv[2:])
model = SAC("MlpPolicy", gymnasium.make(name), learning_starts=first, seed=seed, device="cpu")
began = time.perf_counter()
model.learn(steps)
seconds = time.perf_counter() - began
judge = gymnasium.make(name)
judge.reset(seed=20_000)
mean, _ = evaluate_policy(model, Monitor(judge), n_eval_episodes=30)
print(json.dumps({"final_return": float(mean), "seconds": seconds}))
"""


def peer(python: str, world: str, steps: int, seed: int) -> dict[str, float]:
    """Live one seed of the other library; returns its score and the seconds that it learned."""
    words = [python, "-c", PEER, world, str(steps), str(seed), str(RANDOM)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def write(path: Path, rows: list[dict[str, float]]) -> None:
    """Write the table, whole or not at all."""
    draft = path.with_suffix(".draft")
    with draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    draft.replace(path)


def main(arguments: list[str]) -> int:
    """Run all seeds, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("world")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--peer", default="build/peer/bin/python")
    parser.add_argument("--out", type=Path, required=True, help="a CSV in umwelt/claims/records")
    given = parser.parse_args(arguments)
    rows: list[dict[str, float]] = []
    for seed in range(given.seeds):
        found = peer(given.peer, given.world, given.steps, seed)
        rate = (given.steps - RANDOM) / found["seconds"]
        rows.append({"seed": seed, **found, "updates_a_second": round(rate, 1), "cores": len(os.sched_getaffinity(0))})
        write(given.out, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
