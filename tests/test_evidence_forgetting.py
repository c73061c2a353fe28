"""What the tables of lives with many tasks count, on made-up lives."""

import numpy as np
import pytest

from evidence.forgetting import TABLES, life_of, recoveries
from umwelt.evaluation.lifelong import Ledger

CLOCK = np.arange(10, 4001, 10)


def falling(clock: np.ndarray, slow: float) -> np.ndarray:
    """Surprise that falls from 10 to 1 within about `slow` decisions."""
    return 1.0 + 9.0 * np.exp(-clock / slow)


def ledger() -> Ledger:
    made = Ledger()
    for index in range(4):
        made = made.lived("ab"[index % 2], 1000 * index, 1000 * (index + 1))
    return made


def test_recovery_is_the_share_of_the_first_learning_time() -> None:
    """Surprise is calm at 1.5 times its end, which is when 9 e^-t/slow is 0.5: at 2.9 slow."""
    surprise = np.concatenate([falling(np.arange(10, 1001, 10), slow) for slow in (100.0, 100.0, 10.0, 100.0)])
    found = recoveries(ledger(), CLOCK, surprise)
    assert found["b"] == pytest.approx(1.0, abs=0.02)
    # the average over five points adds a few of them, however soon it is over
    assert found["a"] == pytest.approx((2.9 * 10 + 40) / (2.9 * 100 + 20), abs=0.06)


def test_who_never_calms_down_never_recovers() -> None:
    surprise = np.where((CLOCK > 2000) & (CLOCK <= 3000), 9.0, falling(CLOCK % 1000, 50.0))
    assert recoveries(ledger(), CLOCK, surprise)["a"] == np.inf


def test_nats_below_zero_are_counted_by_their_power() -> None:
    nats = np.log(np.concatenate([falling(np.arange(10, 1001, 10), 100.0)] * 4)) - 5.0
    assert recoveries(ledger(), CLOCK, nats)["b"] == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("name", TABLES)
def test_every_life_of_a_table_can_be_begun(name: str) -> None:
    from umwelt.life.life import Engine

    table = TABLES[name]
    for agent in table.agents:
        Engine(life_of(table, agent, 1, 0)).rehearse()
    orders = {life_of(table, next(iter(table.agents)), order, 0).teacher.names for order in range(3)}
    assert len(orders) == 3
    assert all(sorted(names) == sorted(table.tasks * table.times) for names in orders)
