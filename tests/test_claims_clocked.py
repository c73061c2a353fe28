"""Times of decisions and of updates, by a clock that the test turns."""

from itertools import accumulate
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import pytest

from umwelt.behaviours import DQN, RandomAgent
from umwelt.claims.studies import clocked
from umwelt.claims.studies.clocked import Deciding, Studying, least
from umwelt.worlds import Cartpole

TOOK = (5.0, 3.0, 2.0, 4.0, 6.0)
"""Seconds of each run, of which two are the least."""


@pytest.fixture(autouse=True)
def turned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that stands still but for the runs."""
    told = iter(accumulate(value for took in TOOK for value in (1.0, took)))
    monkeypatch.setattr(clocked, "time", SimpleNamespace(perf_counter=lambda: next(told)))


def test_the_least_run_counts_and_the_compilation_does_not() -> None:
    traced = []

    def run() -> jax.Array:
        traced.append(1)
        return jnp.ones(3) + 1.0

    assert least(run) == 2.0
    assert len(traced) == 1


@pytest.mark.parametrize(
    ("study", "name"),
    [
        (Deciding(agent=RandomAgent(), world=Cartpole(), rows=3, decisions=8), "decision_seconds"),
        (Studying(learner=DQN(units=8), world=Cartpole(), rows=4, lessons=8), "lesson_seconds"),
    ],
)
def test_a_run_of_eight_counts_an_eighth(study: Deciding | Studying, name: str) -> None:
    assert study(0) == {name: 0.25}
