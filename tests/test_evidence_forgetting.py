"""What the tables of lives with many tasks count, on made-up lives."""

import numpy as np
import pytest

from evidence.forgetting import TABLES, controls_of, life_of, names_of, recoveries
from umwelt.evaluation.lifetime import Ledger

CLOCK = np.arange(10, 4001, 10)


def falling(clock: np.ndarray, slow: float) -> np.ndarray:
    """Surprise that falls from 10 to 1 within about `slow` decisions."""
    return 1.0 + 9.0 * np.exp(-clock / slow)


def ledger() -> Ledger:
    made = Ledger()
    for index in range(4):
        made = made.learned("ab"[index % 2], 1000 * index, 1000 * (index + 1))
    return made


def test_recovery_is_the_share_of_surprise_that_is_lived_through_again() -> None:
    """Above 1.5, 1 + 9 e^(-t / slow) leaves slow (8.5 - 0.5 ln 18): ten times as fast, a tenth."""
    surprise = np.concatenate([falling(np.arange(10, 1001, 10), slow) for slow in (200.0, 200.0, 40.0, 200.0)])
    found = recoveries(ledger(), CLOCK, surprise)
    assert found["b"] == pytest.approx(1.0, abs=0.01)
    assert found["a"] == pytest.approx(40 / 200, abs=0.03)


def test_who_never_calms_down_has_lived_through_more() -> None:
    surprise = np.where((CLOCK > 2000) & (CLOCK <= 3000), 9.0, falling(CLOCK % 1000, 50.0))
    assert recoveries(ledger(), CLOCK, surprise)["a"] > 5.0


def test_nats_below_zero_are_counted_by_their_power() -> None:
    nats = np.log(np.concatenate([falling(np.arange(10, 1001, 10), 100.0)] * 4)) - 5.0
    assert recoveries(ledger(), CLOCK, nats)["b"] == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("name", TABLES)
def test_every_life_of_a_table_can_be_begun(name: str) -> None:
    from umwelt.life.engine import Engine

    table = TABLES[name]
    for agent in table.agents:
        Engine(life_of(table, agent, 1, 0)).check()
    orders = {life_of(table, next(iter(table.agents)), order, 0).teacher.names for order in range(3)}
    assert len(orders) == 3
    assert all(sorted(names) == sorted(table.tasks * table.times) for names in orders)


@pytest.mark.parametrize("name", ["wishes", "physics"])
def test_controls_can_be_begun_and_live_as_long_as_the_others(name: str) -> None:
    from umwelt.life.engine import Engine

    table = TABLES[name]
    assert names_of(table)[-2:] == ("joint", "alone")
    (joint,) = controls_of(table, "joint", 0, 0).values()
    alone = controls_of(table, "alone", 0, 0)
    for life in (joint, alone[f"alone-{table.tasks[0]}"]):
        Engine(life).check()
    whole = table.steps * table.times * len(table.tasks)
    assert whole <= len(joint.teacher.names) * joint.teacher.steps < whole + 6 * joint.teacher.steps
    assert set(joint.teacher.names[:6]) == set(table.tasks), "all within the first six episodes"
    assert sum(life.teacher.steps for life in alone.values()) == whole
    assert {life.teacher.names for life in alone.values()} == {(task,) for task in table.tasks}
    with pytest.raises(ValueError, match="'no_such'"):
        controls_of(table, "no_such", 0, 0)
