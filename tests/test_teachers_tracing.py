"""Tracing of pupils: against a Kalman filter by hand, and what must not change."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from umwelt.claims.studies.traced import HalfLife, Traced, area_under
from umwelt.evaluation.learners import Learners
from umwelt.teachers.tracing import Known, Tracing, chance, corrected

KEY = jax.random.key(0)
MODEL = Tracing(skills=3, answers="gaussian", rank=2)
TRAITS = replace(MODEL.init(KEY, 1), bias=jnp.float32(0.5), level=jnp.array([0.4]))


def filtered(skill: Any, pause: Any, answer: Any) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """A Kalman filter of three skills as textbooks write it."""
    rate, noise, pull = np.exp(-1.0), np.exp(-0.5), np.exp(1.0)
    edges, mean, spread, scores = np.asarray(MODEL.edges(TRAITS)), np.zeros(3), 2.0 * np.eye(3), []
    for which, time, value in zip(skill, pause, answer, strict=True):
        stays = np.exp(-rate * time)
        moves = stays * np.eye(3) + (1 - stays) * pull * edges.T / 3
        mean = moves @ mean + (1 - stays) * 0.4
        spread = moves @ spread @ moves.T + noise**2 * (1 - stays**2) / (2 * rate) * np.eye(3)
        look = np.eye(3)[[which]]
        total = look @ spread @ look.T + 1.0
        error = value - look @ mean
        scores.append(float(-0.5 * (error**2 / total + np.log(2 * np.pi * total))[0, 0]))
        gain = spread @ look.T / total
        mean, spread = mean + (gain @ error).ravel(), spread - gain @ look @ spread
    return mean, spread, scores


def test_with_gaussian_answers_it_is_a_kalman_filter() -> None:
    random = np.random.default_rng(0)
    skill, pause, answer = random.integers(0, 3, 12), random.exponential(size=12), random.normal(size=12)
    mean, spread, scores = filtered(skill, pause, answer)
    rows = (jnp.asarray(each, dtype)[None] for each, dtype in ((skill, jnp.int32), (pause, jnp.float32), (answer, jnp.float32)))
    known, found = MODEL.traced(TRAITS, *rows)
    np.testing.assert_allclose(found[0], scores, atol=1e-4)
    np.testing.assert_allclose(known.mean[0], mean, atol=1e-4)
    np.testing.assert_allclose(known.spread[0], spread, atol=1e-4)


def test_a_pause_of_nothing_changes_nothing_and_without_a_graph_skills_are_alone() -> None:
    known = Known(mean=jnp.array([1.0, -1.0, 0.5]), spread=jnp.diag(jnp.array([1.0, 2.0, 3.0])))
    same = MODEL.later(TRAITS, jnp.int32(0), known, jnp.float32(0.0))
    np.testing.assert_allclose(same.mean, known.mean, atol=1e-6)
    np.testing.assert_allclose(same.spread, known.spread, atol=1e-6)
    alone = replace(MODEL, graph=False)
    later = [
        alone.later(TRAITS, jnp.int32(0), replace(known, mean=known.mean.at[0].set(value)), jnp.float32(1.0))
        for value in (1.0, 9.0)
    ]
    np.testing.assert_allclose(later[0].mean[1:], later[1].mean[1:], atol=1e-6)
    fed = [
        MODEL.later(TRAITS, jnp.int32(0), replace(known, mean=known.mean.at[0].set(value)), jnp.float32(1.0))
        for value in (1.0, 9.0)
    ]
    assert np.all(fed[1].mean[1:] > fed[0].mean[1:] + 0.1)


def test_right_answers_raise_a_skill_and_its_chance() -> None:
    known = Known(mean=jnp.zeros(2), spread=jnp.array([[1.0, 0.5], [0.5, 1.0]]))
    after, score = corrected(known, jnp.int32(0), jnp.float32(1.0))
    assert float(score) == pytest.approx(np.log(0.5))
    assert after.mean[0] > after.mean[1] > 0.0, "what goes with it rises too"
    assert chance(after, jnp.int32(0)) > 0.5


def test_the_area_under_the_curve_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    scores, truth = random.integers(0, 5, (6, 6)) / 5.0, (random.uniform(size=(6, 6)) < 0.3) * (1.0 - np.eye(6))
    off = ~np.eye(6, dtype=bool)
    assert float(area_under(jnp.asarray(scores), jnp.asarray(truth))) == pytest.approx(roc_auc_score(truth[off], scores[off]))


def test_pupils_have_prerequisites_before_their_skills_and_are_predicted_better_than_by_chance() -> None:
    learners = Learners(pupils=6, questions=40, skills=4)
    answers, graph = learners(KEY)
    assert np.all(np.triu(graph, 1) == graph)
    assert graph.sum(axis=0).max() <= 2
    assert set(np.unique(answers.right)) == {0.0, 1.0}
    study = Traced(learners=learners, model=Tracing(skills=4, updates=40), fitted=30)
    assert float(jax.jit(study)(KEY)["log_likelihood"]) > np.log(0.5)
    assert np.isfinite(float(jax.jit(replace(study, model=HalfLife(updates=20)))(KEY)["log_likelihood"]))
