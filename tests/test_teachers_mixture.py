"""Teachers that seek progress, by mixtures and by boxes: what they ask for, and what they refuse."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.core import Box, Feedback
from umwelt.teachers import Mixture, Regions, Uniform
from umwelt.teachers.regions import progress_of
from umwelt.worlds import Pendulum

KEY = jax.random.key(0)


def feedback(values: Any) -> Feedback:
    numbers = jnp.asarray(values, jnp.float32)
    return Feedback(finished=numbers == numbers, returns=numbers, length=numbers.astype(int), surprise=numbers, doubt=numbers)


TEACHERS = (
    Uniform(),
    Mixture(every=20, most=2, slots=40),
    Mixture(every=20, most=2, slots=40, progress="covariance", of="doubt"),
    Regions(points=40, cuts=5, regions=7, splits=1),
)


@pytest.mark.parametrize("teacher", TEACHERS, ids=lambda teacher: f"{type(teacher).__name__} {getattr(teacher, 'progress', '')}")
def test_teachers_keep_the_contract(teacher: Any) -> None:
    # without compilation each call of the others would compile its loops again
    check.teacher(teacher, depth="values" if isinstance(teacher, Uniform) else "shapes").raise_if_broken()
    check.teacher(teacher, Pendulum().spec.task, Pendulum().tasks(), depth="shapes").raise_if_broken()


@pytest.mark.parametrize("teacher", [
    Mixture(every=100, most=2, slots=200, even=0.0),
    Mixture(every=100, most=2, slots=200, even=0.0, progress="covariance"),
    Regions(points=80, regions=15, splits=1, even=0.0, worst=0.0),
], ids=("nearest", "covariance", "regions"))  # fmt: skip
def test_tasks_are_drawn_where_results_rise(teacher: Any) -> None:
    space, named = Box(low=0.0, high=10.0), {"one": np.float32(0.0)}
    state = teacher.init(KEY, space, named)

    def taught(state: Any) -> Any:
        def episode(state: Any, index: jax.Array) -> tuple[Any, None]:
            tasks = jax.random.uniform(jax.random.fold_in(KEY, index), (1,), maxval=10.0)
            rising = jnp.where(tasks > 7.0, index / 100.0, 0.5)
            return teacher.tell(KEY, state, tasks, feedback(rising)), None

        def stretch(state: Any, indices: jax.Array) -> tuple[Any, None]:
            return teacher.reflect(KEY, jax.lax.scan(episode, state, indices)[0])[0], None

        state = jax.lax.scan(stretch, state, jnp.arange(200).reshape(2, 100))[0]
        return teacher.ask(KEY, state, 200)[1]

    asked = np.asarray(jax.jit(taught)(state))
    assert np.mean(asked > 6.5) > 0.6, "three tenths of the space make all the progress"


def test_tasks_are_even_until_the_first_fit_and_a_share_of_them_later() -> None:
    teacher = Mixture(every=20, most=2, slots=40)
    state = teacher.init(KEY, Box(low=0.0, high=1.0), {"one": np.float32(0.0)})
    asked = np.asarray(jax.jit(lambda: teacher.ask(KEY, state, 400)[1])())
    np.testing.assert_allclose(np.histogram(asked, 4, (0, 1))[0] / 400, 0.25, atol=0.08)


def test_progress_of_a_box_compares_its_halves() -> None:
    values, kept = jnp.array([1.0, 9.0, 3.0, 5.0, 8.0]), jnp.array([True, False, True, True, True])
    assert float(progress_of(values, kept)) == pytest.approx((5.0 + 8.0) / 2 - (1.0 + 3.0) / 2)
    assert float(progress_of(values, jnp.array([True, True, False, False, False]))) == 0.0


@pytest.mark.parametrize(("teacher", "field"), [
    (Mixture(of="luck"), "of"),  # type: ignore[arg-type]
    (Mixture(most=1), "most"),
    (Mixture(slots=10), "slots"),
    (Mixture(scale=(1.0, 0.0)), "scale"),
    (Regions(points=5), "points"),
    (Regions(even=0.9, worst=0.2), "even"),
])  # fmt: skip
def test_bad_values_are_named(teacher: Any, field: str) -> None:
    with pytest.raises(ValueError, match=f"{field}="):
        teacher.init(KEY, Box(low=0.0, high=1.0), {"one": np.float32(0.0)})
