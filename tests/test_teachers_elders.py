"""The teacher of teachers: which elder it follows, and how it goes through its fits."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.core import Box, Feedback
from umwelt.teachers import Elders, Mixture
from umwelt.teachers.elders import Records, load_records, save_records, surveyed
from umwelt.teachers.em import Gaussians
from umwelt.teachers.outcomes import no_outcomes

KEY = jax.random.key(0)
SPACE, NAMED = Box(low=0.0, high=1.0), {"one": np.float32(0.5)}
TEACHER = Elders(
    teacher=Mixture(every=20, most=2, slots=100, scale=(0.0, 1.0)), pretest=20, nearest=2, cells=4, own=0.0, even=0.0
)
FITS = 3


def pupil(border: float, number: int) -> tuple[jax.Array, jax.Array]:
    """Places and results of a student that can do what lies below a border."""
    places = jnp.asarray(np.random.default_rng(number).uniform(size=20), jnp.float32)
    return places, (places < border).astype(jnp.float32)


def mapped(border: float, number: int) -> Any:
    places, values = pupil(border, number)
    return surveyed(no_outcomes(32, 1).added(places[:, None], values, jnp.ones(20, bool)), 4)


def records(borders: tuple[float, ...], scores: tuple[float, ...]) -> Records:
    """Elders whose fits look at 0.1, 0.5 and 0.9 in turn, the last component of each without progress."""
    number = len(borders)
    mean = jnp.tile(jnp.array([[0.1, 0.5], [0.5, 0.5], [0.9, 0.5]])[None, :, None], (number, 1, 2, 1))
    mixtures = Gaussians(
        log_weight=jnp.zeros((number, FITS, 2)),
        mean=mean.at[:, :, 1].set(0.3),
        spread=jnp.tile(1e-6 * jnp.eye(2), (number, FITS, 2, 1, 1)),
    )
    tests = jnp.stack([mapped(border, index) for index, border in enumerate(borders)])
    weights = jnp.tile(jnp.array([1.0, 0.1]), (number, FITS, 1))
    returns = jnp.tile(jnp.array([0.2, 0.5, 0.8]), (number, 1))
    return Records(tests=tests, scores=jnp.asarray(scores), mixtures=mixtures, weights=weights, returns=returns)


def taught(teacher: Elders, state: Any, places: jax.Array, values: jax.Array) -> Any:
    feedback = Feedback(finished=values >= 0, returns=values, length=values, surprise=values, doubt=values)
    return reflected(teacher, teacher.tell(KEY, state, places, feedback))


def reflected(teacher: Elders, state: Any) -> Any:
    return COMPILED.setdefault(teacher, jax.jit(teacher.reflect))(KEY, state)[0]


COMPILED: dict[Elders, Any] = {}
ASK = jax.jit(lambda state: TEACHER.ask(KEY, state, 200)[1])
OLD = records((0.2, 0.5, 0.8, 0.85), (90.0, 50.0, 10.0, 20.0))


def test_the_best_of_those_that_tested_alike_is_followed() -> None:
    state = TEACHER.begun(KEY, SPACE, NAMED, OLD)
    # the student itself is the third elder; of it and its neighbour the fourth is better
    assert int(taught(TEACHER, state, *pupil(0.8, 2)).chosen) == 3
    apart = [float(jnp.sum((OLD.tests[index] - mapped(0.8, 2)) ** 2)) for index in range(4)]
    assert int(np.argmin(apart)) == 2
    assert apart[2] == pytest.approx(0.0, abs=1e-6)


def test_fits_are_followed_as_results_are_reached_and_never_back() -> None:
    state = taught(TEACHER, TEACHER.begun(KEY, SPACE, NAMED, OLD), *pupil(0.8, 2))
    found = []
    for value in (0.1, 0.6, 0.0, 1.0):
        for _ in range(3):
            state = taught(TEACHER, state, jnp.full(20, 0.3), jnp.full(20, value))
        asked = np.asarray(ASK(state))
        found.append((int(state.index), round(float(asked.mean()), 2), bool(asked.std() < 0.01)))
    assert [index for index, _, _ in found] == [1, 2, 2, 2], "the results of the test are above the first elder's"
    assert [middle for _, middle, _ in found] == [0.5, 0.9, 0.9, 0.9], "the idle component at 0.3 is never drawn"
    assert all(narrow for _, _, narrow in found)


def test_before_the_test_the_running_teacher_asks() -> None:
    asked = np.asarray(ASK(TEACHER.begun(KEY, SPACE, NAMED, OLD)))
    assert asked.std() > 0.2


def test_earlier_students_are_written_and_read(tmp_path: Path) -> None:
    save_records(tmp_path / "old.npz", OLD)
    for old, new in zip(jax.tree.leaves(OLD), jax.tree.leaves(load_records(tmp_path / "old.npz")), strict=True):
        np.testing.assert_array_equal(old, new)
    state = replace(TEACHER, file=str(tmp_path / "old.npz")).init(KEY, SPACE, NAMED)
    assert int(state.chosen) == -1


def test_bad_values_are_named() -> None:
    with pytest.raises(ValueError, match="file: Elders needs"):
        TEACHER.init(KEY, SPACE, NAMED)
    with pytest.raises(ValueError, match="variant="):
        replace(TEACHER, variant="Q").begun(KEY, SPACE, NAMED, OLD)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cells=7"):
        replace(TEACHER, cells=7).begun(KEY, SPACE, NAMED, OLD)
