"""Claims: what papers say their ideas are good for, as comparisons that anyone can repeat.

    umwelt show                     the verdict of every claim
    umwelt show NAME --run          repeat one

A file of `umwelt/claims/catalog` holds the claims of one recipe, or of one part: values of `Claim` at the top of the
module. `names()` lists all claims, `load(name)` returns one. Other packages add theirs by the entry point group
`umwelt.claims`, one entry a module.
"""

from umwelt.claims.arms import Arm, Computed, Lived, Measure, Published, Recorded
from umwelt.claims.catalog import claims, load, names
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.judging import Gain, Verdict, judge
from umwelt.claims.results import Judged, Result
from umwelt.claims.trial import show
from umwelt.recipes.variation import varied

__all__ = [
    "Arm",
    "Claim",
    "Computed",
    "Expect",
    "Gain",
    "Judged",
    "Lived",
    "Measure",
    "Published",
    "Recorded",
    "Result",
    "Verdict",
    "claims",
    "judge",
    "load",
    "names",
    "show",
    "varied",
]
