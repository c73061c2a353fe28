"""A log for TensorBoard: event files under lives/NAME/logs/tensorboard. Look at them with `tensorboard --logdir lives`.

Values are float32, as all scalars of TensorBoard.
"""

import os
import time
from collections.abc import Iterator
from itertools import groupby

from umwelt.core import Metric
from umwelt.export.extras import library
from umwelt.export.follow import Run
from umwelt.export.new_points import Point


class TensorBoard:
    """One folder of event files, one file for each process."""

    def __init__(self, run: Run) -> None:
        self._event, self._summary = (library(f"tensorboardX.proto.{name}_pb2", "tensorboard") for name in ("event", "summary"))
        folder = run.folder / "tensorboard" / f"seed-{run.seed}"
        folder.mkdir(parents=True, exist_ok=True)
        self.known = folder.name
        self._metrics: dict[str, Metric] = {}
        self._described: set[str] = set()
        files = library("tensorboardX.event_file_writer", "tensorboard")
        # TensorBoard reads files in the order of their names, which begin with a second; two processes may share it
        self._file = files.EventsWriter(str(folder / "events"), f".{time.time_ns()}.{os.getpid()}")
        if run.after >= 0:
            # TensorBoard leaves out what an earlier process wrote beyond the offset that it had saved
            start = self._event.SessionLog(status=self._event.SessionLog.START)
            self._file.write_event(self._event.Event(wall_time=time.time(), step=run.after + 1, session_log=start))

    def describe(self, metrics: dict[str, Metric]) -> None:
        """Keep the metrics, to write each beside its first value."""
        self._metrics |= metrics

    def write(self, points: list[Point]) -> None:
        """Write one event for each clock."""
        now = time.time()
        for clock, values in groupby(points, key=lambda point: point[0]):
            summary = self._summary.Summary(value=list(self._values(values)))
            self._file.write_event(self._event.Event(wall_time=now, step=clock, summary=summary))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _values(self, points: Iterator[Point]) -> Iterator[object]:
        for _, name, value in points:
            made = self._summary.Summary.Value(tag=name, simple_value=value)
            if name not in self._described and name in self._metrics:
                self._described.add(name)
                metric = self._metrics[name]
                made.metadata.summary_description = f"{metric.meaning}. Unit: {metric.unit}."
                made.metadata.display_name = name
                made.metadata.plugin_data.plugin_name = "scalars"
            yield made


def begin(run: Run) -> TensorBoard:
    """Begin or continue a run."""
    return TensorBoard(run)
