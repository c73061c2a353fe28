"""A thousand choices in contexts: what a new policy would earn, estimated from the log of another."""

import numpy as np

from umwelt.claims.arms import Measure
from umwelt.core import part
from umwelt.evaluation import off_policy

SQUARED = Measure(name="squared_error", unit="squared reward", better="down")
BIAS = Measure(name="error", unit="reward", better="down")
HOW = ("importance", "direct", "doubly robust", "clustered")


@part
class LoggedChoices:
    """One log and one estimate; a function of a seed. The problem is the same for all seeds."""

    how: str = "clustered"
    contexts: int = 20
    actions: int = 1000
    clusters: int = 30
    rows: int = 4000
    spread: float = 1.0
    """Deviation of what a cluster is worth in a context, which no model here knows."""
    noise: float = 1.0

    def __call__(self, seed: int) -> dict[str, float]:
        """Draw a log and estimate: {measure: number}."""
        if self.how not in HOW:
            raise ValueError(f"how={self.how!r}: it is one of {', '.join(HOW)}")
        features, cluster, worth, logged, asked = self.problem()
        random = np.random.default_rng(seed)
        context = random.integers(self.contexts, size=self.rows)
        cumulative = np.cumsum(logged, axis=1)
        action = np.minimum((random.uniform(size=(self.rows, 1)) > cumulative[context]).sum(axis=1), self.actions - 1)
        reward = worth[context, action] + self.noise * random.normal(size=self.rows)
        weights = off_policy.within(features[context, action], reward, context * self.clusters + cluster[action])
        inside = (features @ weights)[context]
        now, then = logged[context], asked[context]
        found = {
            "importance": lambda: off_policy.importance(action, reward, now, then),
            "direct": lambda: off_policy.direct(then, self.model(features, context, action, reward)[context]),
            "doubly robust": lambda: off_policy.doubly_robust(
                action, reward, now, then, self.model(features, context, action, reward)[context]
            ),
            "clustered": lambda: off_policy.clustered(action, reward, now, then, inside, cluster),
        }[self.how]()
        true = np.mean(np.sum(asked * worth, axis=1))
        return {"squared_error": float((found - true) ** 2), "error": float(found - true)}

    def model(self, features: np.ndarray, context: np.ndarray, action: np.ndarray, reward: np.ndarray) -> np.ndarray:
        """Rewards [contexts, actions] by ridge regression on the features, without clusters."""
        rows = features[context, action]
        rows = np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
        weights = np.linalg.solve(rows.T @ rows + np.eye(rows.shape[1]), rows.T @ reward)
        return features @ weights[:-1] + weights[-1]

    def problem(self) -> tuple[np.ndarray, ...]:
        """Features [contexts, actions, F], clusters [actions], worths, and the two policies, all [contexts, actions]."""
        random = np.random.default_rng(0)
        kind, cluster = random.normal(size=(self.actions, 5)), random.integers(self.clusters, size=self.actions)
        context = random.normal(size=(self.contexts, 5))
        features = context[:, None, :] * kind[None]
        whole = self.spread * random.normal(size=(self.contexts, self.clusters))
        worth = features @ random.normal(size=5) * 0.5 + whole[:, cluster]
        logged = _softmax(0.5 * features @ random.normal(size=5))
        greedy = np.eye(self.actions)[np.argmax(worth, axis=1)]
        return features, cluster, worth, logged, 0.9 * greedy + 0.1 / self.actions


def _softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)
