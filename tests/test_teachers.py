"""The checker of teachers, and the panels of the library's own."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.core import part
from umwelt.core.contracts import Teacher
from umwelt.teachers import Blocks, Drift
from umwelt.worlds import Pendulum

KEY = jax.random.key(0)


@pytest.mark.parametrize("depth", ["shapes", "values"])
@pytest.mark.parametrize("teacher", [Blocks(names=("earth", "moon"), steps=7), Blocks(), Drift(names=("earth", "moon"), steps=7)])
def test_the_librarys_teachers_keep_the_contract(teacher: Any, depth: Any) -> None:
    check.teacher(teacher, depth=depth).raise_if_broken()
    named = Pendulum().tasks()
    check.teacher(teacher, Pendulum().spec.task, named, depth=depth).raise_if_broken()


@pytest.mark.parametrize("teacher", [Blocks, Drift])
def test_a_panel_holds_each_task_once_in_order(teacher: Any) -> None:
    named = Pendulum().tasks()
    panel = teacher(names=("moon", "earth", "moon")).panel(named)
    assert list(panel) == ["moon", "earth"]
    assert panel["moon"] is named["moon"]
    assert teacher().panel(named) == {}, "the world's default"
    with pytest.raises(ValueError, match="no task called mars; it has earth, moon"):
        teacher(names=("mars",)).panel(named)


def gravity(value: float, rows: int = 4) -> Any:
    return {"gravity": jnp.full(rows, value)}


FAULTS = {
    "outside the task space": {"ask": lambda self, key, state, n: (state, gravity(99.0))},
    "return n = 4": {"ask": lambda self, key, state, n: (state, gravity(9.0, 1))},
    "mars": {"panel": lambda self, named: {"mars": named["earth"]}},
    "differs": {"panel": lambda self, named: {"earth": named["moon"]}},
    "return a dict": {"panel": lambda self, named: ("earth",)},
    "changed from int32": {"tell": lambda self, key, state, tasks, feedback: state + 0.5},
    "(state, Info)": {"reflect": lambda self, key, state: (state, 3.0)},
    "in `reflect`": {"reflect": lambda self, key, state: ((state, state), {})},
    "ask[1]": {"ask": lambda self, key, state, n: (state, gravity(next(DRAWS)))},
    "tell": {"tell": lambda self, key, state, tasks: state},
}
DRAWS = iter(np.linspace(0.0, 20.0, 1000))


def broken(**methods: Any) -> Teacher:
    """A teacher that keeps the contract but for some methods."""

    class Constant:
        def init(self, key: Any, task_space: Any, named: Any) -> Any:
            return jnp.int32(0)

        def ask(self, key: Any, state: Any, n: int) -> Any:
            return state, gravity(9.0)

        def tell(self, key: Any, state: Any, tasks: Any, feedback: Any) -> Any:
            return state + 1

        def panel(self, named: Any) -> Any:
            return {}

    return part(type("Broken", (Constant,), methods))()


def test_a_teacher_without_fault_passes() -> None:
    check.teacher(broken()).raise_if_broken()


@pytest.mark.parametrize("sentence", FAULTS)
def test_a_broken_teacher_is_reported_in_a_sentence(sentence: str) -> None:
    assert sentence in str(check.teacher(broken(**FAULTS[sentence])))


def test_a_trace_finds_a_state_that_changes_its_form() -> None:
    assert "changed" in str(check.teacher(broken(**FAULTS["changed from int32"]), depth="shapes"))


def test_a_hosted_teacher_reflects_in_plain_python() -> None:
    calls: list[float] = []

    def reflect(self: Any, key: Any, state: Any) -> Any:
        calls.append(float(state))
        return state, {}

    check.teacher(broken(hosted=True, reflect=reflect)).raise_if_broken()
    assert calls == [30.0]
