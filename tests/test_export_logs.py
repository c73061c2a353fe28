"""Logs follow a life: each row of the chronicle reaches a program once, and no failure of a log reaches the life."""

import json
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import umwelt
from umwelt.behaviours import RandomAgent
from umwelt.core import Metric
from umwelt.export import follow, log, new_points, to_tensorboard
from umwelt.export.extras import ExportError
from umwelt.export.follow import Follower
from umwelt.export.new_points import Offset
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.folder.folder import Folder
from umwelt.teachers import Blocks
from umwelt.worlds import Pendulum

REWARD = Metric(name="reward", unit="points", meaning="how good", better="up")
LOSS = Metric(name="model/loss", unit="nats", meaning="how wrong", better="down")
WORLD = {"part": "umwelt.worlds:Pendulum", "fields": {"batch": 2, "names": {"tuple": ["a", "b"]}}}
DESCRIPTION = {"life": {"part": "umwelt:Life", "fields": {"world": WORLD, "seed": 3, "seeds": 1}}, "command": "by hand"}


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Path]:
    """The folder of a life of seed 3 without any rows."""
    with Folder.create("one", DESCRIPTION, lives=tmp_path / "lives") as made, Chronicle(made.chronicle) as chronicle:
        chronicle.declare([REWARD, LOSS])
        yield made.path


def live_on(life: Path, first: int, last: int, probe: bool = True) -> None:
    """Write chunks of ten clocks, every number a function of its clock, an episode in each, and then a probe."""
    with Chronicle(life / "chronicle.db") as chronicle:
        for start in range(first, last, 10):
            with chronicle.transaction():
                clocks = np.array([start + 5, start + 10])
                chronicle.write(3, clocks, {"reward": clocks / 7, "model/loss": [np.nan, start]})
                chronicle.write_episodes({"seed": 3, "row": [0, 1], "begin": start, "end": start + 10, "task": "a,b",
                                          "return": [-1.5, -start], "length": 10, "end_kind": "terminated",
                                          "surprise": 0.0, "doubt": 0.0})  # fmt: skip
                chronicle.write_timing(start + 10, {"living": 1.0})
        if probe:
            chronicle.write_probe(3, last, "a,b", "probe", [1.0], mean=last / 3, low=0, high=1, model_error=np.nan, length=9)


def followed(life: Path, name: str) -> None:
    """Run a log once, which reads all rows."""
    follower = Follower(name, life, Folder.read(life).description)
    follower.start()
    follower.finish(60)
    assert follower.fault == ""


def of(name: str, last: int) -> list[tuple[int, float]]:
    """The points (clock, value) that `live_on(life, 0, last)` wrote under a name."""
    starts = range(0, last, 10)
    points = {
        "reward": [(clock, clock / 7) for start in starts for clock in (start + 5, start + 10)],
        "model/loss": [(start + 10, float(start)) for start in starts],
        "episode/return": [(start + 10, value) for start in starts for value in (-1.5, -float(start))],
    }
    return points[name]


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(1, 5), st.booleans(), st.booleans()), min_size=1, max_size=6), st.integers(7, 200))
def test_every_row_is_read_once_whenever_the_log_reads(tmp_path_factory: pytest.TempPathFactory, chunks, stretch) -> None:
    """chunks: (its length / 10, whether the log reads before its probe is written, whether it reads after that)."""
    path = tmp_path_factory.mktemp("news")
    with Chronicle(path / "chronicle.db") as chronicle:
        chronicle.declare([REWARD, LOSS])
    found, at, clock = [], Offset(), 0

    def read() -> None:
        nonlocal at
        for points, reached in new_points.new_points(reading, range(3, 4), at):
            found.extend(points[3])
            at = reached

    with Chronicle.read(path / "chronicle.db") as reading, pytest.MonkeyPatch.context() as patch:
        patch.setattr(new_points, "STRETCH", stretch)
        for length, before, after in chunks:
            live_on(path, clock, clock + 10 * length, probe=False)
            clock += 10 * length
            if before:
                read()
            with Chronicle(path / "chronicle.db") as chronicle:
                chronicle.write_probe(3, clock, "a", "probe", [1.0], mean=clock, low=0, high=1, model_error=np.nan, length=9)
            if after:
                read()
        read()
    for name in ("reward", "model/loss", "episode/return"):
        assert [(when, value) for when, each, value in found if each == name] == of(name, clock)
    ends = np.cumsum([10 * length for length, _, _ in chunks]).tolist()
    assert [(when, value) for when, name, value in found if name == "probe/a/mean"] == [(end, end) for end in ends]
    assert not [name for _, name, _ in found if name == "probe/a/model_error"]


def scalars(life: Path, seed: int = 3) -> dict[str, list[tuple[int, float]]]:
    """Every tag of the run as TensorBoard itself reads it."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(life / "logs" / "tensorboard" / f"seed-{seed}"), size_guidance={"scalars": 0})
    read.Reload()
    return {tag: [(event.step, event.value) for event in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def test_tensorboard_reads_the_metrics_with_unit_and_meaning(life: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    live_on(life, 0, 40)
    followed(life, "tensorboard")
    found = scalars(life)
    for name in ("reward", "model/loss", "episode/return"):
        assert found[name] == [(clock, pytest.approx(value, rel=1e-6)) for clock, value in of(name, 40)]
    assert found["probe/a,b/mean"] == [(40, pytest.approx(40 / 3))]
    assert "probe/a,b/model_error" not in found
    read = EventAccumulator(str(life / "logs" / "tensorboard" / "seed-3"))
    read.Reload()
    assert read.SummaryMetadata("reward").summary_description == "how good. Unit: points."


def test_a_resumed_life_continues_its_run_and_logs_no_clock_twice(life: Path) -> None:
    live_on(life, 0, 40)
    followed(life, "tensorboard")
    with Chronicle(life / "chronicle.db") as chronicle:
        chronicle.rewind(20)
    followed(life, "tensorboard")
    live_on(life, 20, 60)
    followed(life, "tensorboard")
    found = scalars(life)
    assert found["reward"] == [(clock, pytest.approx(value, rel=1e-6)) for clock, value in of("reward", 60)]
    assert [clock for clock, _ in found["probe/a,b/mean"]] == [40, 60]


def test_what_was_logged_just_before_a_kill_is_not_shown_twice(life: Path, monkeypatch) -> None:
    """The log is killed between writing and saving its offset; the next process writes the same again."""
    live_on(life, 0, 20)
    followed(life, "tensorboard")
    saved = (life / "logs" / "tensorboard.json").read_bytes()
    live_on(life, 20, 40, probe=False)
    followed(life, "tensorboard")
    (life / "logs" / "tensorboard.json").write_bytes(saved)
    followed(life, "tensorboard")
    assert [clock for clock, _ in scalars(life)["reward"]] == [clock for clock, _ in of("reward", 40)]


def test_each_seed_is_a_run_of_its_own(life: Path) -> None:
    live_on(life, 0, 20)
    with Chronicle(life / "chronicle.db") as chronicle:
        chronicle.write(4, [10, 20], {"reward": [-1.0, -2.0]})
    fields = DESCRIPTION["life"]["fields"] | {"seeds": 2}
    follower = Follower("tensorboard", life, {"life": {"fields": fields}})
    follower.start()
    follower.finish(60)
    assert follower.fault == ""
    assert scalars(life)["reward"][-1] == (20, pytest.approx(20 / 7))
    assert scalars(life, seed=4) == {"reward": [(10, -1.0), (20, -2.0)]}


def records(path: Path) -> Iterator[bytes]:
    """Yield the records of a .wandb file: blocks of 32 KiB; each piece follows a checksum, a length and a kind."""
    data, at, whole = path.read_bytes(), 7, b""
    while at + 7 <= len(data):
        rest = 2**15 - at % 2**15
        if rest < 7:
            at += rest
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        if at + 7 + length > len(data):
            return  # the rest is still being written
        piece, at = data[at + 7 : at + 7 + length], at + 7 + length
        whole = piece if kind in (1, 2) else whole + piece  # 1 whole, 2 first, 3 middle, 4 last
        if kind in (1, 4):
            yield whole


def written_by_wandb(path: Path) -> list[Any]:
    """Read the records of a run that has ended. Another process writes the last ones a moment after `finish`."""
    from wandb.proto.wandb_internal_pb2 import Record

    for _ in range(100):
        found = [Record.FromString(data) for data in records(path)]
        if found and found[-1].HasField("exit"):
            return found
        time.sleep(0.1)
    raise AssertionError(f"{path} was never finished")


def test_wandb_keeps_a_run_offline_where_no_account_is_known(life: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    live_on(life, 0, 20)
    followed(life, "wandb")
    live_on(life, 20, 30, probe=False)
    followed(life, "wandb")
    files = list((life / "logs" / "wandb").glob("offline-run-*/*.wandb"))
    assert len(files) == 2
    assert len({path.name for path in files}) == 1, "both processes wrote to one run"
    written = [record for path in files for record in written_by_wandb(path)]
    meanings = "".join(item.value_json for record in written for item in record.config.update)
    rows = [
        {".".join(item.nested_key) or item.key: json.loads(item.value_json) for item in record.history.item}
        for record in written
        if record.HasField("history")
    ]
    rows.sort(key=lambda row: row["clock"])
    assert [(row["clock"], row["reward"]) for row in rows if "reward" in row] == of("reward", 30)
    assert [(row["clock"], row["episode/return"]) for row in rows if "episode/return" in row] == of("episode/return", 30)
    assert [row["probe/a,b/mean"] for row in rows if "probe/a,b/mean" in row] == [20 / 3]
    assert "how good. Unit: points." in meanings


def test_mlflow_keeps_a_run_in_a_database_beside_the_lives(life: Path, monkeypatch) -> None:
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    live_on(life, 0, 20)
    followed(life, "mlflow")
    live_on(life, 20, 30, probe=False)
    followed(life, "mlflow")
    client = MlflowClient(tracking_uri=f"sqlite:///{life.parent / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("umwelt").experiment_id])
    assert (run.info.run_name, run.info.status) == ("one", "FINISHED")
    assert run.data.params["world"] == "Pendulum"
    assert run.data.params["world.batch"] == "2"
    assert run.data.tags["metric.reward"] == "how good. Unit: points."

    def history(name: str) -> list[tuple[int, float]]:
        return [(one.step, one.value) for one in client.get_metric_history(run.info.run_id, name)]

    assert history("reward") == of("reward", 30)
    assert sorted(history("episode/return")) == sorted(of("episode/return", 30))
    assert history("probe/a_b/mean") == [(20, 20 / 3)]


class Broken:
    """A sink whose program fails at the second stretch of points."""

    known = "broken"

    def __init__(self, run: follow.Run) -> None:
        self.written = 0

    def describe(self, metrics: dict[str, Metric]) -> None: ...

    def write(self, points: list) -> None:
        self.written += 1
        if self.written > 1:
            raise RuntimeError("the server said no")

    def close(self) -> None: ...


def test_a_failing_log_is_reported_once_and_the_life_is_the_same(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(to_tensorboard, "begin", Broken)
    monkeypatch.setattr(follow, "EVERY", 0.0)
    sentences: list[str] = []
    logs = log.Log(("tensorboard",), say=sentences.append)
    rhythm = umwelt.Rhythm(probe_episodes=0, record_every=5)
    life = umwelt.Life(world=Pendulum(time_limit=20), agent=RandomAgent(), teacher=Blocks(), rhythm=rhythm)
    umwelt.live(life, steps=300, name="logged", lives=tmp_path, on_progress=logs.on_progress, events=logs.events)
    umwelt.live(life, steps=300, name="alone", lives=tmp_path)
    with (
        Chronicle.read(tmp_path / "logged" / "chronicle.db") as logged,
        Chronicle.read(tmp_path / "alone" / "chronicle.db") as alone,
    ):
        assert logged.last_clock() == 300
        assert logged.digest() == alone.digest()
        events = logged.events()
    assert events["name"].tolist() == ["log/tensorboard"]
    assert "RuntimeError: the server said no" in events["message"][0]
    assert len(sentences) == 1
    assert "the life goes on" in sentences[0]


def test_a_log_that_hangs_is_left_behind(life: Path, monkeypatch) -> None:
    free = threading.Event()

    class Hanging(Broken):
        def write(self, points: list) -> None:
            free.wait(60)

    monkeypatch.setattr(to_tensorboard, "begin", Hanging)
    live_on(life, 0, 20)
    follower = Follower("tensorboard", life, DESCRIPTION)
    follower.start()
    follower.finish(0.2)
    assert follower.is_alive()
    assert "it had not caught up after 0 s" in follower.fault
    free.set()
    follower.join(60)


def test_logs_that_are_unknown_or_not_installed_are_refused_before_a_life_begins(monkeypatch) -> None:
    with pytest.raises(ExportError, match="there is no such log; there are tensorboard, wandb, mlflow"):
        log.Log(("tensorbord",))
    monkeypatch.setitem(follow.LOGS, "wandb", "a_package_that_nobody_has")
    with pytest.raises(ExportError, match=r"pip install 'umwelt\[wandb\]'"):
        log.Log(("wandb",))
