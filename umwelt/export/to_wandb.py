"""A log for Weights & Biases.

The project is `umwelt`, or that of WANDB_PROJECT. Without WANDB_MODE and without an account the run stays offline, under
lives/NAME/logs/wandb, for `wandb sync` later.
"""

import os
import uuid
from typing import Any

from umwelt.core import Metric
from umwelt.export.extras import library
from umwelt.export.follow import Run
from umwelt.export.new_points import Point

BEST = {"up": "max,last", "down": "min,last"}
"""Which values of a metric summarise a run, by which way is good."""


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
            # the life prints its own screen, and records its own code
            settings=wandb.Settings(console="off", silent=True, disable_git=True, disable_code=True),
        )
        self._run.define_metric("clock")

    def describe(self, metrics: dict[str, Metric]) -> None:
        """Write units and meanings into the run's config, under `metrics`."""
        meanings = {metric.name: f"{metric.meaning}. Unit: {metric.unit}." for metric in metrics.values()}
        self._run.config.update({"metrics": {**dict(self._run.config.get("metrics", {})), **meanings}}, allow_val_change=True)
        for metric in metrics.values():
            self._run.define_metric(metric.name, step_metric="clock", summary=BEST.get(metric.better, "last"))

    def write(self, points: list[Point]) -> None:
        """Write one row for each clock, and one more where a name comes twice, as when two episodes end at once."""
        row: dict[str, Any] = {}
        for clock, name, value in points:
            if row and (row["clock"] != clock or name in row):
                self._run.log(row)
                row = {}
            row |= {"clock": clock, name: value}
        if row:
            self._run.log(row)

    def close(self) -> None:
        """End the run."""
        self._run.finish()


def begin(run: Run) -> WandB:
    """Begin or continue a run."""
    return WandB(run)
