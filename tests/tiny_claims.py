"""Arms and claims that take moments, for the tests of what runs and judges them."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import jax

from umwelt.behaviours import RandomAgent
from umwelt.claims import Claim, Computed, Expect, Lived, Measure, varied
from umwelt.claims.measures import FINAL_RETURN
from umwelt.core import part
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.teachers import Blocks
from umwelt.worlds import Pendulum

SCORE = Measure(name="score", better="up")
COST = Measure(name="cost", better="down")


@part
class Drawn:
    """Draws a score around `level`; the noise is that of the key, so that arms differ by their level alone."""

    level: float = 0.0

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Return the score and a cost that falls as it rises."""
        score = self.level + jax.random.normal(key)
        return {"score": score, "cost": -score}


@part
class Counted:
    """Returns the seed, and leaves a mark for each time that it was called; `fault` is raised, `sleep` seconds pass."""

    marks: str
    fault: str = ""
    sleep: float = 0.0

    def __call__(self, seed: int) -> dict[str, float]:
        """Return the seed as score."""
        with Path(self.marks, "calls").open("a") as calls:
            print(seed, os.getpid(), file=calls)
        time.sleep(self.sleep)
        if self.fault:
            raise RuntimeError(self.fault)
        return {"score": float(seed), "cost": 1.0}


DRAWN = Computed(function=Drawn(), measures=(SCORE, COST), together=True)
LIVED = Lived(
    life=Life(
        world=Pendulum(), agent=RandomAgent(), teacher=Blocks(), rhythm=Rhythm(chunk=20, probe_episodes=1, save_seconds=0.0)
    ),
    steps=800,
    measures=(FINAL_RETURN,),
)
"""It is saved after each chunk, so that one that is killed has something to go on from."""


def compared(over: str | float = "control", by: float = 0.0, measure: str = "score", level: float = 0.0, **more: object) -> Claim:
    """Return a claim about `idea` and `control`, which differ by `level`."""
    arms = {"idea": DRAWN, "control": varied(DRAWN, {"function.level": -level})}
    expects = (Expect(measure=measure, arm="idea", over=over, by=by),)
    claim = Claim(name="tiny", says="{gain:.2f} [{low:.2f}, {high:.2f}]", arms=arms, expects=expects, minutes=0.1)
    return replace(claim, **more)  # pyright: ignore[reportArgumentType]


class Killer:
    """Kills the process that runs a life, `times` times, when it is seen to have come to `share`."""

    def __init__(self, work: Path, times: int, share: float = 0.2) -> None:
        self.work, self.times, self.share = work, times, share
        self.killed: list[int] = []

    def __call__(self, shares: dict[str, float]) -> None:
        """Look at the shares that are done."""
        for lock in self.work.glob("*/seeds-*/lock"):
            holder = int(lock.read_text().split()[0])
            alive = holder != os.getpid() and holder not in self.killed
            if alive and len(self.killed) < self.times and self.share < max(shares.values()) < 1:
                self.killed.append(holder)
                os.kill(holder, signal.SIGKILL)
