"""The experimenter: a robust slope beside that of SciPy, verdicts about curves, and a ladder that is climbed."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from umwelt import check
from umwelt.core import Feedback
from umwelt.teachers import Experimenter
from umwelt.teachers.experimenter import Settled, slope

KEY, ROWS = jax.random.key(11), 4
NAMED = {"low": {"height": np.float32(1.0)}, "mid": {"height": np.float32(2.0)}, "high": {"height": np.float32(3.0)}}
TEACHER = Experimenter(names=("low", "mid", "high"), window=3, episodes=4)
tell = jax.jit(TEACHER.tell)


@pytest.mark.parametrize("length", [2, 5, 8])
def test_the_slope_is_that_of_theil_and_sen(length: int) -> None:
    random = np.random.default_rng(length)
    for _ in range(5):
        curve = random.random(length)
        assert float(slope(jnp.asarray(curve, jnp.float32))) == pytest.approx(stats.theilslopes(curve)[0], abs=1e-5)


def test_a_flat_curve_is_settled_where_it_is_high_and_a_rising_one_never() -> None:
    judge = Settled(level=0.7, flat=0.05)
    verdicts = {
        "flat low": [0.1] * 6,
        "flat high": [0.9] * 6,
        "rising": [0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
        "one slip": [0.9, 0.9, 0.1, 0.9, 0.9, 0.9],
    }
    found = {name: bool(judge(jnp.asarray(curve))) for name, curve in verdicts.items()}
    assert found == {"flat low": False, "flat high": True, "rising": False, "one slip": True}


def rung(state: Any) -> float:
    return float(TEACHER.ask(KEY, state, ROWS)[1]["height"][0])


def heard(teacher: Any, state: Any, share: float, points: int, height: float | None = None) -> Any:
    """The state after some points of the curve, in each of which this share of four episodes succeeds."""
    ones = jnp.ones(ROWS)
    tasks = {"height": jnp.full(ROWS, rung(state) if height is None else height)}
    feedback = Feedback(
        finished=ones > 0,
        returns=(jnp.arange(ROWS) < share * ROWS).astype(jnp.float32),
        length=ones.astype(jnp.int32),
        surprise=ones,
        doubt=ones,
    )
    for _ in range(points):
        state = (tell if teacher is TEACHER else teacher.tell)(KEY, state, tasks, feedback)
    return state


def test_the_ladder_is_climbed_as_curves_settle() -> None:
    state = TEACHER.init(KEY, None, NAMED)
    assert rung(state) == 1.0
    state = heard(TEACHER, state, 0.25, 20)
    assert rung(state) == 1.0, "a flat low curve is not learned"
    state = heard(TEACHER, state, 1.0, 2, height=2.0)
    assert state.curve.tolist() == [0.25] * 3, "episodes of other tasks do not count"
    state = heard(TEACHER, state, 1.0, 1)
    assert rung(state) == 1.0, "it has just risen"
    state = heard(TEACHER, state, 1.0, 2)
    assert rung(state) == 2.0
    assert int(state.points) == 0
    state = heard(TEACHER, state, 1.0, 2)
    assert rung(state) == 2.0, "two points are no window of three"
    state = heard(TEACHER, state, 1.0, 1)
    assert rung(state) == 3.0
    assert rung(heard(TEACHER, state, 1.0, 9)) == 3.0, "the last rung stays"


def test_patience_gives_a_skill_up() -> None:
    teacher = replace(TEACHER, patience=5)
    state = teacher.init(KEY, None, NAMED)
    state = heard(teacher, state, 0.0, 4)
    assert rung(state) == 1.0
    assert rung(heard(teacher, state, 0.0, 1)) == 2.0


def test_it_keeps_the_contract_of_teachers() -> None:
    check.teacher(Experimenter(names=("earth", "moon"), window=2, episodes=2)).raise_if_broken()
    assert list(TEACHER.panel(NAMED)) == ["low", "mid", "high"]
    with pytest.raises(ValueError, match="window=1"):
        replace(TEACHER, window=1).init(KEY, None, NAMED)
    with pytest.raises(ValueError, match="no task called peak"):
        replace(TEACHER, names=("peak",)).init(KEY, None, NAMED)
