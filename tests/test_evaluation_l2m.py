"""The metrics of a lifelong log, against the published package and against hand-computed cases."""

import csv
import os
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from umwelt.evaluation.l2m import Block, prepared, scores, smoothed

ORACLE = os.environ.get("UMWELT_L2METRICS_EXAMPLE", "")
"""The folder `examples` of l2metrics 3.1.0, or a copy of its `ll_logs` and `ste_logs`."""


def log() -> tuple[list[Block], dict[str, list[np.ndarray]]]:
    """Three tasks learned four times each, with tests between; every curve is a formula."""
    skill, blocks = {"reach": 10.0, "push": 6.0, "turn": 3.0}, []

    def tested() -> None:
        for index, task in enumerate(skill):
            curve = skill[task] + np.cos(np.arange(10) + index)
            blocks.append(Block(task=task, learning=False, performance=curve))

    tested()
    for lesson in range(4):
        for index, task in enumerate(skill):
            n, top = np.arange(60 + 10 * index), skill[task] + 30 + 5 * lesson - 4 * index
            curve = top - (top - skill[task] + 3 * lesson) * np.exp(-n / (12 + 3 * index)) + 2 * np.sin(0.7 * n)
            blocks.append(Block(task=task, learning=True, performance=curve))
            for other in skill:
                skill[other] += 1.5 if other != task else 0.8 * (top - skill[task])
                if other != task and index == 2:
                    skill[other] -= 4.0
            tested()
    n = np.arange(150)
    experts = {
        task: [40 - 35 * np.exp(-n / (20 + 4 * index)) + np.cos(n / 3 + run) for run in range(1 + index % 2)]
        for index, task in enumerate(skill)
    }
    return blocks, experts


def test_a_made_log_scores_what_the_published_package_says() -> None:
    # l2metrics 3.1.0 on the same log, its files written in the format of l2logger
    published = {
        "performance_recovery": -1.6666666666666667,
        "mean_training_performance": 54.3129673851171,
        "mean_evaluation_performance": 44.55026201913676,
        "performance_maintenance": 0.18234312495410024,
        "forward_transfer": 1.6541381360474336,
        "backward_transfer": 1.0103321919881365,
        "relative_performance": 1.2993564910970556,
        "sample_efficiency": 1.719638450365851,
    }
    assert scores(*prepared(*log())) == pytest.approx(published, rel=1e-9)


@pytest.mark.skipif(not ORACLE, reason="set UMWELT_L2METRICS_EXAMPLE to the example logs of l2metrics 3.1.0 to compare with them")
def test_the_published_example_scores_what_was_published() -> None:
    def rows(pattern: str) -> list[dict[str, str]]:
        found = [
            row for path in Path(ORACLE).glob(pattern) for row in csv.DictReader(path.read_text().splitlines(), delimiter="\t")
        ]
        return sorted(found, key=lambda row: (int(row["block_num"]), int(row["exp_num"])))

    def curve(some: list[dict[str, str]]) -> np.ndarray:
        return np.array([float(row["performance"]) for row in some])

    lived = groupby(
        rows("ll_logs/multi_task/0/*/data-log.tsv"), key=lambda row: (row["block_num"], row["block_type"], row["task_name"])
    )
    blocks = [Block(task=task, learning=kind == "train", performance=curve(list(some))) for (_, kind, task), some in lived]
    experts: dict[str, list[np.ndarray]] = {}
    for path in sorted(Path(ORACLE).glob("ste_logs/*")):
        some = rows(f"ste_logs/{path.name}/*/*/data-log.tsv")
        experts.setdefault(some[0]["task_name"], []).append(curve(some))
    found = scores(*prepared(blocks, experts))
    assert found["performance_maintenance"] == pytest.approx(3.8626981189, abs=1e-6)
    assert found["forward_transfer"] == pytest.approx(12.6298550026, abs=1e-6)
    assert found["backward_transfer"] == pytest.approx(1.08214831, abs=1e-6)
    assert found["relative_performance"] == pytest.approx(1.1050569622, abs=1e-6)
    assert found["sample_efficiency"] == pytest.approx(0.9132609794, abs=1e-6)
    assert found["performance_recovery"] == pytest.approx(-2.0, abs=1e-6)
    assert found["mean_training_performance"] == pytest.approx(83.82, abs=5e-3)
    assert found["mean_evaluation_performance"] == pytest.approx(78.52, abs=5e-3)


def test_metrics_by_hand() -> None:
    """One task learned twice, another only tested: each metric can be counted on fingers."""

    def learned(task: str, *curve: float) -> Block:
        return Block(task=task, learning=True, performance=np.array(curve))

    def tested(task: str, value: float) -> Block:
        return Block(task=task, learning=False, performance=np.array([value, value]))

    blocks = [
        *(tested("a", 1.0), tested("b", 2.0)),
        learned("a", 1.0, 2.0, 4.0),
        *(tested("a", 4.0), tested("b", 3.0)),
        learned("b", 3.0, 5.0),
        *(tested("a", 3.0), tested("b", 5.0)),
        learned("a", 2.0, 4.0, 6.0),
    ]
    found = scores(blocks, {"a": [np.array([1.0, 1.0, 2.0, 2.0])]})
    assert found["mean_training_performance"] == pytest.approx(((7 / 3 + 4) / 2 + 4) / 2)
    assert found["mean_evaluation_performance"] == pytest.approx((8 / 3 + 10 / 3) / 2)
    assert found["performance_maintenance"] == pytest.approx(3.0 - 4.0)
    assert found["forward_transfer"] == pytest.approx(3.0 / 2.0), "b, before and after a was learned"
    assert found["backward_transfer"] == pytest.approx(3.0 / 4.0), "a, before and after b was learned"
    assert found["relative_performance"] == pytest.approx((1 + 2 + 4 + 2) / 6)
    assert found["sample_efficiency"] == pytest.approx(6.0 / 2.0 * 2 / 5)
    assert np.isnan(found["performance_recovery"]), "one recovery has no slope"


def test_smoothing_keeps_length_and_constants() -> None:
    for length in (1, 14, 15, 16, 40, 700):
        np.testing.assert_allclose(smoothed(np.full(length, 3.0)), np.full(length, 3.0))
    short = np.array([1.0, 5.0, 2.0])
    np.testing.assert_array_equal(smoothed(short), short)
    assert np.std(smoothed(np.tile([0.0, 1.0], 50))) < 0.05
