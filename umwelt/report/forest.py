"""A forest plot: the gain of one comparison as a dot with its interval, beside nothing gained and beside the bar."""

import math
from collections.abc import Callable

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.documents import against, interval, wanted
from umwelt.claims.judging import Gain
from umwelt.report.page import Markup, tag

WIDE, HIGH, EDGE = 200, 26, 8
"""Units of the picture, and its margin."""


def plot(expect: Expect, gain: Gain, claim: Claim | None = None) -> Markup:
    """Draw one comparison, with its numbers as the picture's text; empty where the gain is not finite."""
    values = [gain.mean, gain.low, gain.high]
    if not math.isfinite(gain.mean):
        return Markup("")
    known = all(map(math.isfinite, values))
    nothing = 1.0 if expect.ratio else 0.0
    shown = [nothing, expect.by, *(values if known else values[:1])]
    place = _scale([_spread(value, expect.ratio) for value in shown])
    x = {name: f"{place(_spread(value, expect.ratio)):.1f}" for name, value in _named(expect, gain, nothing).items()}
    middle = str(HIGH / 2)
    lines = [tag("line", x1=x["nothing"], x2=x["nothing"], y1="3", y2=str(HIGH - 3), class_="nothing")]
    if expect.by != nothing:
        lines.append(tag("line", x1=x["wanted"], x2=x["wanted"], y1="3", y2=str(HIGH - 3), class_="wanted"))
    if known:
        lines.append(tag("line", x1=x["low"], x2=x["high"], y1=middle, y2=middle, class_="reach"))
    lines.append(tag("circle", cx=x["mean"], cy=middle, r="4.5"))
    return tag("svg", *lines, viewBox=f"0 0 {WIDE} {HIGH}", role="img", aria_label=caption(expect, gain, claim), class_="forest")


def caption(expect: Expect, gain: Gain, claim: Claim | None = None) -> str:
    """Say in words what a plot shows."""
    return f"{expect.measure}, {against(expect)}: {interval(gain)}, wanted {wanted(expect, claim)}"


def _named(expect: Expect, gain: Gain, nothing: float) -> dict[str, float]:
    return {"nothing": nothing, "wanted": expect.by, "mean": gain.mean, "low": gain.low, "high": gain.high}


def _spread(value: float, ratio: bool) -> float:
    """Ratios lie on a scale of logarithms."""
    return math.log(max(value, 1e-12)) if ratio and math.isfinite(value) else value


def _scale(values: list[float]) -> Callable[[float], float]:
    """Return what places a value between the margins."""
    low, high = min(values), max(values)
    width = (high - low) or 1.0

    def place(value: float) -> float:
        return EDGE + (WIDE - 2 * EDGE) * (value - low) / width if math.isfinite(value) else EDGE

    return place
