"""Lives that are killed again and again by SIGKILL, compared bit for bit with lives that nothing disturbed."""

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from umwelt.behaviours import ModelPredictive
from umwelt.core import Objective, part
from umwelt.core.contracts import World
from umwelt.life.api import fingerprints
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Lifelong, Quota, Spilled
from umwelt.memory.played import Played
from umwelt.models import Ensemble
from umwelt.planners import ICEM
from umwelt.recipes.recipe import recipe
from umwelt.recipes.variation import varied
from umwelt.retention import Cusum, Elastic
from umwelt.teachers import Blocks
from umwelt.worlds import Pendulum

UMWELT = (sys.executable, "-m", "umwelt")
OFTEN = ("--rhythm.save-seconds", "0.3", "--rhythm.probe-episodes", "1", "--rhythm.chunk", "20", "--rhythm.random", "60")
"""Saves so often that a kill loses something, and never everything."""
LOGGED = Played(world=Pendulum(), how="noisy", episodes=20)
"""Made again by each process that asks for it, from the seed of the life."""
LOOK = 0.02
"""Seconds between two looks at what was saved."""


@part
class Killed:
    """Live a life twice, once undisturbed and once killed at random moments; compare the two."""

    words: tuple[str, ...]
    """What `umwelt live` is given: the world, the recipe, and what is changed of them."""
    steps: int = 1200
    """Decisions of the life."""
    kills: int = 5
    """How often it is killed; a life that ends sooner proves too little."""
    longest: float = 1.0
    """Seconds that a process goes on at most after it has saved something; then it is killed."""

    def __call__(self, seed: int) -> dict[str, float]:
        """Return `identical`, 1 where both lives ended as the same bits, and `kills`, which all have to land."""
        found = compared(self, seed)
        if found["kills"] < self.kills:
            raise RuntimeError(f"steps={self.steps}: the life ended after {found['kills']} of {self.kills} kills; give it more")
        return {"identical": float(found["whole"] == found["killed"]), "kills": float(found["kills"])}


def compared(killed: Killed, seed: int) -> dict[str, Any]:
    """Live both lives in a folder of their own; returns their fingerprints and how often one was killed."""
    with tempfile.TemporaryDirectory(prefix="umwelt-kill-") as made:
        lives = Path(made)
        common = (*killed.words, *OFTEN, "--steps", str(killed.steps), "--lives", made, "--quiet", "--seed", str(seed))
        _run((*UMWELT, "live", *common, "--name", "whole"), lives)
        kills = _disturb(common, lives, killed, random.Random(seed))
        return {name: fingerprints(name, lives=made) for name in ("whole", "killed")} | {"kills": kills}


def _disturb(common: tuple[str, ...], lives: Path, killed: Killed, draw: random.Random) -> int:
    """Live one life in as many processes as it takes; returns how often it was killed."""
    kills = 0
    while True:
        again = (lives / "killed").exists()
        start = ("resume", "killed", "--lives", str(lives), "--quiet") if again else ("live", *common, "--name", "killed")
        if _run((*UMWELT, *start), lives, draw.uniform(0.0, killed.longest) if kills < killed.kills else None):
            return kills
        kills += 1


def _run(command: tuple[str, ...], lives: Path, seconds: float | None = None) -> bool:
    """Run a process, and kill it so many seconds after it saved something; returns whether it came to its end before."""
    before = _saves(lives)
    with (lives / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            while seconds is not None and process.poll() is None and _saves(lives) == before:
                time.sleep(LOOK)
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return False
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {process.returncode}; its log ends: {(lives / 'log').read_text()[-2000:]}")
    return True


def _saves(lives: Path) -> set[str]:
    return {path.name for path in (lives / "killed" / "checkpoints").glob("0*")}


@recipe(
    summary="a small ensemble whose weights are consolidated, with room in memory for every task that is noticed",
    family="model_predictive",
    needs=("boxes", "choices"),
    budget="seconds",
)
def consolidated(world: World) -> Life:
    """A life that loses much where a kill loses anything."""
    agent = ModelPredictive(
        model=Ensemble(units=16, members=2, protection=Elastic(every=50)),
        planner=ICEM(samples=16, horizon=5, iterations=2, elites=4),
        memory=Lifelong(bytes=60_000, length=4, keep=Quota(detector=Cusum())),
        objective=Objective(),
        examined=Objective(),
        batch=64,
    )
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=60, learn_every=10, updates=5))


@recipe(
    summary="the same with a memory on disk that is soon full, and is halved again and again",
    family="model_predictive",
    needs=("boxes", "choices"),
)
def spilling(world: World) -> Life:
    """The same with a memory on disk."""
    memory = Spilled(bytes=40_000, disk=15_000, length=4, staged=64, exchanged=16)
    return varied(consolidated(world), {"agent.memory": memory})
