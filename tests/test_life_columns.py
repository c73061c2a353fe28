"""Changes of a metric that become events."""

import numpy as np

from umwelt.life.chronicle.columns import changes

NAN = float("nan")


def test_a_change_has_its_tick_and_its_new_value() -> None:
    assert changes(np.array([0.0, 0.0, 1.0, NAN, 1.0, 0.0]), 0.0) == [(2, 1.0), (5, 0.0)]


def test_the_first_value_of_a_chunk_is_compared_with_the_one_before() -> None:
    assert changes(np.array([NAN, 2.0]), 1.0) == [(1, 2.0)]
    assert changes(np.array([2.0, 2.0]), NAN) == []
    assert changes(np.zeros(0), 1.0) == []
