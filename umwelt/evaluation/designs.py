"""Optimal designs: how often to try each arm so that all are known equally well, and best arms found by them.

The optimal design minimises the largest variance of a prediction. By the theorem of Kiefer and Wolfowitz its leverage is d
where it measures, and at most d elsewhere. The arms span d dimensions.
"""

from collections.abc import Callable

import numpy as np

Pull = Callable[[np.ndarray], np.ndarray]
"""Tries arms: how often each, int [K] -> the sums of their rewards, float64 [K]."""


def optimal(arms: np.ndarray, accuracy: float = 0.01, steps: int = 2000) -> np.ndarray:
    """Find the shares float64 [K] of an optimal design for arms [K, d] by Frank-Wolfe.

    accuracy: how far the largest leverage may be above the dimension that they span, as a share of it.
    """
    arms = np.asarray(arms, np.float64)
    spanned = int(np.linalg.matrix_rank(arms))
    shares = np.full(len(arms), 1.0 / len(arms))
    if spanned < 2:  # along a line, the longest arm says most
        return np.eye(len(arms))[np.argmax(np.sum(arms**2, axis=1))]
    for _ in range(steps):
        leverage = leverages(arms, shares)
        most = int(np.argmax(leverage))
        if leverage[most] <= spanned * (1.0 + accuracy):
            break
        # the step that makes the determinant largest
        step = (leverage[most] / spanned - 1.0) / (leverage[most] - 1.0)
        shares *= 1.0 - step
        shares[most] += step
    return shares


def leverages(arms: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Compute the variance of each arm's predicted reward under a design, in units of one try: float64 [K]."""
    inverse = np.linalg.pinv((arms * shares[:, None]).T @ arms, rcond=1e-10, hermitian=True)
    return np.einsum("ki,ij,kj->k", arms, inverse, arms)


def measured(arms: np.ndarray, number: int, pull: Pull) -> tuple[np.ndarray, int]:
    """Try arms [K, d] by an optimal design, `number` times or a little more: least squares float64 [d], and the tries."""
    counts = np.ceil(optimal(arms) * number - 1e-9).astype(int)
    sums = pull(counts)
    inverse = np.linalg.pinv((arms * counts[:, None]).T @ arms, rcond=1e-10, hermitian=True)
    return inverse @ (arms.T @ sums), int(counts.sum())


def eliminated(arms: np.ndarray, pull: Pull, sureness: float, phases: int = 12) -> tuple[int, int]:
    """Find the best of arms [K, d] whose rewards are linear in them with unit noise, by phases that halve the doubt.

    After each phase, what is further below the best than twice the doubt goes. Returns its number, and the tries.
    sureness: the share of runs that may be wrong.
    """
    left, spent, slope = np.arange(len(arms)), 0, np.zeros(arms.shape[1])
    for phase in range(1, phases + 1):
        doubt = 2.0**-phase
        spanned = int(np.linalg.matrix_rank(arms[left]))
        number = int(np.ceil(2.0 * spanned * np.log(2.0 * len(arms) * phase**2 / sureness) / doubt**2))

        def of_left(counts: np.ndarray, left: np.ndarray = left) -> np.ndarray:
            wide = np.zeros(len(arms), int)
            wide[left] = counts
            return pull(wide)[left]

        slope, tries = measured(arms[left], number, of_left)
        spent += tries
        worth = arms[left] @ slope
        left = left[worth >= worth.max() - 2.0 * doubt]
        if len(left) == 1:
            break
    # the last phase knows best among those that are left
    return int(left[np.argmax(arms[left] @ slope)]), spent
