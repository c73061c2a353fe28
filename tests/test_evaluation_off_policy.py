"""Values of another policy from a log, against exact sums and another way of fitting."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from umwelt.claims.studies.logged_choices import LoggedChoices
from umwelt.evaluation import off_policy

RANDOM = np.random.default_rng(2)
LOGGED = np.array([[0.5, 0.3, 0.2]])
ASKED = np.array([[0.1, 0.2, 0.7]])
WORTH = np.array([[1.0, 2.0, 4.0]])
CLUSTER = np.array([0, 1, 1])


def expected(estimate):
    """The mean of an estimate from one row, over all rows that can be logged: exact."""
    return sum(LOGGED[0, action] * estimate(np.array([action]), WORTH[:, action]) for action in range(3))


def test_weights_give_the_true_value_on_average_and_so_does_a_corrected_model():
    true = float(np.sum(ASKED * WORTH))
    assert expected(lambda action, reward: off_policy.importance(action, reward, LOGGED, ASKED)) == pytest.approx(true)
    wrong = np.array([[3.0, -1.0, 0.5]])
    corrected = expected(lambda action, reward: off_policy.doubly_robust(action, reward, LOGGED, ASKED, wrong))
    assert corrected == pytest.approx(true)
    assert off_policy.direct(ASKED, WORTH) == pytest.approx(true)


def test_clusters_are_unbiased_where_differences_inside_them_are_right_and_only_there():
    true = float(np.sum(ASKED * WORTH))
    by = lambda model: expected(  # noqa: E731
        lambda action, reward: off_policy.clustered(action, reward, LOGGED, ASKED, model, CLUSTER)
    )
    # each cluster as a whole is wrong, by another amount
    assert by(WORTH + np.array([[5.0, -3.0, -3.0]])) == pytest.approx(true)
    assert by(WORTH + np.array([[0.0, 1.0, 0.0]])) != pytest.approx(true, abs=0.05)


def test_an_action_that_could_not_be_logged_is_refused():
    with pytest.raises(ValueError, match="logged"):
        off_policy.importance(np.array([0]), np.array([1.0]), np.array([[0.0, 1.0]]), np.array([[0.5, 0.5]]))


def test_a_fit_within_groups_is_that_of_all_pairs_of_a_group():
    features, group = RANDOM.normal(size=(40, 3)), RANDOM.integers(5, size=40)
    reward = features @ [1.0, -2.0, 0.5] + 10.0 * group + RANDOM.normal(size=40)
    # groups count by their pairs, so they are made equally large for the comparison
    rows = np.concatenate([np.flatnonzero(group == each)[:5] for each in range(5) if np.sum(group == each) >= 5])
    features, reward, group = features[rows], reward[rows], group[rows]
    one, other = np.triu_indices(len(rows), 1)
    same = group[one] == group[other]
    pairs = LinearRegression(fit_intercept=False).fit(
        (features[one] - features[other])[same], (reward[one] - reward[other])[same]
    )
    np.testing.assert_allclose(off_policy.within(features, reward, group), pairs.coef_, rtol=1e-4)


def test_the_clustered_estimate_of_a_thousand_actions_has_no_bias_that_shows():
    errors = np.array([LoggedChoices(rows=2000)(seed)["error"] for seed in range(40)])
    assert abs(errors.mean()) < 3.0 * errors.std(ddof=1) / np.sqrt(40)
    assert np.abs(errors).mean() < 0.6
