"""What another policy would have earned, from what this one did: estimators for logged choices in contexts.

Arrays are NumPy's. A log has n rows of a chosen action and its reward. `logged` has the probabilities of all K actions under
the policy that acted, [n, K]. `asked` has those under the policy that is asked about.
"""

from typing import Any

import numpy as np


def importance(action: Any, reward: Any, logged: Any, asked: Any) -> float:
    """Weigh each reward by how much likelier its action is now. Unbiased, and of large variance where actions are many."""
    return float(np.mean(_ratio(action, logged, asked) * np.asarray(reward)))


def direct(asked: Any, model: Any) -> float:
    """Average a model of rewards [n, K] under the policy. Biased wherever the model is."""
    return float(np.mean(np.sum(np.asarray(asked) * np.asarray(model), axis=1)))


def doubly_robust(action: Any, reward: Any, logged: Any, asked: Any, model: Any) -> float:
    """Correct a model by the weighted errors that it makes on the log; unbiased, whatever the model."""
    error = np.asarray(reward) - _taken(model, action)
    return direct(asked, model) + float(np.mean(_ratio(action, logged, asked) * error))


def clustered(action: Any, reward: Any, logged: Any, asked: Any, model: Any, cluster: Any) -> float:
    """Correct a model by errors that are weighed by how much likelier the *cluster* of the action is now.

    "Off-policy evaluation for large action spaces via conjunct effect modeling" (2023). cluster: [K], the number of each
    action's. Unbiased where the model is right about differences inside a cluster; what a cluster as a whole is worth, the
    weights correct. Clusters are few, so the weights vary little.
    """
    cluster = np.asarray(cluster)
    members = np.eye(cluster.max() + 1)[cluster]
    weight = _ratio(cluster[np.asarray(action)], np.asarray(logged) @ members, np.asarray(asked) @ members)
    return direct(asked, model) + float(np.mean(weight * (np.asarray(reward) - _taken(model, action))))


def within(features: Any, reward: Any, group: Any, ridge: float = 1e-6) -> np.ndarray:
    """Fit weights [F] of features [n, F] to differences of rewards inside groups [n], such as those of one context and cluster.

    Differences of all pairs inside a group are fitted by least squares. Rows less the mean of their group give the same
    weights.
    """
    features, reward, group = np.asarray(features, np.float64), np.asarray(reward, np.float64), np.asarray(group)
    _, number = np.unique(group, return_inverse=True)
    count = np.bincount(number)
    middle = np.stack([np.bincount(number, column) for column in features.T], axis=1) / count[:, None]
    inside = features - middle[number]
    rest = reward - (np.bincount(number, reward) / count)[number]
    return np.linalg.solve(inside.T @ inside + ridge * np.eye(features.shape[1]), inside.T @ rest)


def _ratio(action: Any, logged: Any, asked: Any) -> np.ndarray:
    held = _taken(logged, action)
    if np.any(held <= 0):
        raise ValueError("logged: it gives the action of some row no chance, so the row cannot have been logged")
    return _taken(asked, action) / held


def _taken(table: Any, action: Any) -> np.ndarray:
    return np.take_along_axis(np.asarray(table, np.float64), np.asarray(action)[:, None], axis=1)[:, 0]
