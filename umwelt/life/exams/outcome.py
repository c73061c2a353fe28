"""What a life came to, as arrays: for notebooks, and for scripts that compare lives."""

from pathlib import Path

import numpy as np

from umwelt.core import part
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.exams.scores import Score, diary, score_of
from umwelt.life.folder.folder import Folder


@part
class Outcome:
    """What a life came to, so far.

    probes: columns seed, clock, task, mean, low, high, model_error and others, [P] each; `returns` holds the returns of each
    probe's episodes. episodes: columns seed, end, task, return, length and others, [E] each. kept: retention, forgetting and
    their means over tasks, with intervals; empty where fewer than two tasks were learned.
    """

    probes: dict[str, np.ndarray]
    episodes: dict[str, np.ndarray]
    kept: Score

    @property
    def final(self) -> dict[str, np.ndarray]:
        """Task -> the mean return of each seed in the last probe, [seeds]."""
        last = self.probes["clock"] == self.probes["clock"].max() if len(self.probes["clock"]) else np.zeros(0, bool)
        tasks = dict.fromkeys(str(task) for task in self.probes["task"][last])
        return {task: np.asarray(self.probes["mean"][last & (self.probes["task"] == task)], np.float64) for task in tasks}


def outcome(path: str | Path, *, lives: str | Path = "lives") -> Outcome:
    """Read what a life came to; it may be running meanwhile. Nothing is written."""
    with Chronicle.read(Folder.read(path, lives=lives).chronicle) as chronicle:
        read = diary(chronicle)
    return Outcome(probes=read.probes, episodes=read.episodes, kept=score_of(read))
