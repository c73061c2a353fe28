"""The ledger of a life, against the published formulas worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from umwelt.evaluation.lifetime import Ledger


def two_tasks() -> Ledger:
    """a for 100 decisions, then b, then a again; probed every 50."""
    ledger = Ledger(floor={"a": 0.0, "b": 0.1})
    ledger = ledger.learned("a", 0, 100).learned("b", 100, 200).learned("a", 200, 300)
    a = (0.0, 0.4, 0.8, 0.5, 0.2, 0.7, 1.0)
    b = (0.1, 0.1, 0.3, 0.6, 0.9, 0.8, 0.7)
    for index in range(7):
        ledger = ledger.probed(50 * index, {"a": a[index], "b": b[index]})
    return ledger


def test_the_matrix_holds_every_task_after_every_lesson() -> None:
    np.testing.assert_array_equal(two_tasks().matrix(), [[0.8, 0.3], [0.2, 0.9], [1.0, 0.7]])


def test_forgetting_and_transfer_of_continual_world() -> None:
    ledger = two_tasks()
    assert ledger.forgetting() == pytest.approx({"a": 1.0 - 1.0, "b": 0.9 - 0.7})
    assert ledger.backward_transfer() == pytest.approx({"a": 1.0 - 0.8, "b": 0.7 - 0.9})
    # areas: probes inside the own first lesson
    assert ledger.area("a") == pytest.approx((0.4 + 0.8) / 2)
    assert ledger.area("b") == pytest.approx((0.6 + 0.9) / 2)
    gained = ledger.forward_transfer({"a": 0.5, "b": 0.8})
    assert gained == pytest.approx({"a": (0.6 - 0.5) / 0.5, "b": (0.75 - 0.8) / 0.2})


def test_isolated_forgetting_and_zero_shot_transfer_of_cora() -> None:
    ledger = two_tasks()
    assert ledger.isolated_forgetting() == pytest.approx({("a", 1): 0.8 - 0.2, ("b", 2): 0.9 - 0.7})
    assert ledger.zero_shot_transfer() == pytest.approx({("b", 0): 0.3 - 0.1})


def test_retention_recovery_and_learning_time() -> None:
    ledger = two_tasks()
    assert ledger.retention() == pytest.approx({"a": 1.0, "b": (0.7 - 0.1) / (0.9 - 0.1)})
    # 0.95 of 0.8 is reached 100 decisions into both lessons on a
    assert ledger.recovery() == {("a", 2): 1.0}
    assert ledger.recovery(share=0.5) == {("a", 2): 1.0}
    assert ledger.learning_time(1, 0.6) == 50
    assert math.isinf(ledger.learning_time(1, 0.95))


def test_plasticity_is_told_in_times_of_agents_that_learned_a_task_alone() -> None:
    ledger = two_tasks()

    def alone(task: str, *values: float) -> Ledger:
        made = Ledger(floor={task: 0.1}).learned(task, 0, 200)
        for index, value in enumerate(values):
            made = made.probed(50 * index, {task: value})
        return made

    # 0.9 of the way from 0.1 to 0.5 is 0.46: alone after 200 decisions, in this life after 100 and 50
    fresh = {"a": alone("a", 0.1, 0.2, 0.3, 0.4, 0.5), "b": alone("b", 0.1, 0.2, 0.3, 0.4, 0.5)}
    assert ledger.plasticity(fresh) == {"a": 200 / 100, "b": 200 / 50}
    assert ledger.plasticity({"b": alone("b", 0.1, 1.2, 1.2, 1.2, 1.2)}) == {"b": 0.0}
    assert ledger.average() == pytest.approx({"a": (0.4 + 0.8 + 0.5 + 0.2 + 0.7 + 1.0) / 6, "b": (0.6 + 0.9 + 0.8 + 0.7) / 4})


def test_a_lesson_that_ends_within_an_episode_is_closed_by_the_probe_before() -> None:
    ledger = Ledger(floor={"a": 0.0}).learned("a", 0, 103).learned("b", 103, 200)
    for clock, value in ((0, 0.0), (100, 0.8), (200, 0.4)):
        ledger = ledger.probed(clock, {"a": value})
    assert ledger.retention()["a"] == pytest.approx(0.5)


def test_errors_are_read_the_other_way_round() -> None:
    ledger = Ledger(errors=True).learned("a", 0, 10).learned("b", 10, 20)
    for clock, (a, b) in enumerate([(1.0, 1.0), (0.1, 0.9), (0.4, 0.2)]):
        ledger = ledger.probed(10 * clock, {"a": a, "b": b})
    np.testing.assert_array_equal(ledger.matrix(), [[0.1, 0.9], [0.4, 0.2]])
    assert ledger.forgetting() == pytest.approx({"a": 0.3, "b": 0.0})
    assert ledger.retention() == pytest.approx({"a": (1.0 - 0.4) / (1.0 - 0.1), "b": 1.0})
    assert ledger.learning_time(1, 0.3) == 10


def test_a_lesson_goes_on_or_comes_after() -> None:
    ledger = Ledger().learned("a", 0, 10).learned("a", 10, 20)
    assert [(lesson.begin, lesson.end) for lesson in ledger.lessons] == [(0, 20)]
    with pytest.raises(ValueError, match="after the last one"):
        ledger.learned("b", 15, 30)
    with pytest.raises(ValueError, match="clock=5"):
        ledger.probed(5, {}).probed(5, {})


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=3, max_size=3), st.floats(0.1, 10), st.floats(-10, 10))
def test_retention_does_not_depend_on_the_scale_of_returns(values: list[float], scale: float, shift: float) -> None:
    def ledger(turn: object) -> Ledger:
        made = Ledger().learned("a", 0, 10).learned("b", 10, 20)
        for clock, value in enumerate(values):
            made = made.probed(10 * clock, {"a": turn(value), "b": 0.0})  # type: ignore[operator]
        return made

    plain, moved = ledger(lambda value: value).retention()["a"], ledger(lambda value: scale * value + shift).retention()["a"]
    if abs(max(values[1:]) - values[0]) > 1e-3:
        assert moved == pytest.approx(plain, rel=1e-4, nan_ok=True)


def test_a_ledger_of_draws_says_of_each_what_its_own_ledger_says() -> None:
    draws = np.random.default_rng(0).normal(size=(3, 2, 5))
    lived = Ledger().learned("a", 0, 100).learned("b", 100, 200)
    together = lived
    for index, clock in enumerate((0, 100, 200)):
        together = together.probed(clock, {"a": draws[index, 0], "b": draws[index, 1]})
    for draw in range(5):
        alone = lived
        for index, clock in enumerate((0, 100, 200)):
            alone = alone.probed(clock, {"a": draws[index, 0, draw], "b": draws[index, 1, draw]})
        for figure in (Ledger.retention, Ledger.forgetting, Ledger.backward_transfer):
            np.testing.assert_array_equal([value[draw] for value in figure(together).values()], list(figure(alone).values()))
