"""The checkers of agents and teachers: the library's own pass, broken ones are caught by the right rule."""

from typing import Any

import jax
import jax.numpy as jnp
import pytest

from umwelt import check
from umwelt.behaviours import ModelPredictive, RandomAgent
from umwelt.core import Metric, Objective, part
from umwelt.memory.ring import Ring
from umwelt.models import Ensemble, Losse
from umwelt.planners import Shooting
from umwelt.teachers import Blocks

PLAN = {"planner": Shooting(samples=8, horizon=3), "objective": Objective(), "examined": Objective()}
AGENTS = {
    "random": RandomAgent(),
    "stream": ModelPredictive(model=Losse(warm_up=10), **PLAN),
    "replay": ModelPredictive(model=Ensemble(members=2, layers=1, units=8), memory=Ring(bytes=100_000), batch=8, **PLAN),
}


@pytest.mark.parametrize("name", AGENTS)
def test_the_librarys_agents_keep_the_contract(name: str) -> None:
    check.agent(AGENTS[name]).raise_if_broken()


def broken(**methods: Any) -> Any:
    """A random agent with some methods replaced."""
    return type("Broken", (RandomAgent,), methods)()


def chatty(self: Any, key: Any, state: Any) -> Any:
    return state, {"secret": jnp.zeros(())}


def outside(self: Any, key: Any, state: Any, step: Any, mode: Any = "explore") -> Any:
    state, action = RandomAgent.act(self, key, state, step)
    return state, jax.tree.map(lambda leaf: leaf + 5, action)


def one_row(self: Any, key: Any, state: Any, step: Any, mode: Any = "explore") -> Any:
    state, action = RandomAgent.act(self, key, state, step)
    return state, action[:1]


def surprised_by_seams(self: Any, key: Any, state: Any, step: Any, action: Any, next: Any) -> Any:
    return state, {"surprise": jnp.zeros(step.kind.shape), "doubt": jnp.zeros(step.kind.shape)}


def silent(self: Any, key: Any, state: Any, step: Any, action: Any, next: Any) -> Any:
    return state, {}


def restless(self: Any, key: Any, state: Any, step: Any, mode: Any = "explore") -> Any:
    drawn = jax.random.uniform(jax.random.key(id(object()) % 1000 + restless.calls), (step.kind.shape[0], 2), minval=-1)
    restless.calls += 1
    return state, drawn


restless.calls = 0  # type: ignore[attr-defined]


def swapped(self: Any, state: Any, key: Any) -> Any:
    return state, {}


@pytest.mark.parametrize(
    ("methods", "rule", "word"),
    [
        ({"learn": chatty}, "declared metrics", "secret"),
        ({"act": outside}, "act, mode explore", "not in the action space"),
        ({"act": one_row}, "act, mode random", "3 rows"),
        ({"remember": surprised_by_seams}, "seams", "NaN"),
        ({"remember": silent}, "surprise and doubt", "no surprise"),
        ({"act": restless}, "same key, same action", "differs"),
        ({"learn": swapped}, "parameter names", "(key, state)"),
        ({"learn": None}, "parameter names", "learn"),
    ],
)
def test_a_broken_agent_is_told_what_is_wrong(methods: dict[str, Any], rule: str, word: str) -> None:
    report = check.agent(broken(**methods))
    found = {fault.rule: fault.sentence for fault in report.faults}
    assert rule in found, str(report)
    assert word in found[rule]


def test_metrics_must_be_a_tuple_of_metrics() -> None:
    report = check.agent(RandomAgent(metrics=[Metric(name="a", unit="b", meaning="c")]))  # type: ignore[arg-type]
    assert "metrics" in [fault.rule for fault in report.faults]


def test_blocks_keep_the_contract_and_a_broken_teacher_does_not() -> None:
    check.teacher(Blocks(names=("earth", "moon"), steps=7)).raise_if_broken()

    @part
    class Wild:
        def init(self, key: Any, task_space: Any, named: Any) -> Any:
            return jnp.zeros(())

        def ask(self, key: Any, state: Any, n: int) -> Any:
            return state, {"gravity": jnp.full(n, 99.0)}

        def tell(self, key: Any, state: Any, tasks: Any, evidence: Any) -> Any:
            return state

    assert "bounds" in str(check.teacher(Wild()))

    @part
    class Short(Wild):
        def ask(self, key: Any, state: Any, n: int) -> Any:
            return state, {"gravity": jnp.full(1, 9.0)}

    assert "n = 4" in str(check.teacher(Short()))
