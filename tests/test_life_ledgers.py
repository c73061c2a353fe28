"""The score of a life, read from a chronicle that was written by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from umwelt.cli.probe_lifelong import lifelong_tables
from umwelt.core import Metric
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.exams.comparing import compare
from umwelt.life.exams.scores import diary, ledgers, merged, score, score_of

TASKS = ("a", "b")
RETURNS = {0: (0.0, 0.0), 100: (8.0, 1.0), 200: (6.0, 9.0), 300: (8.0, 9.0)}
ERRORS = {0: (1.0, 1.0), 100: (0.1, 0.8), 200: (0.3, 0.2), 300: (0.15, 0.2)}


def written(path: Path, seeds: int = 2, tasks: tuple[str, ...] = TASKS) -> Chronicle:
    """Lessons on a, b and a, of 100 decisions and three episodes each, the last of which ends a little late."""
    chronicle = Chronicle(path)
    chronicle.declare((Metric(name="surprise", unit="nats", meaning="m"),))
    for seed in range(seeds):
        chronicle.write(seed, np.array([300]), {"surprise": np.array([1.0])})
        for lesson, task in enumerate((tasks * 2)[:3]):
            ends = 100 * lesson + np.array([40, 80, 103])
            columns = {"begin": ends - 30, "end": ends, "return": np.zeros(3), "length": np.full(3, 30)}
            chronicle.write_episodes(
                {"seed": seed, "row": 0, "task": [task] * 3, "end_kind": "truncated", "surprise": 0.0, "doubt": 0.0, **columns}
            )
        for clock, values in RETURNS.items():
            for index, task in enumerate(tasks):
                returns = values[index] + np.array([-1.0, 0.0, 1.0]) * (seed + 1)
                chronicle.write_probe(
                    seed,
                    clock,
                    task,
                    "probe",
                    returns,
                    mean=0.0,
                    low=0.0,
                    high=0.0,
                    model_error=ERRORS[clock][index],
                    length=30.0,
                    named={"success": np.array([values[index] / 10, np.nan, values[index] / 10])},
                )
    return chronicle


def test_lessons_and_probes_become_a_ledger(tmp_path: Path) -> None:
    with written(tmp_path / "chronicle.db") as chronicle:
        found = ledgers(diary(chronicle))
    assert sorted(found) == [0, 1]
    assert [(lesson.task, lesson.begin, lesson.end) for lesson in found[1].lessons] == [
        ("a", 0, 104),
        ("b", 104, 204),
        ("a", 204, 303),
    ]
    np.testing.assert_allclose(found[0].matrix(), [[8.0, 1.0], [6.0, 9.0], [8.0, 9.0]])


def test_the_score_holds_what_was_kept_with_intervals(tmp_path: Path) -> None:
    with written(tmp_path / "chronicle.db") as chronicle:
        found = score(chronicle)
        again = score(chronicle)
    assert found == again, "intervals come from a key"
    np.testing.assert_allclose(found["return_matrix"], [[8.0, 1.0], [6.0, 9.0], [8.0, 9.0]])
    np.testing.assert_allclose(found["error_matrix"], [[0.1, 0.8], [0.3, 0.2], [0.15, 0.2]])
    assert found["retention"] == pytest.approx({"a": 1.0, "b": 1.0})
    assert found["backward_transfer"] == pytest.approx({"a": 0.0, "b": 0.0})
    assert found["error_growth"] == pytest.approx({"a": 1.5, "b": 1.0})
    mean = found["retention_mean"]
    assert mean["low"] < mean["mean"] == pytest.approx(1.0)
    assert mean["high"] <= 1.0
    shown = lifelong_tables(found)
    assert len(shown) == 9, "two matrices, a table, the means and five notes"


def test_average_and_regret_are_of_all_probes_since_a_task_was_begun(tmp_path: Path) -> None:
    with written(tmp_path / "chronicle.db") as chronicle:
        found = score(chronicle)
        from_ten = score(chronicle, best=10.0)
    assert found["average"] == pytest.approx({"a": (8 + 6 + 8) / 3, "b": 9.0})
    assert found["regret"] == pytest.approx({"a": 8 - (8 + 6 + 8) / 3, "b": 0.0})
    assert from_ten["regret"] == pytest.approx({"a": 10 - (8 + 6 + 8) / 3, "b": 1.0})
    assert found["average_mean"]["mean"] == pytest.approx((22 / 3 + 9) / 2)
    assert found["average_mean"]["low"] < found["average_mean"]["mean"] < found["average_mean"]["high"]


def test_a_score_may_be_of_a_number_that_the_world_named(tmp_path: Path) -> None:
    with written(tmp_path / "chronicle.db") as chronicle:
        found = score(chronicle, "success", best=1.0)
        with pytest.raises(ValueError, match=r"'glory' was not recorded; this life has return, success"):
            score(chronicle, "glory")
    np.testing.assert_allclose(found["return_matrix"], [[0.8, 0.1], [0.6, 0.9], [0.8, 0.9]])
    assert found["regret"] == pytest.approx({"a": 1 - 0.22 / 0.3, "b": 0.1})
    assert found["retention"] == pytest.approx({"a": 1.0, "b": 1.0})
    assert "success of each task after each lesson" in [
        table.title for table in lifelong_tables(found) if hasattr(table, "title")
    ]


def test_a_life_of_one_task_has_no_such_score(tmp_path: Path) -> None:
    with written(tmp_path / "chronicle.db", tasks=("a",)) as chronicle:
        assert score(chronicle) == {}


def test_tasks_that_are_never_probed_are_left_out(tmp_path: Path) -> None:
    with written(tmp_path / "chronicle.db", seeds=1) as chronicle:
        columns = {"begin": 310, "end": 350, "return": 0.0, "length": 40, "surprise": 0.0, "doubt": 0.0}
        chronicle.write_episodes({"seed": 0, "row": 0, "task": ["c"], "end_kind": "truncated", **columns})
        assert ledgers(diary(chronicle))[0].tasks == TASKS


def test_lives_together_score_as_one_life_of_all_their_seeds(tmp_path: Path) -> None:
    with written(tmp_path / "one.db", seeds=1) as one, written(tmp_path / "other.db", seeds=2) as other:
        both = merged([diary(one), diary(other)])
    assert sorted(set(both.probes["seed"])) == [0, 1, 2]
    found = score_of(both)
    np.testing.assert_allclose(found["return_matrix"], [[8.0, 1.0], [6.0, 9.0], [8.0, 9.0]])
    mean = found["retention_mean"]
    assert mean["low"] < mean["mean"] == pytest.approx(1.0)


def test_a_comparison_counts_from_the_newborn_to_the_best(tmp_path: Path) -> None:
    with written(tmp_path / "one.db") as chronicle:
        ours = diary(chronicle)
    worse = replace(ours, probes={**ours.probes, "returns": ours.probes["returns"] / 2})
    found = compare({"ours": ours, "worse": worse})
    assert found["floor"] == pytest.approx({"a": 0.0, "b": 0.0})
    assert found["best"] == pytest.approx({"a": 8.0, "b": 9.0})
    assert found["groups"]["ours"]["share"]["mean"] == pytest.approx(1.0)
    assert found["groups"]["worse"]["share"]["mean"] == pytest.approx(0.5)
    assert found["groups"]["worse"]["by_task"]["b"]["mean"] == pytest.approx(4.5)
    assert [pair["mean"] for pair in found["improvement"]] == [1.0, 0.0]
    assert compare({"ours": ours, "other": diary_of_other_tasks(tmp_path)}) == {}


def diary_of_other_tasks(folder: Path):
    with written(folder / "other.db", tasks=("c", "d")) as chronicle:
        return diary(chronicle)


def test_what_a_life_came_to_is_read_as_arrays(tmp_path) -> None:
    import umwelt

    life = umwelt.Life(
        world=umwelt.worlds.Pendulum(time_limit=20),
        agent=umwelt.behaviours.RandomAgent(),
        teacher=umwelt.teachers.Blocks(names=("earth", "moon"), steps=40),
        rhythm=umwelt.Rhythm(probe_every=40, probe_episodes=2),
        seeds=2,
    )
    found = umwelt.live(life, steps=160, name="two", lives=tmp_path).outcome
    assert {task: means.shape for task, means in found.final.items()} == {"earth": (2,), "moon": (2,)}
    assert sorted(set(found.probes["clock"])) == [0, 40, 80]
    assert found.kept["tasks"] == ["earth", "moon"]
    assert found.kept["retention"] == {"earth": None, "moon": None}, "a random agent learns nothing that it could keep"
    for row in range(len(found.probes["clock"])):
        assert found.probes["mean"][row] == pytest.approx(found.probes["returns"][row].mean())
    again = umwelt.outcome("two", lives=tmp_path)
    np.testing.assert_array_equal(again.episodes["return"], found.episodes["return"])
