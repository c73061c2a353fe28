"""Conformal quantiles and sets against hand-worked cases, numpy's quantile, and binomial coverage."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from umwelt.evaluation import conformal

LIMITS = jax.jit(jax.vmap(lambda scores: conformal.quantile(scores, 0.1)))


@settings(max_examples=30, deadline=None)
@given(number=st.integers(5, 60), miss=st.sampled_from([0.1, 0.2, 0.25, 0.5]), seed=st.integers(0, 99))
def test_the_quantile_is_numpys_of_the_higher_kind(number: int, miss: float, seed: int) -> None:
    scores = np.random.default_rng(seed).random(number).astype(np.float32)
    level = np.ceil((number + 1) * (1 - miss) - 1e-9) / number
    found = float(conformal.quantile(jnp.asarray(scores), miss))
    if level > 1:
        assert found == np.inf
    else:
        # mapie and crepes take this very order statistic
        assert found == pytest.approx(float(np.sort(scores)[round(level * number) - 1]))
        assert float(np.quantile(scores, level, method="inverted_cdf")) == pytest.approx(found)


@pytest.mark.parametrize("law", ["uniform", "beta", "steps"])
def test_a_new_run_is_covered_as_often_as_it_should_be(law: str) -> None:
    chance = np.random.default_rng(0)
    draw = {
        "uniform": lambda: chance.random((400, 101)),
        "beta": lambda: chance.beta(0.3, 4.0, (400, 101)),
        "steps": lambda: chance.integers(0, 7, (400, 101)) / 7.0,
    }[law]().astype(np.float32)
    covered = float(np.mean(draw[:, 100] <= np.asarray(LIMITS(draw[:, :100]))))
    error = 3 * (0.9 * 0.1 / 400) ** 0.5
    assert covered >= 0.9 - error
    if law != "steps":  # ties only cover more
        assert covered <= 0.9 + 1 / 101 + error


RUNS = jnp.array([[[0.5, 0.3, 0.2], [0.6, 0.1, 0.3], [0.2, 0.7, 0.1]], [[0.4, 0.4, 0.2], [0.3, 0.5, 0.2], [0.1, 0.8, 0.1]]])


def test_the_worst_moment_of_a_run_counts_and_sets_never_grow() -> None:
    np.testing.assert_allclose(conformal.worst(RUNS, jnp.array([0, 1])), [0.8, 0.6], atol=1e-6)
    seen = jnp.array([[True, True, False], [True, True, True]])
    np.testing.assert_allclose(conformal.worst(RUNS, jnp.array([0, 1]), seen), [0.5, 0.6], atol=1e-6)
    sets = np.asarray(conformal.run_sets(RUNS, jnp.float32(0.7)))
    assert sets[0].tolist() == [[True, True, False], [True, False, False], [False, False, False]]
    assert sets[1].tolist() == [[True, True, False], [True, True, False], [False, True, False]]
    assert np.all(sets[:, 1:] <= sets[:, :-1])


def test_a_run_stops_where_one_answer_is_left_and_a_threshold_where_it_is_passed() -> None:
    moment, answer = conformal.stops(RUNS, jnp.float32(0.7))
    assert (moment.tolist(), answer.tolist()) == ([1, 2], [0, 1])
    # nothing is excluded: the last moment, and its likeliest answer
    moment, answer = conformal.stops(RUNS, jnp.float32(2.0))
    assert (moment.tolist(), answer.tolist()) == ([2, 2], [1, 1])
    moment, answer = conformal.stops_above(RUNS, jnp.float32(0.55))
    assert (moment.tolist(), answer.tolist()) == ([1, 2], [0, 1])


def test_a_set_is_never_empty_and_a_bad_share_is_refused() -> None:
    assert conformal.answers(jnp.array([0.2, 0.5, 0.3]), jnp.float32(0.1)).tolist() == [False, True, False]
    with pytest.raises(ValueError, match="miss"):
        conformal.quantile(jnp.ones(3), 1.0)
