"""Best arms of many linear bandits that share what matters: alone, or by the representation that they share."""

import numpy as np

from umwelt.claims.arms import Measure
from umwelt.core import part
from umwelt.evaluation import designs

TRIES = Measure(name="tries", unit="tries", better="down")
"""Until the best arm of every bandit is named, all bandits together."""
RIGHT = Measure(name="right", unit="share", better="up")
"""Bandits whose best arm was named."""


@part
class Bandits:
    """Names the best arms of bandits whose slopes lie in a plane. A function of a seed's number."""

    shared: bool = True
    """First learn the plane that all slopes lie in, then search within it; False searches task by task."""
    tasks: int = 20
    """How many bandits."""
    arms: int = 40
    """Arms of each, the same for all, on the unit sphere."""
    width: int = 10
    """Numbers of an arm."""
    rank: int = 2
    """Dimensions of what slopes share."""
    gap: float = 0.1
    """How far the best arm is above the second at least."""
    first: int = 3000
    """Tries of each bandit from which the plane is learned."""
    sureness: float = 0.05
    """The share of runs that may be wrong."""

    def __call__(self, seed: int) -> dict[str, float]:
        """Draw bandits, and name their best arms: {measure: number}."""
        random = np.random.default_rng(seed)
        arms = random.normal(size=(self.arms, self.width))
        arms /= np.linalg.norm(arms, axis=1, keepdims=True)
        basis = np.linalg.qr(random.normal(size=(self.width, self.rank)))[0]
        slopes = np.stack([self._slope(random, arms, basis) for _ in range(self.tasks)])
        pulls = [self._pull(random, arms @ slope) for slope in slopes]
        seen, spent = arms, 0
        if self.shared:
            found = [designs.measured(arms, self.first, pull) for pull in pulls]
            spent = sum(tries for _, tries in found)
            plane = np.linalg.svd(np.stack([slope for slope, _ in found]), full_matrices=False)[2][: self.rank]
            seen = arms @ plane.T
        named = [designs.eliminated(seen, pull, self.sureness / self.tasks) for pull in pulls]
        best = np.argmax(slopes @ arms.T, axis=1)
        right = float(np.mean([name == wanted for (name, _), wanted in zip(named, best, strict=True)]))
        return {"tries": float(spent + sum(tries for _, tries in named)), "right": right}

    def _slope(self, random: np.random.Generator, arms: np.ndarray, basis: np.ndarray) -> np.ndarray:
        """Draw a slope of length 2 in the plane whose best arm stands out."""
        while True:
            within = random.normal(size=self.rank)
            slope = 2.0 * basis @ within / np.linalg.norm(within)
            second, first = np.sort(arms @ slope)[-2:]
            if first - second >= self.gap:
                return slope

    def _pull(self, random: np.random.Generator, means: np.ndarray) -> designs.Pull:
        """Sums of rewards with unit noise."""
        return lambda counts: counts * means + np.sqrt(counts) * random.normal(size=len(means))
