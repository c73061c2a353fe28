"""What it costs to act with what a life learned: in Python, from an exported file, and over HTTP.

    python -m benchmarks.run policy

The life is a small one that plans in a learned model. `overhead` is what a call of `umwelt.load`'s policy takes beyond its
compiled program with the same arguments. `first action` counts from the start of a process to the first action in it, where
the programs are in JAX's cache already. Latencies are of one client after the other, on one connection.
"""

import http.client
import importlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

import umwelt
from umwelt.behaviours import SAC, ModelFree
from umwelt.core.contracts import Agent
from umwelt.life.composition import Life
from umwelt.life.folder.folder import Folder
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.policy.bundle import bundle
from umwelt.policy.policy import learned_of
from umwelt.recipes import load as recipe
from umwelt.teachers import Blocks
from umwelt.worlds.adapters import gymnasium

CALLS, REQUESTS = 2000, 1000
SEEN = np.array([1.0, 0.0, 0.0], np.float32)
FIRST = """
import numpy as np, umwelt
umwelt.load(r"{path}")(np.array([1.0, 0.0, 0.0], np.float32))
"""


def lived(lives: Path, name: str, agent: Agent) -> Path:
    """A short life of an agent, at random."""
    life = Life(
        world=gymnasium(id="Pendulum-v1"), agent=agent, teacher=Blocks(), rhythm=Rhythm(random=100, learn_every=50, updates=1)
    )
    return umwelt.live(life, steps=100, name=name, lives=lives).folder.path


def median(call: Callable[[], Any], calls: int = CALLS) -> float:
    """The median seconds of a call."""
    seconds = []
    for _ in range(calls):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds))


def faces(path: Path) -> tuple[float, float, float]:
    """Median seconds of the compiled call alone, of `umwelt.load`'s policy, and of the exported one."""
    policy = umwelt.load(path)
    program, words = policy.program, np.zeros(2, np.uint32)
    given = ([SEEN[None]], np.zeros(1, np.float32), np.zeros(1, bool), words, np.int32(0))
    target = path.parent / f"{path.name}.zip"
    bundle(learned_of(Folder.read(path)), path.name, target)
    sys.path.insert(0, str(target))
    exported = importlib.import_module(f"{path.name}_policy").Policy()
    for call in (policy, exported):
        call(SEEN)
    return (
        median(lambda: jax.block_until_ready(program.decide(program.begun, *given)[1])),
        median(lambda: policy(SEEN)),
        median(lambda: exported(SEEN)),
    )


def first_action(path: Path) -> float:
    """Seconds of a whole process that loads a life and acts once; the second of two, so that its programs are in the cache."""
    took = []
    for _ in range(2):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", FIRST.format(path=path)], check=True)
        took.append(time.perf_counter() - began)
    return took[-1]


def latencies(path: Path) -> np.ndarray:
    """Seconds of each request to a served policy."""
    command = [sys.executable, "-m", "umwelt", "serve", str(path), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        given = json.loads(server.stdout.readline())
        line = http.client.HTTPConnection(given["address"].removeprefix("http://"))
        headers = {"Authorization": f"Bearer {given['token']}"}
        asked, seconds = json.dumps({"observation": SEEN.tolist(), "reward": 0.0}), []
        for _ in range(REQUESTS):
            began = time.perf_counter()
            line.request("POST", "/act", asked, headers)
            answer = line.getresponse()
            answer.read()
            seconds.append(time.perf_counter() - began)
            assert answer.status == 200
        line.close()
        server.send_signal(signal.SIGINT)
        server.wait(timeout=20)
    return np.array(seconds)


def run() -> dict[str, Any]:
    """Faces of a policy network, and first actions and requests of a planner too."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as home:
        agents = {"network": ModelFree(learner=SAC(), memory=Ring(bytes=100_000)), "planner": recipe("pets")(gymnasium()).agent}
        for name, agent in agents.items():
            path = lived(Path(home), name, agent)
            alone, loaded, exported = faces(path) if name == "network" else (None, None, None)
            if alone is not None and loaded is not None and exported is not None:
                for face, seconds in (("compiled call", alone), ("loaded", loaded), ("exported", exported)):
                    found[f"{name}: {face}"] = {"value": seconds * 1e3, "unit": "milliseconds"}
                found[f"{name}: overhead"] = {"value": (loaded - alone) * 1e3, "unit": "milliseconds", "note": "at most 0.3"}
            found[f"{name}: first action"] = {"value": first_action(path), "unit": "seconds", "note": "at most 3"}
            seconds = latencies(path)
            for share in (50, 95, 99):
                found[f"{name}: served, {share} % within"] = {
                    "value": np.percentile(seconds, share) * 1e3,
                    "unit": "milliseconds",
                }
    return found
