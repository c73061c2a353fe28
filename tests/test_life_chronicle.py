"""The chronicle: readers see what is written, in whole chunks, whatever happens to the writer."""

import hashlib
import random
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from umwelt.core import Metric
from umwelt.life.chronicle.chronicle import Chronicle, ChronicleError, DiskFull

LOSS = Metric(name="loss", unit="nats", meaning="how wrong", better="down")
RETURN = Metric(name="return", unit="points", meaning="how good", better="up")

WRITER = """
import sys
import numpy as np
from umwelt.core import Metric
from umwelt.life.chronicle.chronicle import Chronicle

with Chronicle(sys.argv[1]) as chronicle:
    chronicle.declare([Metric(name=name, unit="", meaning="") for name in ("a", "b")])
    clock = chronicle.last_clock()
    print("ready", flush=True)
    while True:
        clocks = clock + 1 + np.arange(20)
        with chronicle.transaction():
            chronicle.write(0, clocks, {"a": clocks * 0.5})
            chronicle.write(0, clocks, {"b": clocks * 2.0})
            chronicle.write_episodes({
                "seed": 0, "row": 0, "begin": clock, "end": clock + 20, "task": "t", "return": 1.0, "length": 20,
                "end_kind": 2, "surprise": np.nan, "doubt": 0.5,
            })
        clock += 20
"""


@pytest.fixture
def chronicle(tmp_path):
    with Chronicle(tmp_path / "chronicle.db") as made:
        made.declare([LOSS, RETURN])
        yield made


def episodes(seed=0, end=(10, 20), **other):
    columns = {"seed": seed, "row": 0, "begin": [e - 9 for e in end], "end": list(end), "task": "swing", "return": 1.5,
               "length": 10, "end_kind": "terminated", "surprise": 0.1, "doubt": 0.2}  # fmt: skip
    return columns | other


def fill(chronicle, first, last, seed=0):
    """Chunks of ten clocks, first < clock <= last, every number a function of its clock."""
    for start in range(first, last, 10):
        clocks = np.arange(start + 1, start + 11)
        with chronicle.transaction():
            chronicle.write(seed, clocks, {"loss": np.sin(clocks).astype(np.float32), "return": np.cos(clocks)})
            chronicle.write_episodes(episodes(seed, (start + 10,), surprise=np.nan))
            returns = np.arange(3) + start
            chronicle.write_probe(
                seed, start + 10, "swing", "probe", returns, mean=1.0, low=0.5, high=1.5, model_error=0.1, length=9
            )
            chronicle.event(seed, start + 10, "began" if start == 0 else "chunk")


def test_what_is_written_is_read_bit_for_bit_and_nan_is_left_out(chronicle):
    values = np.array([0.1, np.nan, np.inf, -1e-45, np.nan], np.float32)
    chronicle.write(3, np.arange(5) * 10, {"loss": values})
    read = chronicle.series("loss")
    assert read["clock"].tolist() == [0, 20, 30]
    assert read["seed"].tolist() == [3, 3, 3]
    assert np.array_equal(read["value"], values[[0, 2, 3]].astype(np.float64))
    assert chronicle.series("loss", seed=4)["value"].size == 0
    assert chronicle.metrics() == (LOSS, RETURN)
    assert chronicle.seeds() == [3]
    assert chronicle.last_clock() == 30


def test_episodes_probes_events_and_timing_come_back_as_columns(chronicle):
    chronicle.write_episodes(
        episodes(end=(10, 20), end_kind=np.array([2, 3], np.int8), doubt=np.array([np.nan, 0.5], np.float32))
    )
    table = chronicle.episodes()
    assert table["begin"].tolist() == [1, 11]
    assert table["end_kind"].tolist() == ["terminated", "truncated"]
    assert np.array_equal(table["doubt"], [np.nan, 0.5], equal_nan=True)
    chronicle.write_probe(
        np.int64(0),
        20,
        "swing",
        "probe",
        np.float32([0.1, 2]),
        mean=np.float32(1.05),
        low=0,
        high=2,
        model_error=np.nan,
        length=7.5,
    )
    probes = chronicle.probes(seed=0)
    assert np.array_equal(probes["returns"][0], np.float32([0.1, 2]).astype(float))
    assert probes["mean"][0] == float(np.float32(1.05))
    assert np.isnan(probes["model_error"][0])
    assert chronicle.probes(seed=1)["mean"].shape == (0,)
    chronicle.event(0, 20, "changed", "gravity doubled")
    assert chronicle.events()["message"].tolist() == ["gravity doubled"]
    chronicle.write_timing(20, {"act": 0.25, "learn": 0.5})
    assert dict(zip(chronicle.timing()["part"], chronicle.timing()["seconds"], strict=True)) == {"act": 0.25, "learn": 0.5}


def test_a_chunk_is_written_whole_or_not_at_all(chronicle):
    def half_a_chunk():
        with chronicle.transaction():
            chronicle.write(0, [1], {"loss": [1.0]})
            with chronicle.transaction():
                chronicle.write_episodes(episodes())
            raise RuntimeError("in between")

    with pytest.raises(RuntimeError, match="in between"):
        half_a_chunk()
    assert chronicle.series("loss")["clock"].size == 0
    assert chronicle.episodes()["end"].size == 0
    chronicle.write(0, [1], {"loss": [2.0]})
    assert chronicle.series("loss")["value"].tolist() == [2.0]


def test_a_rewound_and_repeated_life_has_the_digest_of_an_unbroken_one(tmp_path):
    with Chronicle(tmp_path / "straight.db") as straight:
        straight.declare([LOSS, RETURN])
        fill(straight, 0, 100)
        expected, half = straight.digest(), straight.digest(until=40)
    with Chronicle(tmp_path / "broken.db") as broken:
        broken.declare([RETURN])
        broken.declare([LOSS, RETURN])
        fill(broken, 0, 70)
        broken.event(0, 70, "resumed", "from 40")
        broken.rewind(40)
        assert broken.last_clock() == 40
        assert broken.digest() == half
        assert broken.episodes()["end"].max() == 40
        assert broken.probes()["clock"].max() == 40
        assert broken.events()["name"].tolist() == ["began", "chunk", "chunk", "chunk", "resumed"]
        assert broken.digest() != expected
        fill(broken, 40, 100)
        broken.write_timing(100, {"act": 1.0})
        assert broken.digest() == expected


def test_the_digest_is_the_sha256_of_rows_packed_by_hand(chronicle):
    chronicle.write(1, [5, 7], {"loss": [0.5, -2.0]})
    rows = b"".join(struct.pack("<qqd", *row) for row in [(1, 5, 0.5), (1, 7, -2.0)])
    names = [b'["metric", "loss"]' + rows, b'["metric", "return"]']
    tables = (
        b'["episodes", ["seed", "row", "begin", "end", "task", "return", "length", "end_kind", "surprise", "doubt"]]'
        b'["probes", ["seed", "clock", "task", "label", "returns", "mean", "low", "high", "model_error", "length"]]'
    )
    assert chronicle.digest() == hashlib.sha256(b"".join(names) + tables).hexdigest()


@settings(max_examples=20)
@given(st.lists(st.floats(width=32), min_size=1, max_size=30), st.integers(0, 29), st.randoms(use_true_random=False))
def test_the_digest_sees_every_bit_and_no_order(tmp_path_factory, values, at, shuffler):
    """The digest is the same in any order of writing, and another for one bit of one number."""
    folder = tmp_path_factory.mktemp("digest")
    column = np.array(values, np.float64) + 0.0  # SQLite keeps no negative zero
    order = list(range(len(column)))
    shuffler.shuffle(order)
    changed = column.copy()
    changed[at % len(column)] = np.nextafter(changed[at % len(column)], 0.0 if changed[at % len(column)] else 1.0)
    digests = []
    for name, clocks, numbers in (
        ("a", np.arange(len(column)), column),
        ("b", np.array(order), column[order]),
        ("c", np.arange(len(column)), changed),
    ):
        with Chronicle(folder / name) as chronicle:
            chronicle.declare([LOSS])
            for clock, number in zip(clocks, numbers, strict=True):
                chronicle.write(0, [clock], {"loss": [number]})
            digests.append(chronicle.digest())
    assert digests[0] == digests[1]
    assert (digests[0] == digests[2]) == bool(np.isnan(column[at % len(column)]))


def test_readers_see_whole_states_and_never_block_the_writer(chronicle):
    fill(chronicle, 0, 50)
    with Chronicle.read(chronicle.path) as reader:
        with reader.snapshot():
            before = reader.series("loss")["clock"]
            chronicle.database._link.execute("PRAGMA busy_timeout=0")  # a blocked write would raise at once
            fill(chronicle, 50, 100)
            chronicle.rewind(80)
            chronicle.sync()
            assert np.array_equal(reader.series("loss")["clock"], before)
        assert reader.last_clock() == 80
        with pytest.raises(ChronicleError, match="readonly"):
            reader.write(0, [200], {"loss": [0.0]})


def test_a_killed_writer_leaves_whole_chunks(tmp_path):
    path = tmp_path / "chronicle.db"
    delays = random.Random(0)
    reached = 0
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout.readline() == b"ready\n"
            time.sleep(delays.uniform(0, 0.1))
            with Chronicle.read(path) as reader:  # while it is being written
                assert reader.last_clock() % 20 == 0
            time.sleep(delays.uniform(0, 0.05))
            writer.send_signal(signal.SIGKILL)
        with Chronicle.read(path) as reader:
            clocks = np.arange(1, reader.last_clock() + 1)
            assert clocks.size % 20 == 0
            assert clocks.size >= reached
            for name, factor in (("a", 0.5), ("b", 2.0)):
                assert np.array_equal(reader.series(name)["clock"], clocks)
                assert np.array_equal(reader.series(name)["value"], clocks * factor)
            assert reader.episodes()["end"].tolist() == clocks[19::20].tolist()
            assert reader.database.rows("PRAGMA integrity_check") == [("ok",)]
            reached = clocks.size
    assert reached > 0


def test_a_full_disk_says_so_and_keeps_what_was_written(chronicle):
    fill(chronicle, 0, 10)
    kept = chronicle.digest()
    pages = chronicle.database.rows("PRAGMA page_count")[0][0]
    chronicle.database.rows(f"PRAGMA max_page_count={pages + 4}")  # SQLite then fails as on a full disk
    with pytest.raises(DiskFull, match=r"chronicle\.db .* MB free\): free space"):
        chronicle.write(0, np.arange(1000, 9000), {"loss": np.ones(8000)})
    assert chronicle.digest() == kept
    chronicle.database.rows("PRAGMA max_page_count=100000")
    chronicle.write(0, np.arange(1000, 9000), {"loss": np.ones(8000)})
    assert chronicle.last_clock() == 8999


def test_files_that_cannot_be_opened_have_their_own_messages_and_stay_as_they_are(tmp_path):
    with pytest.raises(ChronicleError, match="no chronicle at"):
        Chronicle.read(tmp_path / "nowhere.db")
    with pytest.raises(ChronicleError, match="make sure that its folder exists"):
        Chronicle(tmp_path / "no folder" / "chronicle.db")
    text = tmp_path / "text.db"
    text.write_text("not a database, but long enough to be looked at as one " * 50)
    for opener in (Chronicle, Chronicle.read):
        with pytest.raises(ChronicleError, match="put back a copy"):
            opener(text)
    newer = tmp_path / "newer.db"
    Chronicle(newer).close()
    link = sqlite3.connect(newer)
    link.execute("PRAGMA user_version=99")
    link.close()
    before = newer.read_bytes()
    for opener in (Chronicle, Chronicle.read):
        with pytest.raises(ChronicleError, match=r"newer Umwelt \(format 99"):
            opener(newer)
    assert newer.read_bytes() == before
    empty = tmp_path / "empty.db"
    empty.touch()
    with pytest.raises(ChronicleError, match="holds no chronicle yet"):
        Chronicle.read(empty)


def test_mistakes_of_the_caller_are_named(chronicle):
    with pytest.raises(ValueError, match="values: speed was never declared"):
        chronicle.write(0, [1], {"speed": [1.0]})
    with pytest.raises(ValueError, match="values: loss has the shape"):
        chronicle.write(0, [1, 2], {"loss": [1.0]})
    with pytest.raises(ValueError, match="columns: begin has 2 rows, where others have 3"):
        chronicle.write_episodes(episodes(row=[0, 0, 0]))
    with pytest.raises(ValueError, match="columns: wanted are"):
        chronicle.write_episodes({"seed": 0})
    with pytest.raises(ValueError, match="two different ways"):
        chronicle.declare([LOSS, Metric(name="loss", unit="bits", meaning="how wrong")])
    with pytest.raises(KeyError, match="it has loss, return"):
        chronicle.series("speed")
    chronicle.write(0, [1], {"loss": [1.0]})
    with pytest.raises(ChronicleError, match="call `rewind` before"):
        chronicle.write(0, [1], {"loss": [1.0]})


def test_the_log_is_folded_in_when_it_is_closed(tmp_path):
    with Chronicle(tmp_path / "chronicle.db") as chronicle:
        chronicle.declare([LOSS])
        chronicle.write(0, [1], {"loss": [1.0]})
    assert [path.name for path in Path(tmp_path).iterdir()] == ["chronicle.db"]
