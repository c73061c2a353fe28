"""A life that studies a log and then goes on by itself: what the change costs, read from its probes."""

from pathlib import Path

from umwelt.claims.arms import Measure
from umwelt.claims.measures import curve

PROBES = 10
"""Probes after the study, at equal distances to the end of the life."""
EARLY = 6
"""Probes after the change in which a dip is looked for."""


def dip(folder: Path, seed: int) -> float:
    """Return how far the return falls after the change, from the last probe of the study to the lowest of the next."""
    _, mean = curve(folder, seed)
    return float(mean[-PROBES - 1] - mean[-PROBES : -PROBES + EARLY].min())


def area(folder: Path, seed: int) -> float:
    """Return the mean return of the probes after the change."""
    return float(curve(folder, seed)[1][-PROBES:].mean())


DIP = Measure(name="dip", unit="return", better="down", read=dip)
AREA = Measure(name="area", unit="return", better="up", read=area)
