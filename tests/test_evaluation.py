"""Exams and error bars against closed forms."""

from dataclasses import MISSING, fields, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import behaviours, curiosity, models, retention
from umwelt.behaviours import RandomAgent
from umwelt.check.base import same_values
from umwelt.core import Box, Prediction, TimeStep, WorldSpec, part, struct
from umwelt.evaluation.exam import MODEL_ERROR, model_error
from umwelt.evaluation.proctor import Proctor
from umwelt.evaluation.statistics import interval


@part
class Counter:
    """Counts up by the action; the reward is 1; the episode ends at `length` decisions."""

    batch: int = 1
    length: int = 5
    hosted: bool = False

    @property
    def spec(self) -> WorldSpec:
        space = Box(shape=(1,), low=-100.0, high=100.0)
        return WorldSpec(name="counter", observation=space, action=Box(shape=(1,), low=-1.0, high=1.0), task={"n": Box()},
                         batch=self.batch, hosted=self.hosted)  # fmt: skip

    def tasks(self) -> dict[str, Any]:
        return {"one": {"n": np.float32(1)}}

    def init(self, key: Any, task: Any) -> Any:
        zeros = jnp.zeros(self.batch, jnp.float32)
        return (zeros, zeros), TimeStep(kind=zeros.astype(jnp.int8), observation=zeros[:, None], reward=zeros)

    def step(self, key: Any, state: Any, action: Any, next_task: Any) -> Any:
        total, age = state[0] + action[:, 0], state[1] + 1
        kind = jnp.where(age >= self.length, 2, 1).astype(jnp.int8)
        return (total, age), TimeStep(kind=kind, observation=total[:, None], reward=jnp.ones(self.batch, jnp.float32))

    def close(self, state: Any) -> None:
        """Nothing to end."""


@struct
class OracleState:
    seen: Any


@part
class Oracle:
    """Knows the counter up to a constant share of the change: `known` = 1 is perfect."""

    known: float = 1.0
    metrics: tuple = ()

    def init(self, key: Any, spec: WorldSpec) -> OracleState:
        return OracleState(seen=jnp.zeros((spec.batch, 1)))

    def see(self, key: Any, state: Any, step: TimeStep) -> Any:
        return OracleState(seen=step.observation), {}

    def act(self, key: Any, state: Any, mode: str = "explore") -> Any:
        return state, jax.random.uniform(key, state.seen.shape, minval=-1, maxval=1)

    def embody(self, key: Any, state: Any, spec: WorldSpec) -> OracleState:
        return self.init(key, spec)

    def imagine(self, key: Any, state: Any, actions: Any) -> Prediction:
        paths = state.seen + jnp.cumsum(self.known * actions, axis=0)
        flat = jnp.zeros(paths.shape[:2])
        return Prediction(observation=paths, reward=flat, continues=flat, doubt=flat)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(("known", "share"), [(1.0, 0.0), (0.0, 1.0), (0.5, 0.25)])
def test_model_error_is_the_unexplained_share_of_the_change(compiled: bool, known: float, share: float) -> None:
    agent = Oracle(known=known)
    proctor = Proctor(agent, lambda rows: Counter(batch=rows, length=100, hosted=not compiled))
    state = agent.init(jax.random.key(0), Counter().spec)
    exam = proctor.examine(jax.random.key(3), state, {"n": jnp.ones(6)})
    assert np.asarray(exam.returns).tolist() == [100.0] * 6
    assert np.asarray(exam.length).tolist() == [100] * 6
    # the change is uniform on [-1, 1], so predicting a share k of it leaves (1 - k)^2 of its variance
    assert np.allclose(model_error(exam, 2), share, atol=0.02)


def test_where_nothing_changes_there_is_no_model_error() -> None:
    """It is not 0, which would be a perfect model."""
    agent = Oracle(known=0.5)
    state = agent.init(jax.random.key(0), Counter().spec)
    exam = Proctor(agent, lambda rows: Counter(batch=rows, length=9)).examine(jax.random.key(3), state, {"n": jnp.ones(2)})
    assert np.isfinite(model_error(exam, 1)).all()
    assert np.isnan(model_error(replace(exam, change=exam.change * 0, square=exam.square * 0), 1)).all()


def test_no_part_calls_a_number_of_its_own_the_model_error() -> None:
    """The model error has one scale for every model, which an exam measures; what a model minimises is its model loss."""
    declared: dict[str, set[str]] = {}
    for room in (behaviours, curiosity, models, retention):
        for name in room.__all__:
            made = getattr(room, name)
            metrics = getattr(made, "metrics", ())
            if isinstance(metrics, property):  # a wrapper, which needs a part inside, passes on what that part declares
                metrics = () if any(field.default is MISSING for field in fields(made)) else made().metrics
            declared[name] = {metric.name for metric in metrics}
    assert not [name for name, names in declared.items() if MODEL_ERROR.name in names]
    assert all("model_loss" in declared[name] for name in ("Ensemble", "Implicit", "Rssm"))


def test_a_row_counts_nothing_after_its_end() -> None:
    proctor = Proctor(Oracle(), lambda rows: Counter(batch=rows, length=3))
    exam = proctor.examine(jax.random.key(0), Oracle().init(jax.random.key(0), Counter().spec), {"n": jnp.ones(2)}, limit=50)
    assert np.asarray(exam.returns).tolist() == [3.0, 3.0]
    assert int(exam.clock) == 3


def test_both_drivers_hold_the_same_exam_of_as_many_decisions_as_the_limit_says() -> None:
    agent, exams = Oracle(known=0.5), []
    for compiled in (True, False):
        proctor = Proctor(agent, lambda rows: Counter(batch=rows, length=9, hosted=not compiled))  # noqa: B023
        exams.append(
            proctor.examine(jax.random.key(3), agent.init(jax.random.key(0), Counter().spec), {"n": jnp.ones(2)}, limit=4)
        )
    assert [int(exam.clock) for exam in exams] == [4, 4]
    assert [exam.length.tolist() for exam in exams] == [[4, 4]] * 2
    assert same_values(*exams, "exam", tolerance=1e-6) == ""
    assert float(jnp.min(exams[0].square)) > 0


def test_an_agent_without_a_model_has_no_model_error() -> None:
    proctor = Proctor(RandomAgent(), lambda rows: Counter(batch=rows))
    state = RandomAgent().init(jax.random.key(0), Counter().spec)
    assert np.isnan(model_error(proctor.examine(jax.random.key(0), state, {"n": jnp.ones(2)}), 1)).all()


@pytest.mark.parametrize("compiled", [True, False])
def test_a_film_shows_what_was_imagined_beforehand(compiled: bool) -> None:
    agent = Oracle()
    proctor = Proctor(agent, lambda rows: Counter(batch=rows, length=100, hosted=not compiled))
    state = agent.init(jax.random.key(0), Counter().spec)
    film = proctor.film(jax.random.key(1), state, {"n": jnp.ones(1)}, warm=4, ticks=9)
    assert film.observation.shape == (9, 1, 1)
    assert np.allclose(film.observation, film.expected.observation, atol=1e-5)
    assert np.asarray(film.reward).tolist() == [[1.0]] * 9
    assert np.asarray(film.inside).all()
    assert (film.state is None) == (not compiled)


def test_a_film_tells_where_the_episode_was_over() -> None:
    agent = Oracle()
    proctor = Proctor(agent, lambda rows: Counter(batch=rows, length=6))
    film = proctor.film(jax.random.key(1), agent.init(jax.random.key(0), Counter().spec), {"n": jnp.ones(1)}, warm=4, ticks=5)
    assert np.asarray(film.inside)[:, 0].tolist() == [True, True, False, False, False]


def test_the_interval_covers_the_mean_about_as_often_as_it_says() -> None:
    draws = np.random.default_rng(0).normal(3.0, 2.0, (300, 40))
    bounds = [interval(jax.random.key(index), draw) for index, draw in enumerate(draws)]
    covered = np.mean([low <= 3.0 <= high for low, high in bounds])
    assert 0.90 < covered < 0.98
    assert interval(jax.random.key(0), draws[0]) == interval(jax.random.key(0), draws[0])
    assert interval(jax.random.key(0), np.array([2.0])) == (2.0, 2.0)
    with pytest.raises(ValueError, match="at least one"):
        interval(jax.random.key(0), np.zeros(0))
