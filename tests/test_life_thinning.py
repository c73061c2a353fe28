"""Thinned metrics, against the same stretches computed by NumPy from all rows."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from umwelt.core import Metric
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.chronicle.schema import BUCKET
from umwelt.life.chronicle.thinning import has_buckets, thinned

LOSS = Metric(name="loss", unit="", meaning="")
LONG = 40_000


def written(path: Path, clocks: np.ndarray, seeds: tuple[int, ...] = (0,)) -> Chronicle:
    """The loss at every clock, in three writes."""
    chronicle = Chronicle(path)
    chronicle.declare([LOSS])
    for part in np.array_split(clocks, 3):
        for seed in seeds:
            chronicle.write(seed, part, {"loss": value_at(part) + seed})
    return chronicle


def value_at(clocks: np.ndarray) -> np.ndarray:
    return np.sin(clocks * 12.9898) * 43758.5453 % 1.0 + (clocks == 17_777) * 100.0


def by_hand(clocks: np.ndarray, found: dict[str, np.ndarray], seed: int = 0) -> None:
    """Check that every row lies in one stretch, and that stretches hold their lowest, mean and highest."""
    edges = np.searchsorted(clocks, found["clock"], side="right")
    assert np.array_equal(clocks[edges - 1], found["clock"])
    assert edges[-1] == len(clocks), "no row after the last stretch"
    for index, values in enumerate(np.split(value_at(clocks) + seed, edges[:-1])):
        assert found["low"][index] == values.min()
        assert found["high"][index] == values.max()
        assert found["mean"][index] == pytest.approx(values.mean(), rel=1e-12)


@pytest.fixture(scope="module")
def chronicle(tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("thinning") / "chronicle.db"
    with written(path, np.arange(1, LONG + 1), (0, 3)) as made:
        yield made


@settings(max_examples=80)
@given(begin=st.integers(-5, LONG), length=st.integers(0, LONG + 1000), points=st.integers(2, 300))
def test_every_window_is_counted_as_numpy_counts_it(chronicle: Chronicle, begin: int, length: int, points: int) -> None:
    found = thinned(chronicle, "loss", 3, begin, begin + length, points)
    clocks = np.arange(max(begin, 1), min(begin + length, LONG) + 1)
    assert len(found["clock"]) <= points
    if len(clocks):
        by_hand(clocks, found, seed=3)
    else:
        assert found["clock"].size == 0


def test_few_rows_come_one_by_one_and_a_peak_is_never_lost(chronicle: Chronicle) -> None:
    few = thinned(chronicle, "loss", 0, 101, 150, 51)
    assert few["clock"].tolist() == list(range(101, 151))
    assert np.array_equal(few["low"], value_at(np.arange(101, 151)))
    assert thinned(chronicle, "loss", 0, 0, LONG, 10)["high"].max() > 100


def test_a_stretch_stays_where_it_is_when_the_window_moves(chronicle: Chronicle) -> None:
    windows = [thinned(chronicle, "loss", 0, begin, begin + 20_000, 21) for begin in (1000, 1700)]
    first, second = (dict(zip(window["clock"][1:-1], window["mean"][1:-1], strict=True)) for window in windows)
    shared = set(first) & set(second)
    assert len(shared) >= 11
    assert all(first[clock] == second[clock] for clock in shared)


def test_what_is_rewound_leaves_no_trace(tmp_path: Path) -> None:
    clocks = np.arange(1, 5_001)
    with written(tmp_path / "chronicle.db", clocks) as chronicle:
        chronicle.rewind(1234)
        by_hand(clocks[:1234], thinned(chronicle, "loss", 0, 0, 5_000, 4))
        chronicle.write(0, np.arange(1235, 4_001), {"loss": value_at(np.arange(1235, 4_001))})
        by_hand(clocks[:4_000], thinned(chronicle, "loss", 0, 0, 5_000, 4))


def test_infinite_values_are_kept_and_their_sums_are_nan(tmp_path: Path) -> None:
    with Chronicle(tmp_path / "chronicle.db") as chronicle:
        chronicle.declare([LOSS])
        chronicle.write(0, np.arange(4) * BUCKET, {"loss": np.array([1.0, np.inf, -np.inf, 2.0])})
        found = thinned(chronicle, "loss", 0, 0, 3 * BUCKET, 2)
    assert found["low"].min() == -np.inf
    assert found["high"].max() == np.inf
    assert np.isnan(found["mean"]).any()


def test_a_chronicle_of_an_earlier_version_answers_and_is_renewed_by_its_writer(tmp_path: Path) -> None:
    path, clocks = tmp_path / "chronicle.db", np.arange(1, 3_001)
    written(path, clocks).close()
    link = sqlite3.connect(path)
    link.executescript("DROP TABLE blocks; PRAGMA user_version=1;")
    link.close()
    with Chronicle.read(path) as chronicle:
        assert not has_buckets(chronicle)
        by_hand(clocks, thinned(chronicle, "loss", 0, 0, 3_000, 3))
    Chronicle(path).close()
    with Chronicle.read(path) as chronicle:
        assert has_buckets(chronicle)
        by_hand(clocks, thinned(chronicle, "loss", 0, 0, 3_000, 3))


def test_one_point_and_unknown_names_are_refused(chronicle: Chronicle) -> None:
    with pytest.raises(ValueError, match="points=1"):
        thinned(chronicle, "loss", 0, 0, 10, 1)
    with pytest.raises(KeyError, match="'gain' is not in"):
        thinned(chronicle, "gain", 0, 0, 10, 10)
