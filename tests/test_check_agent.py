"""The checker of agents: the library's own pass, and the right rule catches a broken one."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours import DQN, IQL, SAC, Averaged, Conservative, ModelFree, ModelPredictive, RandomAgent, Standard
from umwelt.check.agent import CHOICES, SPEC
from umwelt.core import Metric, part
from umwelt.memory.ring import Ring
from umwelt.models import Ensemble, Losse
from umwelt.planners import Shooting

PLANNER = Shooting(samples=8, horizon=3)
STREAM = ModelPredictive(model=Losse(warm_up=10), planner=PLANNER)
REPLAY = ModelPredictive(model=Ensemble(members=2, layers=1, units=8), planner=PLANNER, memory=Ring(bytes=100_000), batch=8)
CAUTIOUS = SAC(units=8, soft=False, conservative=Conservative(draws=2, calibrated=True))
OFFLINE = [
    ModelFree(learner=learner, memory=Ring(bytes=100_000), batch=8)
    for learner in (Standard(learner=Averaged(learner=IQL(units=8))), CAUTIOUS)
]


@pytest.mark.parametrize("agent", [RandomAgent(), STREAM, REPLAY, *OFFLINE])
def test_the_librarys_agents_keep_the_contract(agent: Any) -> None:
    check.agent(agent).raise_if_broken()


def traced_only(self: Any, key: Any, state: Any, mode: Any = "explore") -> Any:
    assert isinstance(key, jax.core.Tracer), "a number is computed"
    return RandomAgent.act(self, key, state, mode)


def test_shapes_alone_compute_no_number() -> None:
    check.agent(broken(act=traced_only), depth="shapes").raise_if_broken()
    report = check.agent(broken(act=traced_only), SPEC)
    assert "a number is computed" in str(report)


def in_python(self: Any, key: Any, state: Any, mode: Any = "explore") -> Any:
    random = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    return state, random.uniform(-1.0, 1.0, (state.rows.shape[0], 2)).astype(np.float32)


def test_a_hosted_agent_is_examined_without_a_trace() -> None:
    check.agent(broken(act=in_python, hosted=True), SPEC).raise_if_broken()
    assert "Tracer" in str(check.agent(broken(act=in_python), SPEC))


def broken(**methods: Any) -> Any:
    """A random agent with some methods replaced."""
    return type("Broken", (RandomAgent,), methods)()


def chatty(self: Any, key: Any, state: Any) -> Any:
    return state, {"secret": jnp.zeros(())}


def outside(self: Any, key: Any, state: Any, mode: Any = "explore") -> Any:
    state, action = RandomAgent.act(self, key, state)
    return state, jax.tree.map(lambda leaf: leaf + 5, action)


def one_row(self: Any, key: Any, state: Any, mode: Any = "explore") -> Any:
    state, action = RandomAgent.act(self, key, state)
    return state, action[:1]


def surprised_by_seams(self: Any, key: Any, state: Any, step: Any) -> Any:
    return state, {"surprise": jnp.zeros(step.kind.shape), "doubt": jnp.zeros(step.kind.shape)}


def silent(self: Any, key: Any, state: Any, step: Any) -> Any:
    return state, {}


def restless(self: Any, key: Any, state: Any, mode: Any = "explore") -> Any:
    restless.calls += 1
    return state, jax.random.uniform(jax.random.key(restless.calls), (state.rows.shape[0], 2), minval=-1)


restless.calls = 0  # type: ignore[attr-defined]


def swapped(self: Any, state: Any, key: Any) -> Any:
    return state, {}


def widened(self: Any, key: Any, state: Any, experience: Any) -> Any:
    return type(state)(**{**vars(state), "rows": state.rows.astype(jnp.int32)}), {}


def needy(self: Any, key: Any, state: Any, experience: Any) -> Any:
    return state, {"surprise": experience.surprise + experience.task["size"]}


@pytest.mark.parametrize(
    ("methods", "rule", "word"),
    [
        ({"learn": chatty}, "declared metrics", "secret"),
        ({"act": outside}, "actions in their space", "not in the action space"),
        ({"act": one_row}, "act, mode random", "[1, 2]"),
        ({"see": surprised_by_seams}, "seams", "NaN"),
        ({"see": silent}, "one turn", "surprise"),
        ({"act": restless}, "same key, same result", "differs"),
        ({"learn": swapped}, "parameter names", "(key, state)"),
        ({"learn": None}, "parameter names", "learn"),
        ({"remember": widened}, "remember keeps the state", "int32"),
        ({"remember": needy}, "one turn", "NoneType"),
    ],
)
def test_a_broken_agent_hears_what_is_wrong(methods: dict[str, Any], rule: str, word: str) -> None:
    report = check.agent(broken(**methods))
    found = {fault.rule: fault.sentence for fault in report.faults}
    assert rule in found, str(report)
    assert word in found[rule]


@part
class Imitator(DQN):
    """Learns from the actions of every row, known or not."""

    def learn(self, key: Any, state: Any, batch: Any) -> Any:
        return DQN.learn(self, key, state, type(batch)(**{**vars(batch), "weight": jnp.ones_like(batch.weight)}))


def test_a_learner_that_reads_watched_actions_is_caught() -> None:
    memory = Ring(bytes=100_000)
    found = {
        fault.rule
        for fault in check.agent(ModelFree(learner=Imitator(units=8, layers=1), memory=memory, batch=8), CHOICES).faults
    }
    assert found == {"watched actions"}


def test_metrics_must_be_a_tuple_of_metrics() -> None:
    report = check.agent(RandomAgent(metrics=[Metric(name="a", unit="b", meaning="c")]), SPEC, depth="shapes")  # type: ignore[arg-type]
    assert "metrics" in [fault.rule for fault in report.faults]
