"""Our soft actor-critic beside Stable-Baselines3's, with the same settings, on the same machine.

    python -m venv build/peer
    build/peer/bin/pip install torch==2.13.0+cpu stable-baselines3 'gymnasium[mujoco]' mujoco==3.17.0
    python -m evidence.peer_sac Pendulum-v1 --steps 10000 --seeds 3 --peer build/peer/bin/python

Settings of both: two hidden layers of 256, batches of 256, Adam at 3e-4, discount 0.99, target critics with an EMA rate
of 0.005. One update follows each decision after 100 at random. `--random` sets another number; that library's collection
of tuned settings has 10,000 for HalfCheetah. Scores are means of 30 episodes after the last decision. Runs of both are
long: finished runs are kept, and `--only ours` and `--only peer` may run side by side on a core each.

    python -m evidence.peer_sac HalfCheetah-v5 --updates 300 --peer build/peer/bin/python

times updates alone, from a memory that 1,000 random decisions filled: both libraries in turns, the best of each counts.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from umwelt.evaluation.statistics import improvement, improvement_interval, interquartile_mean, interval

RESULTS = Path(__file__).parent / "results"
PEER = """
import json, sys, time
import gymnasium
from stable_baselines3 import SAC
from stable_baselines3.common.evaluation import evaluate_policy
name, (steps, seed, first) = sys.argv[1], map(int, sys.argv[2:])
model = SAC("MlpPolicy", gymnasium.make(name), learning_starts=first, seed=seed, device="cpu")
began = time.perf_counter()
model.learn(steps)
seconds = time.perf_counter() - began
judge = gymnasium.make(name)
judge.reset(seed=20_000)
from stable_baselines3.common.monitor import Monitor
mean, _ = evaluate_policy(model, Monitor(judge), n_eval_episodes=30)
print(json.dumps({"return": float(mean), "seconds": seconds}))
"""
PEER_UPDATES = """
import json, sys, time
import gymnasium
from stable_baselines3 import SAC
name, updates = sys.argv[1], int(sys.argv[2])
model = SAC("MlpPolicy", gymnasium.make(name), learning_starts=FILLED, seed=0, device="cpu")
model.learn(FILLED)
rates = []
for _ in range(ROUNDS):
    began = time.perf_counter()
    model.train(gradient_steps=updates, batch_size=256)
    rates.append(updates / (time.perf_counter() - began))
print(json.dumps(rates))
"""
FILLED, ROUNDS = 1000, 5
"""Random decisions in the memory from which updates are timed, and how often so many are."""


def peer(python: str, world: str, steps: int, seed: int, random: int) -> dict[str, float]:
    """One seed of the other library."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "peer.py"
        script.write_text(PEER)
        words = [python, str(script), world, str(steps), str(seed), str(random)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def ours(world: str, steps: int, seed: int, random: int) -> dict[str, float]:
    """One seed of ours; its seconds are those of the life without its probes."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["live", "--world", f"gymnasium:{world}", "--recipe", "sac", "--steps", str(steps), "--seed", str(seed)]
        words += ["--lives", folder, "--name", "one", "--quiet", "--json", "--rhythm.probe-episodes", "30"]
        words += ["--rhythm.random", str(random)]
        done = subprocess.run([sys.executable, "-m", "umwelt", *words], capture_output=True, text=True, check=True)
    summary = json.loads(done.stdout)
    lived = sum(seconds for part, seconds in summary["seconds"].items() if part != "probe")
    return {"return": summary["tasks"][0]["end"]["mean"], "seconds": lived}


def our_updates(world: str, updates: int) -> list[float]:
    """Updates a second of ours, in each round."""
    from umwelt.life.composition import Life
    from umwelt.life.engine import Engine
    from umwelt.life.rhythm import Rhythm
    from umwelt.recipes.sac import sac
    from umwelt.teachers import Blocks
    from umwelt.worlds.adapters import gymnasium

    rhythm = Rhythm(random=FILLED, chunk=FILLED)
    engine = Engine(Life(world=gymnasium(id=world), agent=sac.agent, teacher=Blocks(), rhythm=rhythm))
    (simulators, mind), _ = engine.advance(engine.begin(), rhythm.segment(0, 2 * FILLED))
    engine.life.world.close(simulators)
    agent, rates = mind.agent, []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        agent, _ = jax.block_until_ready(engine.programs.learn(agent, mind.key, mind.clock, updates))
        rates.append(updates / (time.perf_counter() - began))
    return rates[1:]  # the first round compiles


def peer_updates(python: str, world: str, updates: int) -> list[float]:
    """Updates a second of the other library, in each round."""
    code = PEER_UPDATES.replace("FILLED", str(FILLED)).replace("ROUNDS", str(ROUNDS))
    done = subprocess.run([python, "-c", code, world, str(updates)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def time_updates(python: str, world: str, updates: int) -> dict[str, Any]:
    """Both in turns: the best rate of each, and how many times the other's ours is."""
    ours, theirs = [], []
    for _ in range(2):
        theirs += peer_updates(python, world, updates)
        ours += our_updates(world, updates)
    found = {"ours": round(max(ours), 1), "peer": round(max(theirs), 1), "times": round(max(ours) / max(theirs), 2)}
    every = {"all_ours": [round(rate, 1) for rate in ours], "all_peer": [round(rate, 1) for rate in theirs]}
    command = f"python -m evidence.peer_sac {world} --updates {updates}"
    return {"command": command, "date": time.strftime("%Y-%m-%d"), "cores": len(os.sched_getaffinity(0)), **found, **every}


def known(path: Path) -> list[dict[str, Any]]:
    """The rows of earlier runs."""
    return json.loads(path.read_text())["rows"] if path.exists() else []


def summary(rows: list[dict[str, Any]], command: str) -> dict[str, Any]:
    """Means of both over their seeds, and interquartile means, with 95 % intervals where there are three; speed on the
    most cores that both have had; and the chance that a seed of ours has more than one of theirs."""
    figures: dict[str, Any] = {"command": command, "date": time.strftime("%Y-%m-%d")}
    names = sorted({row["who"] for row in rows})
    had = [{row["cores"] for row in rows if row["who"] == name} for name in names]
    for name in names:
        own = [row for row in rows if row["who"] == name]
        returns = np.array([row["return"] for row in own])
        cores = max(set.intersection(*had) or {row["cores"] for row in own})
        seconds = np.array([row["seconds"] for row in own if row["cores"] == cores])
        figures[name] = {
            "return": round(float(returns.mean()), 2),
            "interquartile_mean": round(interquartile_mean(returns), 2),
            "seeds": len(returns),
            "updates_a_second": round(own[0].get("updates", own[0]["steps"]) / float(seconds.mean()), 1),
            "cores": cores,
        }
        if len(returns) > 2:
            figures[name]["interval"] = [round(edge, 2) for edge in interval(jax.random.key(0), returns)]
    tables = [np.array([[row["return"]] for row in rows if row["who"] == name]) for name in ("ours", "peer")]
    if all(len(table) > 2 for table in tables):
        low, high = improvement_interval(jax.random.key(0), *tables)
        figures["ours_has_more"] = {"chance": round(improvement(*tables), 3), "interval": [round(low, 3), round(high, 3)]}
    return {**figures, "rows": rows}


def main() -> int:
    """Both, seed by seed in turns; to the screen and to a file. Seeds that are in the file already are kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("world", help="a name that Gymnasium knows")
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--random", type=int, default=100, help="decisions at random before the first update")
    parser.add_argument("--peer", required=True, help="the Python of an environment with stable-baselines3")
    parser.add_argument("--updates", type=int, help="time so many updates alone, and live nothing")
    parser.add_argument("--only", choices=("ours", "peer"), help="one of them alone, as where each is given a core")
    given = parser.parse_args()
    if given.updates:
        timed = time_updates(given.peer, given.world, given.updates)
        (RESULTS / f"peer_sac_{given.world}_updates.json").write_text(json.dumps(timed, indent=1) + "\n")
        print(json.dumps(timed, indent=1))
        return 0
    tuned = given.random != parser.get_default("random")
    path = RESULTS / f"peer_sac_{given.world}_{given.steps}{f'_random_{given.random}' if tuned else ''}.json"
    command = f"python -m evidence.peer_sac {given.world} --steps {given.steps}{f' --random {given.random}' if tuned else ''}"
    runs = {"ours": ours, "peer": lambda *words: peer(given.peer, *words)}
    for seed, name in itertools.product(range(given.first, given.first + given.seeds), (given.only,) if given.only else runs):
        if any(row["who"] == name and row["seed"] == seed for row in known(path)):
            continue
        row = {
            "who": name,
            "seed": seed,
            "steps": given.steps,
            "updates": given.steps - given.random,
            "cores": len(os.sched_getaffinity(0)),
        }
        row |= runs[name](given.world, given.steps, seed, given.random)
        print(json.dumps(row), flush=True)
        # read again: another process may have added its own
        rows = sorted([*known(path), row], key=lambda row: (row["who"], row["seed"]))
        path.write_text(json.dumps(summary(rows, f"{command} --seeds {1 + rows[-1]['seed']}"), indent=1) + "\n")
    figures = json.loads(path.read_text())
    print(json.dumps({name: figure for name, figure in figures.items() if name != "rows"}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
