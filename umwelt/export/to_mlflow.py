"""A log for MLflow.

It goes to the store that MLFLOW_TRACKING_URI names, else to lives/mlflow.db beside the lives. Look at that with
`mlflow ui --backend-store-uri sqlite:///lives/mlflow.db`. The experiment is `umwelt`, or that of MLFLOW_EXPERIMENT_NAME.
"""

import logging
import os
import re
import time
from typing import Any

from umwelt.core import Metric
from umwelt.export.extras import library
from umwelt.export.follow import Run
from umwelt.export.new_points import Point

MOST, LONGEST = 1_000, 500
"""The most values in one call to MLflow, and the most letters of a setting."""


class MLflow:
    """One run. A step is a clock."""

    def __init__(self, run: Run) -> None:
        mlflow, self._entities = library("mlflow", "mlflow"), library("mlflow.entities", "mlflow")
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)  # else it prints every step of making its tables
        store = (run.folder.parent.parent / "mlflow.db").resolve()
        self._client = mlflow.MlflowClient(tracking_uri=os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{store}")
        self.known = run.known or self._create(run)
        self._client.update_run(self.known, status="RUNNING")

    def describe(self, metrics: dict[str, Metric]) -> None:
        """Write units and meanings as tags of the run."""
        tags = {f"metric.{_plain(metric.name)}": f"{metric.meaning}. Unit: {metric.unit}." for metric in metrics.values()}
        self._client.log_batch(self.known, tags=[self._entities.RunTag(name, text) for name, text in tags.items()])

    def write(self, points: list[Point]) -> None:
        """Write points, MOST at a time."""
        now = int(time.time() * 1000)
        made = [self._entities.Metric(_plain(name), value, now, clock) for clock, name, value in points]
        for start in range(0, len(made), MOST):
            self._client.log_batch(self.known, metrics=made[start : start + MOST])

    def close(self) -> None:
        """End the run."""
        self._client.set_terminated(self.known)

    def _create(self, run: Run) -> str:
        made = self._client.create_run(self._experiment(), run_name=run.name, tags={"life": run.group})
        settings = [self._entities.Param(_plain(name), str(value)[:LONGEST]) for name, value in run.settings.items()]
        for start in range(0, len(settings), 100):
            self._client.log_batch(made.info.run_id, params=settings[start : start + 100])
        return made.info.run_id

    def _experiment(self) -> Any:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "umwelt")
        found = self._client.get_experiment_by_name(name)
        return found.experiment_id if found else self._client.create_experiment(name)


def _plain(name: str) -> str:
    """Replace the letters that MLflow refuses."""
    return re.sub(r"[^\w./ -]", "_", name)


def begin(run: Run) -> MLflow:
    """Begin or continue a run."""
    return MLflow(run)
