"""Our soft actor-critic beside Stable-Baselines3's, with the same settings, on the same machine.

    python -m venv build/peer
    build/peer/bin/pip install torch==2.13.0+cpu stable-baselines3 'gymnasium[mujoco]'
    python -m evidence.peer_sac Pendulum-v1 --steps 10000 --seeds 3 --peer build/peer/bin/python

Settings of both: two hidden layers of 256, batches of 256, one update for each decision after 100 at random, Adam at
3e-4, slow critics that follow by 0.005, discount 0.99. Scores are means of 30 episodes after the last decision.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent / "results"
PEER = """
import json, sys, time
import gymnasium
from stable_baselines3 import SAC
from stable_baselines3.common.evaluation import evaluate_policy
name, steps, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
model = SAC("MlpPolicy", gymnasium.make(name), learning_starts=100, seed=seed, device="cpu")
began = time.perf_counter()
model.learn(steps)
seconds = time.perf_counter() - began
judge = gymnasium.make(name)
judge.reset(seed=20_000)
from stable_baselines3.common.monitor import Monitor
mean, _ = evaluate_policy(model, Monitor(judge), n_eval_episodes=30)
print(json.dumps({"return": float(mean), "seconds": seconds}))
"""


def peer(python: str, world: str, steps: int, seed: int) -> dict[str, float]:
    """One seed of the other library."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "peer.py"
        script.write_text(PEER)
        done = subprocess.run([python, str(script), world, str(steps), str(seed)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def ours(world: str, steps: int, seed: int) -> dict[str, float]:
    """One seed of ours; its seconds are those of the life without its probes."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["live", "--world", f"gymnasium:{world}", "--recipe", "sac", "--steps", str(steps), "--seed", str(seed)]
        words += ["--lives", folder, "--name", "one", "--quiet", "--json", "--rhythm.probe-episodes", "30"]
        done = subprocess.run([sys.executable, "-m", "umwelt", *words], capture_output=True, text=True, check=True)
    summary = json.loads(done.stdout)
    lived = sum(seconds for part, seconds in summary["seconds"].items() if part != "probe")
    return {"return": summary["tasks"][0]["end"]["mean"], "seconds": lived}


def main() -> int:
    """Both, seed by seed in turns; to the screen and to a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("world", help="a name that Gymnasium knows")
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--peer", required=True, help="the Python of an environment with stable-baselines3")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for seed in range(given.seeds):
        for name, run in (("ours", ours), ("peer", lambda *words: peer(given.peer, *words))):
            rows.append({"who": name, "seed": seed} | run(given.world, given.steps, seed))
            print(json.dumps(rows[-1]), flush=True)
    figures = {}
    for name in ("ours", "peer"):
        returns = np.array([row["return"] for row in rows if row["who"] == name])
        seconds = np.array([row["seconds"] for row in rows if row["who"] == name])
        figures[name] = {
            "return": round(float(returns.mean()), 2),
            "updates_a_second": round(given.steps / float(seconds.mean()), 1),
        }
    command = f"python -m evidence.peer_sac {given.world} --steps {given.steps} --seeds {given.seeds}"
    found = {"command": command, "date": time.strftime("%Y-%m-%d"), **figures, "rows": rows}
    print(json.dumps(figures, indent=1))
    (RESULTS / f"peer_sac_{given.world}.json").write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
