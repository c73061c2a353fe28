"""A log for Weights & Biases.

The project is `umwelt`, or that of WANDB_PROJECT. Where WANDB_MODE says nothing and no account is known, the run is kept
offline under lives/NAME/logs/wandb, for `wandb sync` later.
"""

import os
import uuid
from typing import Any

from umwelt.core import Metric
from umwelt.export.extras import library
from umwelt.export.follow import Run
from umwelt.export.news import Point

BEST = {"up": "max,last", "down": "min,last"}
"""Which values of a metric stand for the whole run, by which way is good."""


class WandB:
    """One run. Its x-axis is the clock."""

    def __init__(self, run: Run) -> None:
        wandb = library("wandb", "wandb")
        self.known = run.known or uuid.uuid4().hex[:12]
        mode = os.environ.get("WANDB_MODE") or ("online" if wandb.login(prompt=False, verify=False) else "offline")
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "umwelt"),
            id=self.known,
            name=run.name,
            group=run.group,
            resume="allow",
            reinit="create_new",  # seeds are runs beside each other
            dir=run.folder,
            config=run.settings,
            mode=mode,
            # the screen belongs to the life, and so does what it was started from
            settings=wandb.Settings(console="off", silent=True, disable_git=True, disable_code=True),
        )
        self._run.define_metric("clock")

    def describe(self, metrics: dict[str, Metric]) -> None:
        """Units and meanings stand in the run's config, under `metrics`."""
        meanings = {metric.name: f"{metric.meaning}. Unit: {metric.unit}." for metric in metrics.values()}
        self._run.config.update({"metrics": {**dict(self._run.config.get("metrics", {})), **meanings}}, allow_val_change=True)
        for metric in metrics.values():
            self._run.define_metric(metric.name, step_metric="clock", summary=BEST.get(metric.better, "last"))

    def write(self, points: list[Point]) -> None:
        """One row for each clock; a name that comes twice at one clock, as where two episodes end, begins another."""
        row: dict[str, Any] = {}
        for clock, name, value in points:
            if row and (row["clock"] != clock or name in row):
                self._run.log(row)
                row = {}
            row |= {"clock": clock, name: value}
        if row:
            self._run.log(row)

    def close(self) -> None:
        """The run is over."""
        self._run.finish()


def begin(run: Run) -> WandB:
    """Begin, or go on with, a run."""
    return WandB(run)
