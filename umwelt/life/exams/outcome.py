"""What a life came to, as arrays: for notebooks, and for scripts that compare lives."""

import base64
from html import escape
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
    probe's episodes. episodes: columns seed, end, task, return, length and others, [E] each. A number that the world names is
    a column of both, which holds the values of each probe's episodes in probes. kept: retention, forgetting and their means
    over tasks, with intervals; empty where fewer than two tasks were learned. picture: the bytes of its `life.png`, empty
    where none was drawn.
    """

    probes: dict[str, np.ndarray]
    episodes: dict[str, np.ndarray]
    kept: Score
    picture: bytes = b""

    @property
    def final(self) -> dict[str, np.ndarray]:
        """Task -> the mean return of each seed in the last probe, [seeds]."""
        last = self.probes["clock"] == self.probes["clock"].max() if len(self.probes["clock"]) else np.zeros(0, bool)
        tasks = dict.fromkeys(str(task) for task in self.probes["task"][last])
        return {task: np.asarray(self.probes["mean"][last & (self.probes["task"] == task)], np.float64) for task in tasks}

    def _repr_html_(self) -> str:
        """A notebook shows the last probe of each task, what was kept of it, and the picture."""
        retention = self.kept.get("retention", {})
        rows = "".join(
            f"<tr><td>{escape(task)}</td><td>{_mean(means)}</td><td>{_share(retention.get(task))}</td></tr>"
            for task, means in self.final.items()
        )
        table = f"<table><tr><th>task</th><th>return</th><th>retention</th></tr>{rows}</table>"
        coded = base64.b64encode(self.picture).decode()
        return table + (f'<img src="data:image/png;base64,{coded}" alt="a picture of the life" width="640">' if coded else "")


def outcome(path: str | Path, *, lives: str | Path = "lives") -> Outcome:
    """Read what a life came to; it may be running meanwhile. Nothing is written."""
    folder = Folder.read(path, lives=lives)
    with Chronicle.read(folder.chronicle) as chronicle:
        read = diary(chronicle)
    picture = folder.path / "life.png"
    drawn = picture.read_bytes() if picture.exists() else b""
    return Outcome(probes=read.probes, episodes=read.episodes, kept=score_of(read), picture=drawn)


def _mean(means: np.ndarray) -> str:
    """The mean over the seeds whose return is known."""
    known = means[~np.isnan(means)]
    return f"{known.mean():.1f}" if known.size else "-"


def _share(retention: float | None) -> str:
    return "-" if retention is None else f"{retention:.2f}"
