"""Designed configurations: exact shares, rounds, and what the rules for key rooms propose."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.core import Feedback
from umwelt.teachers import Designed
from umwelt.worlds import KeyRooms
from umwelt.worlds.key_room_advice import AnyConfiguration, OneStepAway, StageSkills

WORLD, KEY, ROWS = KeyRooms(rooms=2), jax.random.key(5), 10
TEACHER = Designed(suggest=OneStepAway(number=2), skills=StageSkills(rooms=2), rounds=2, steps=50, mix=0.3)


@partial(jax.jit, static_argnums=0)
def asked(teacher: Designed, state: Any, key: jax.Array) -> Any:
    """The state after 100 questions, and the tasks [100, ROWS]."""
    return jax.lax.scan(lambda state, key: teacher.ask(key, state, ROWS), state, jax.random.split(key, 100))


def begun(teacher: Designed) -> Any:
    return teacher.init(KEY, WORLD.spec.task, WORLD.tasks())


def heard(state: Any, tasks: Any, stages: Any) -> Any:
    """The state after episodes of these tasks have ended at these stages."""
    stages = jnp.asarray(stages, jnp.int32)
    ones = jnp.ones(stages.shape[0])
    feedback = Feedback(finished=ones > 0, returns=ones, length=ones.astype(jnp.int32), surprise=ones, doubt=ones, reached=stages)
    return TEACHER.tell(KEY, state, tasks, feedback)


def rows(stages: list[int], start: int = 0) -> Any:
    task = WORLD.tasks()["whole"]
    return jax.tree.map(lambda leaf: jnp.full(len(stages), leaf), replace(task, start=np.int32(start)))


def test_it_keeps_the_contract_of_teachers() -> None:
    check.teacher(Designed(steps=7, rounds=2)).raise_if_broken()
    check.teacher(TEACHER, WORLD.spec.task, WORLD.tasks(), depth="shapes", achieved=WORLD.spec.task.goal).raise_if_broken()


def test_shares_are_exact_over_a_thousand_tasks_and_rows_take_turns() -> None:
    state, tasks = asked(TEACHER, begun(TEACHER), KEY)
    designed = np.asarray(tasks.start) > 0
    first = np.asarray(tasks.start == 0) & (np.asarray(tasks.goal) == 4)
    assert int(state.asked) == 100
    # nothing is achieved, so the weakest are stages 1 and 2, one step away from 0 and 1
    assert designed.sum() == 150, "300 of 1,000 are designed, half of which begin at stage 0 like the original"
    assert first.sum() == 850
    assert np.all(designed.sum(0) > 5), "every row meets designed tasks"
    assert not (np.asarray(asked(replace(TEACHER, mix=0.0), begun(TEACHER), KEY)[1].start) > 0).any()


def test_after_its_rounds_only_the_original_is_asked_for() -> None:
    state, _ = asked(TEACHER, begun(TEACHER), KEY)
    later = asked(TEACHER, state, KEY)[1]
    assert not np.asarray(later.start).any()


def test_a_round_designs_for_what_was_weakest_in_the_original() -> None:
    state = begun(TEACHER)
    state = heard(state, rows([4, 2, 2, 3]), [4, 2, 2, 3])
    state = heard(state, rows([4, 4], start=1), [4, 4])
    assert state.done.tolist() == [4.0, 4.0, 2.0, 1.0], "episodes of other configurations do not count"
    state, tasks = asked(TEACHER, state, KEY)
    second = np.unique(np.asarray(tasks.start)[50:])
    assert second.tolist() == [0, 2, 3], "the original, and one step before stages 3 and 4"
    assert not state.done.any(), "each round counts for itself"


def test_a_student_that_can_do_all_is_asked_for_the_original() -> None:
    state = heard(begun(TEACHER), rows([4, 4]), [4, 4])
    tasks = asked(TEACHER, state, KEY)[1]
    assert not np.asarray(tasks.start)[:50].any()


def test_the_control_draws_stages_evenly() -> None:
    tasks = AnyConfiguration(number=4000)(KEY, jnp.zeros(4), None)
    counts = np.bincount(np.asarray(tasks.start), minlength=4)
    assert counts.size == 4
    assert np.all(np.abs(counts - 1000) < 150)
    assert set(np.asarray(tasks.goal).tolist()) == {4}


def test_bad_settings_are_named() -> None:
    with pytest.raises(ValueError, match="mix=2"):
        begun(replace(TEACHER, mix=2.0))
    with pytest.raises(ValueError, match="steps=0"):
        begun(replace(TEACHER, steps=0))
