"""Exported tables: every number comes back as it was recorded, and files appear whole or not at all."""

import csv
import errno
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from umwelt.core import Metric
from umwelt.export import extras, flat
from umwelt.export.exported import export
from umwelt.export.extras import ExportError
from umwelt.life.chronicle import database
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.folder.folder import Folder
from umwelt.life.saves.disk import DiskFull

LOSS = Metric(name="model/loss", unit='nats, or "none"', meaning="how wrong", better="down")
REWARD = Metric(name="reward", unit="points", meaning="how good", better="up")
NUMBERS = st.floats(allow_nan=False).map(lambda value: value + 0.0)  # SQLite keeps no negative zero
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    """A life without any rows."""
    with Folder.create("one", {"command": "by hand"}, lives=tmp_path / "lives") as made:
        with Chronicle(made.chronicle) as chronicle:
            chronicle.declare([LOSS, REWARD])
        yield made


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_parquet(path: Path) -> list[dict]:
    return parquet.read_table(path).to_pylist()


def write_rows(folder: Folder) -> None:
    """Write two seeds, one episode without a surprise, a probe of two episodes, an event of two lines."""
    with Chronicle(folder.chronicle) as chronicle:
        chronicle.write(1, [10, 20], {"reward": [0.1, np.inf], "model/loss": [np.nan, -1e-300]})
        chronicle.write(0, [10], {"reward": [1 / 3]})
        chronicle.write_episodes({"seed": 0, "row": 0, "begin": 0, "end": 10, "task": "a,b", "return": -2.5, "length": 10,
                                  "end_kind": "terminated", "surprise": np.nan, "doubt": 0.5})  # fmt: skip
        chronicle.write_probe(0, 10, "a,b", "probe", [0.1, -7e22], mean=1.0, low=0.5, high=1.5, model_error=np.nan, length=3)
        chronicle.event(0, 10, "said", 'a "line"\nand another')
        chronicle.write_timing(10, {"living": 0.25})


def test_every_table_is_a_file_of_rows_in_order(folder: Folder, tmp_path: Path) -> None:
    write_rows(folder)
    files = export(folder, tmp_path / "out", "csv")
    counts = {"metrics": 4, "names": 2, "episodes": 1, "probes": 1, "events": 1, "timing": 1, "trail": 0}
    assert files == {f"{table}.csv": rows for table, rows in counts.items()}
    rows = read_csv(tmp_path / "out" / "metrics.csv")
    assert list(rows[0]) == ["name", "unit", "seed", "clock", "value"]
    found = [(row["name"], row["unit"], int(row["seed"]), int(row["clock"]), float(row["value"])) for row in rows]
    assert found == [
        ("model/loss", LOSS.unit, 1, 20, -1e-300),
        ("reward", "points", 0, 10, 1 / 3),
        ("reward", "points", 1, 10, 0.1),
        ("reward", "points", 1, 20, np.inf),
    ]
    (episode,) = read_csv(tmp_path / "out" / "episodes.csv")
    assert (episode["task"], episode["return"], episode["surprise"], episode["end_kind"]) == ("a,b", "-2.5", "", "terminated")
    (probe,) = read_csv(tmp_path / "out" / "probes.csv")
    assert [float(word) for word in probe["returns"].split(" ")] == [0.1, -7e22]
    assert read_csv(tmp_path / "out" / "events.csv")[0]["message"] == 'a "line"\nand another'
    assert json.loads((tmp_path / "out" / "export.json").read_text())["files"] == files


def test_parquet_has_types_and_null(folder: Folder, tmp_path: Path) -> None:
    write_rows(folder)
    assert export(folder, tmp_path / "out", "parquet")["metrics.parquet"] == 4
    rows = read_parquet(tmp_path / "out" / "metrics.parquet")
    assert rows[1] == {"name": "reward", "unit": "points", "seed": 0, "clock": 10, "value": 1 / 3}
    (episode,) = read_parquet(tmp_path / "out" / "episodes.parquet")
    assert episode["surprise"] is None
    assert episode["length"] == 10
    (probe,) = read_parquet(tmp_path / "out" / "probes.parquet")
    assert probe["returns"] == [0.1, -7e22]
    assert probe["model_error"] is None


@settings(max_examples=20)
@given(st.lists(NUMBERS, min_size=1, max_size=30), st.lists(NUMBERS, min_size=1, max_size=5), WORDS)
@example([0.1], [0.1], "\r")
def test_every_bit_comes_back_from_both(tmp_path_factory: pytest.TempPathFactory, values, returns, word) -> None:
    home = tmp_path_factory.mktemp("bits")
    with Folder.create("one", {}, lives=home) as folder, Chronicle(folder.chronicle) as chronicle:
        chronicle.declare([REWARD])
        chronicle.write(0, np.arange(len(values)), {"reward": values})
        chronicle.write_probe(0, 0, word, "probe", returns, mean=0.0, low=0.0, high=0.0, model_error=0.0, length=1)
        for form in ("csv", "parquet"):
            export(folder, home / form, form)
    assert [float(row["value"]) for row in read_csv(home / "csv" / "metrics.csv")] == values
    assert [row["value"] for row in read_parquet(home / "parquet" / "metrics.parquet")] == values
    for (row,) in (read_csv(home / "csv" / "probes.csv"), read_parquet(home / "parquet" / "probes.parquet")):
        assert row["task"] == word
    assert [float(one) for one in read_csv(home / "csv" / "probes.csv")[0]["returns"].split(" ")] == returns
    assert read_parquet(home / "parquet" / "probes.parquet")[0]["returns"] == returns


def test_tables_of_later_versions_are_exported_but_pictures_and_blocks_are_not(folder: Folder, tmp_path: Path) -> None:
    with Chronicle(folder.chronicle) as chronicle:
        rows = chronicle.database.rows
        rows("CREATE TABLE dreams (seed INTEGER, clock INTEGER, x REAL)")
        rows("INSERT INTO dreams VALUES (0, 5, 0.25)")
        rows("CREATE TABLE frames (clock INTEGER, content BLOB)")
    files = export(folder, tmp_path / "out", "csv")
    assert files["dreams.csv"] == 1
    assert not {"blocks.csv", "frames.csv"} & set(files)
    assert read_csv(tmp_path / "out" / "dreams.csv") == [{"seed": "0", "clock": "5", "x": "0.25"}]


def test_a_life_that_goes_on_meanwhile_is_exported_as_of_one_moment(folder: Folder, tmp_path: Path, monkeypatch) -> None:
    write_rows(folder)
    usual = flat.FORMATS["csv"]

    def while_it_lives(path, table, rows):
        with Chronicle(folder.chronicle) as chronicle:
            clock = chronicle.last_clock() + 10
            chronicle.write(1, [clock], {"reward": [0.0]})
            chronicle.write_timing(clock, {"living": 1.0})
        return usual(path, table, rows)

    monkeypatch.setitem(flat.FORMATS, "csv", while_it_lives)
    files = export(folder, tmp_path / "out", "csv")
    assert (files["metrics.csv"], files["timing.csv"]) == (4, 1)


def test_an_export_is_whole_or_not_there_and_replaces_only_exports(folder: Folder, tmp_path: Path, monkeypatch) -> None:
    write_rows(folder)
    target = tmp_path / "out"
    export(folder, target, "csv")
    before = {path.name: path.read_bytes() for path in target.iterdir()}

    def fails(error):
        def half(path, table, rows):
            path.write_text("half")
            raise error

        return half

    for error, kind in ((RuntimeError("no more"), RuntimeError), (OSError(errno.ENOSPC, "no space left"), DiskFull)):
        with monkeypatch.context() as patch:
            patch.setitem(flat.FORMATS, "csv", fails(error))
            with pytest.raises(kind, match=r"no more|no room left to write .*out; free space"):
                export(folder, target, "csv")
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    export(folder, target, "parquet")
    assert sorted(path.name for path in target.iterdir())[:2] == ["episodes.parquet", "events.parquet"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lives", "out"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("dear")
    with pytest.raises(ExportError, match="is not an export; give the name of a new folder"):
        export(folder, tmp_path / "mine", "csv")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter"]


def test_what_is_missing_is_said_with_its_mend(folder: Folder, tmp_path: Path, monkeypatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(extras.importlib, "import_module", missing)
    with pytest.raises(ExportError, match=r"needs the package pyarrow .*pip install 'umwelt\[parquet\]'"):
        export(folder, tmp_path / "out", "parquet")
    assert not (tmp_path / "out").exists()
    with pytest.raises(ExportError, match="form: 'xml' is not one of csv, parquet, rerun"):
        export(folder, tmp_path / "out", "xml")


def test_memory_does_not_grow_with_the_chronicle(folder: Folder, tmp_path: Path, monkeypatch) -> None:
    """Four times the rows need no more memory at once; what is held is a batch, here a small one."""
    monkeypatch.setattr(database, "BATCH", 2_000)

    def peak(name: str) -> int:
        tracemalloc.start()
        export(folder, tmp_path / name, "csv")
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    def write(first: int, last: int) -> None:
        with Chronicle(folder.chronicle) as chronicle:
            clocks = np.arange(first, last)
            chronicle.write(0, clocks, {"reward": clocks * 0.1})

    write(0, 8_000)
    short = peak("short")
    write(8_000, 32_000)
    assert peak("long") < 1.2 * short
