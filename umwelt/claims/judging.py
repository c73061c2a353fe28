"""From the values of two arms to a gain, its interval and a verdict."""

import math
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from umwelt.claims.arms import Measure
from umwelt.claims.claim import Expect
from umwelt.core import part

Verdict = Literal["shown", "open", "refuted", "stale", "not run"]
LEAST = 3
"""Seeds below which there is no interval."""


@part
class Gain:
    """What a comparison came to. A ratio is arm over control; a difference is positive where the arm is better.

    low, high: the interval by Student's t; NaN below three seeds.
    """

    mean: float
    low: float
    high: float
    verdict: Verdict


def judge(expect: Expect, measure: Measure, arm: np.ndarray, over: np.ndarray | float, level: float = 0.95) -> Gain:
    """Compare the values of two arms, float64 [seeds] each, or those of one with a number.

    Paired seeds give the interval of their differences; others give that of Welch. Shown: the interval excludes 0 and the
    mean is at least `by`. Where `by` says "not worse", shown is an interval that stays above it. Refuted: the whole
    interval is below `by`. Everything else is open, and so is a value that is not finite.
    """
    sign = 1.0 if measure.better == "up" else -1.0
    least = sign * math.log(expect.by) if expect.ratio else expect.by
    with np.errstate(all="ignore"):
        sides = (np.log(arm), np.log(over)) if expect.ratio else (arm, over)
    found = [sign * np.asarray(side, np.float64) for side in sides]
    mean, low, high = _interval(found[0], found[1], expect.paired, level)
    if not np.isfinite([mean, low, high]).all():
        verdict: Verdict = "open"
    elif high < least:
        verdict = "refuted"
    elif least < 0:
        verdict = "shown" if low >= least else "open"
    else:
        verdict = "shown" if low > 0 and mean >= least else "open"
    if expect.ratio:
        with np.errstate(over="ignore"):
            mean, low, high = np.exp(sign * mean), *sorted(np.exp([sign * low, sign * high]))
    return Gain(mean=float(mean), low=float(low), high=float(high), verdict=verdict)


def together(verdicts: list[Verdict]) -> Verdict:
    """Return the verdict of a claim: shown where all comparisons are, refuted where one is."""
    if "refuted" in verdicts:
        return "refuted"
    return "shown" if verdicts and all(each == "shown" for each in verdicts) else "open"


def spread(values: np.ndarray, level: float = 0.95) -> tuple[float, float, float]:
    """Return the mean of values [seeds] and its interval by Student's t; NaN bounds below three seeds."""
    return _interval(np.asarray(values, np.float64), np.zeros(()), True, level)


@np.errstate(all="ignore")  # what is not finite is open
def _interval(arm: np.ndarray, over: np.ndarray, paired: bool, level: float) -> tuple[float, float, float]:
    if paired or over.ndim == 0 or not np.ptp(over):
        if over.ndim and over.shape != arm.shape and np.ptp(over):
            raise ValueError(f"paired: {arm.size} seeds cannot be compared one by one with {over.size}")
        gains = arm - (over if over.shape == arm.shape else over.ravel()[0])
        mean, error, free = gains.mean(), gains.std(ddof=1) / math.sqrt(gains.size) if gains.size > 1 else np.nan, gains.size - 1
        fewest = gains.size
    else:
        parts = [each.var(ddof=1) / each.size if each.size > 1 else np.nan for each in (arm, over)]
        mean, error, fewest = arm.mean() - over.mean(), math.sqrt(sum(parts)), min(arm.size, over.size)
        ways = sum(each**2 / max(1, side.size - 1) for each, side in zip(parts, (arm, over), strict=True))
        free = sum(parts) ** 2 / ways if ways else np.inf
    if fewest < LEAST:
        return float(mean), math.nan, math.nan
    reach = float(stdtrit(free, 0.5 + level / 2)) * error if error else 0.0
    return float(mean), float(mean - reach), float(mean + reach)
