"""A claim: what a paper says its idea is good for, as arms that run and comparisons that are judged."""

from collections.abc import Mapping

from umwelt.claims.arms import Arm, Measure, Published, Recorded
from umwelt.core import part


class ClaimError(ValueError):
    """A claim, or its result, cannot be judged. The message is one sentence."""


@part
class Expect:
    """One comparison: `arm` beats `over` in `measure` by at least `by`.

    A gain is positive where `arm` is better, whatever the direction of the measure. A negative `by` says "not worse by
    more than this". With `ratio`, logarithms are compared and `by` is the ratio of arm to control: at least 1.3 times
    as much of a measure that should rise, or at most 0.7 times of one that should fall.
    """

    measure: str
    """The measure's name; both arms have it."""
    arm: str
    """The arm that is expected to be better."""
    over: str | float
    """The arm that it is compared with, or a number that it should pass."""
    by: float = 0.0
    """The least mean gain, in units of the measure; a ratio where `ratio` is set."""
    paired: bool = True
    """Compare seed by seed. False where the two arms share nothing but their seeds' numbers."""
    ratio: bool = False
    """Compare logarithms: `by` is a ratio, 1 for none."""


@part
class Claim:
    """What a paper's idea is good for, tried against a control.

    `umwelt show NAME` prints the stored verdict, and with `--run` it repeats the claim.
    """

    name: str
    """The recipe's name, or recipe_aspect."""
    says: str
    """One sentence with {gain}, {low} and {high} of the first comparison; {gain_2}, {low_2} ... of the second."""
    arms: Mapping[str, Arm]
    """The first is the paper's idea. The others isolate it: `varied(first, {"life.agent.bonus": 0.0})`."""
    expects: tuple[Expect, ...]
    """The comparisons; the claim is shown where all are."""
    minutes: float
    """What all arms and seeds take on two cores."""
    cites: tuple[str, ...] = ()
    """Keys of references.bib."""
    recipe: str = ""
    """The recipe that it belongs to; empty for a claim about a part or a world."""
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Seeds of the verdict."""
    tuned: tuple[int, ...] = (100, 101, 102)
    """Seeds on which settings were chosen; none of `seeds` is among them."""
    tries: int = 1
    """How many settings were tried on the tuning seeds, this one included."""
    tried: str = ""
    """A sentence on what was tried; needed where the verdict is open or refuted."""
    not_shown: str = ""
    """What of the paper is not tried here, and what stands in for it."""

    def measure(self, expect: Expect) -> Measure:
        """Return the measure of a comparison."""
        for measure in self.arms[expect.arm].measures:
            if measure.name == expect.measure:
                return measure
        known = ", ".join(measure.name for measure in self.arms[expect.arm].measures)
        raise ClaimError(f"{self.name}: the arm {expect.arm!r} has no measure called {expect.measure!r}; it has {known}")

    def sentence(self, numbers: Mapping[str, float]) -> str:
        """Return what the claim says. numbers: gain, low, high, gain_2, ...; NaN stands for those that are missing."""
        words = {f"{word}_{number}" for word in ("gain", "low", "high") for number in range(2, len(self.expects) + 1)}
        known = dict.fromkeys({"gain", "low", "high", *words}, float("nan")) | dict(numbers)
        try:
            return self.says.format(**known)
        except (KeyError, ValueError, IndexError) as error:
            raise ClaimError(f"{self.name}: says has a place for numbers that cannot be filled ({error})") from error

    def check(self) -> None:
        """Raise a `ClaimError` that names the argument where the claim cannot be judged."""
        if both := set(self.seeds) & set(self.tuned):
            raise ClaimError(f"{self.name}: seeds and tuned share {sorted(both)}; choose settings on other seeds")
        if len(set(self.seeds)) < max(1, len(self.seeds)):
            raise ClaimError(f"{self.name}: seeds={self.seeds} are none, or one of them is there twice")
        if not self.expects:
            raise ClaimError(f"{self.name}: expects is empty; say which arm should beat which")
        self.sentence({})
        for expect in self.expects:
            for arm in (expect.arm, expect.over):
                if isinstance(arm, str) and arm not in self.arms:
                    raise ClaimError(f"{self.name}: there is no arm called {arm!r}; the arms are {', '.join(self.arms)}")
            if isinstance(self.arms[expect.arm], Published):
                raise ClaimError(f"{self.name}: {expect.arm!r} is published and cannot be the arm that is tried")
            if expect.paired and isinstance(expect.over, str) and isinstance(self.arms[expect.over], Recorded):
                raise ClaimError(f"{self.name}: the seeds of {expect.over!r} are its own; set paired=False")
            if expect.ratio and expect.by <= 0:
                raise ClaimError(f"{self.name}: by={expect.by} is no ratio; give a positive number, 1 for no difference")
            better = self.measure(expect).better
            if isinstance(expect.over, str) and not isinstance(self.arms[expect.over], Published):
                other = {measure.name: measure.better for measure in self.arms[expect.over].measures}
                if other.get(expect.measure) != better:
                    raise ClaimError(f"{self.name}: the arm {expect.over!r} has no measure {expect.measure!r} that goes {better}")
