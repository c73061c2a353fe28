"""The one reader of chronicles: all SQL stands in its folder, and damage of any kind is an error of one sentence."""

import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from watched import write_life

import umwelt
from umwelt.life.chronicle import reader
from umwelt.life.chronicle.chronicle import Chronicle, ChronicleError
from umwelt.life.chronicle.thinning import thinned

PACKAGE = Path(umwelt.__file__).parent
SQL = re.compile(r"sqlite3|\bSELECT\b|\bPRAGMA\b|\bINSERT INTO\b|\.execute(many|script)?\(")
COLUMNS = {
    "metrics": ("seed", "clock", "name_id", "value"),
    "names": ("name", "unit", "meaning", "better"),
    "episodes": ("seed", "row", "begin", "end", "task", "return", "length", "end_kind", "surprise", "doubt"),
    "probes": ("seed", "clock", "task", "label", "returns", "mean", "low", "high", "model_error", "length"),
    "events": ("seed", "clock", "name", "message", "wall"),
    "timing": ("clock", "part", "seconds", "wall"),
    "trail": ("seed", "clock", "task", "x", "y", "z", "doubt"),
    "glimpses": ("seed", "name", "clock", "task", "begin", "content", "wall"),
}
CELLS = [(table, column) for table, columns in COLUMNS.items() for column in columns]
VALUES = (None, "text", "", b"\x00\x01", b"[[1]]\n", float("inf"), -1e308, 1.5, -1, 2**63 - 1)

QUESTIONS: dict[str, Callable[[Chronicle], Any]] = {
    "metrics": Chronicle.metrics,
    "seeds": Chronicle.seeds,
    "last_clock": Chronicle.last_clock,
    "series": lambda it: it.series("reward"),
    "episodes": Chronicle.episodes,
    "probes": Chronicle.probes,
    "events": Chronicle.events,
    "timing": Chronicle.timing,
    "trail": Chronicle.trail,
    "glimpses": Chronicle.glimpses,
    "digest": Chronicle.digest,
    "thinned": lambda it: thinned(it, "reward", 0, 0, 2000, 50),
    "thinned by buckets": lambda it: thinned(it, "reward", 0, 0, 2000, 3),
    "count_metrics": reader.count_metrics,
    "count_points": lambda it: reader.count_points(it, "reward", 0, 0, 2000, 10),
    "mean_of": lambda it: reader.mean_of(it, "reward", 0, 0, 2000),
    "metric_points": lambda it: reader.metric_points(it, "reward", 0, 0, 2000),
    "metric_batches": lambda it: list(reader.metric_batches(it, "reward")),
    "count_episodes": lambda it: reader.count_episodes(it, 0, 0, 2000, 10),
    "returns": lambda it: reader.returns(it, 0, 0, 2000, 100),
    "returns of some": lambda it: reader.returns(it, 0, 0, 2000, 100, most=1),
    "episode_points": lambda it: reader.episode_points(it, 0, 0, 2000),
    "task_stretches": lambda it: reader.task_stretches(it, 0),
    "probe_means": reader.probe_means,
    "probe_seeds": reader.probe_seeds,
    "probe_tasks": reader.probe_tasks,
    "count_probes": reader.count_probes,
    "last_probe": lambda it: reader.last_probe(it, 2000),
    "probe_points": lambda it: reader.probe_points(it, 0, -1, 2000, ("mean", "length")),
    "newest_events": lambda it: reader.newest_events(it, 10),
    "last_event": reader.last_event,
    "last_timing": reader.last_timing,
    "newest_timings": lambda it: reader.newest_timings(it, 10),
    "glimpse_clocks": reader.glimpse_clocks,
    "trail in part": lambda it: reader.trail(it, 20),
    "tables": lambda it: [list(reader.table_batches(it, table)) for table in reader.tables(it)],
}


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chronicle of a life of 1,200 decisions."""
    path = write_life(tmp_path_factory.mktemp("lives"), "whole", end=1200) / "chronicle.db"
    with Chronicle(path) as chronicle:
        chronicle.write_timing(1200, {"living": 1.0})
    return path


@pytest.fixture
def path(life: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copy(life, tmp_path))


def test_all_sql_of_the_package_stands_in_one_folder() -> None:
    found = {str(file.relative_to(PACKAGE)) for file in PACKAGE.rglob("*.py") if SQL.search(file.read_text(encoding="utf8"))}
    assert found
    assert {file for file in found if not file.startswith("life/chronicle/")} == set()


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_whole_chronicle_answers(path: Path, question: str) -> None:
    with Chronicle.read(path) as chronicle:
        assert QUESTIONS[question](chronicle) is not None


@example(where=("metrics", "clock"), value=None, every=False)
@settings(max_examples=60)
@given(where=st.sampled_from(CELLS), value=st.sampled_from(VALUES), every=st.booleans())
def test_a_value_that_no_life_writes_is_read_or_refused_in_a_sentence(
    life: Path, tmp_path_factory: pytest.TempPathFactory, where: tuple[str, str], value: Any, every: bool
) -> None:
    path = shutil.copy(life, tmp_path_factory.mktemp("odd"))
    table, column = where
    with closing(sqlite3.connect(path)) as link:
        some = "" if every else f'WHERE "{column}" = (SELECT "{column}" FROM {table} LIMIT 1)'
        link.execute(f'UPDATE OR IGNORE {table} SET "{column}" = ? {some}', (value,))
        link.commit()
    sentences = []
    for question in QUESTIONS.values():
        try:
            with Chronicle.read(path) as chronicle:
                question(chronicle)
        except ChronicleError as error:
            sentences.append(str(error))
        except KeyError:  # a metric whose name is gone
            sentences += [] if where == ("names", "name") else ["no KeyError"]
    assert all(sentence.endswith("put back a copy of it") for sentence in sentences), sentences


@pytest.mark.parametrize("question", ["last_clock", "seeds", "digest"])
def test_a_pair_without_metrics_is_passed_over(path: Path, question: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a torn page lists a seed, and the page of its metrics is gone."""
    with Chronicle.read(path) as chronicle:
        whole, pairs = QUESTIONS[question](chronicle), chronicle.pairs()
        monkeypatch.setattr(Chronicle, "pairs", lambda self: [*pairs, (1, 99)])
        assert QUESTIONS[question](chronicle) == ([0, 99] if question == "seeds" else whole)


def test_seeds_out_of_order_end_the_search(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Chronicle.read(path) as chronicle:
        monkeypatch.setattr(Chronicle, "_seed_after", lambda self, number, seed: 5 if seed is None else 3)
        with pytest.raises(ChronicleError, match="out of order"):
            chronicle.pairs()


def test_answers_are_the_numbers_that_were_written(path: Path) -> None:
    """reward is clock / 2; there are two episodes, three probes of two tasks, one event and a trail of 120 positions."""
    with Chronicle.read(path) as it:
        assert reader.count_metrics(it) == 2400
        assert reader.count_points(it, "reward", 0, 11, 20, 100) == 10
        assert reader.count_points(it, "reward", 0, 0, 1200, 7) == 7
        assert reader.mean_of(it, "reward", 0, 0, 3) == pytest.approx((0.5 + 1.0 + 1.5) / 3)
        assert np.isnan(reader.mean_of(it, "reward", 0, 1200, 1300))
        assert reader.metric_points(it, "reward", 0, 1, 3) == [(2, 1.0), (3, 1.5)]
        (rows,) = reader.metric_batches(it, "surprise")
        assert rows["value"].tolist() == [-clock / 2 for clock in range(1, 1201)]
        assert reader.returns(it, 0, 0, 1200, 2000) == [("earth", 600, 4.0, 4.0, 4.0), ("moon", 1200, 7.0, 7.0, 7.0)]
        assert reader.task_stretches(it, 0) == [("earth", 600), ("moon", 1200)]
        assert reader.probe_means(it)[0] == ("earth", 0, -1.0, 0.0, 1.0, 0.5)
        assert reader.count_probes(it) == (6, 1200)
        assert reader.last_probe(it, 1199) == 600
        assert reader.last_probe(it, -1) == reader.NOTHING
        assert reader.probe_points(it, 0, 600, 1200, ("mean",)) == [(1200, "earth", 4.0), (1200, "moon", 9.0)]
        assert [event["message"] for event in reader.newest_events(it, 5)] == ["a <b>new</b> task"]
        assert reader.last_timing(it) == 1200
        assert reader.trail(it, 60)["clock"] == list(range(10, 1201, 20))
