"""What it is good for to walk first and to name the intent at the end."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.walks import FULFILLED, Walks
from umwelt.recipes.variation import varied

NAMED = Computed(function=Walks(walks=3000), measures=(FULFILLED,), together=True)
SOME, FEW = (varied(NAMED, {"function.walks": walks}) for walks in (1000, 300))
walks = Claim(
    name="explorer",
    says="a clone of 3,000 walks that were named at their end and verified fulfils {gain:.2f} [{low:.2f}, {high:.2f}] more of the"
    " new intents than one of 1,000, which fulfils {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more than one of 300; of 1,000 walks"
    " {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] more than where intents come first, and {gain_4:.2f} [{low_4:.2f}, {high_4:.2f}]"
    " more than where nothing is verified",
    arms={
        "3000": NAMED,
        "1000": SOME,
        "300": FEW,
        "intents first": varied(SOME, {"function.how": "fixed"}),
        "unverified": varied(SOME, {"function.how": "unverified"}),
    },
    expects=(
        Expect(measure="fulfilled", arm="3000", over="1000", by=0.0),
        Expect(measure="fulfilled", arm="1000", over="300", by=0.0),
        Expect(measure="fulfilled", arm="1000", over="intents first", by=0.3),
        Expect(measure="fulfilled", arm="1000", over="unverified", by=0.1),
    ),
    cites=("explorer_2025",),
    recipe="explorer",
    seeds=(0, 1, 2, 3, 4),
    tuned=(100, 101, 102),
    minutes=3,
    tried="one setting",
    not_shown="web sites and their pictures; a walk that fills any empty field stands in for a model that refines its aim, and a"
    " wrong name of one walk in five for one that names badly",
)
