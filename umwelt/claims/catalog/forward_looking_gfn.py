"""What local credit is good for where sets are drawn in proportion to their reward."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.drawn_sets import EARLY, LATE, DrawnSets
from umwelt.recipes.variation import varied

FORWARD = Computed(function=DrawnSets(), measures=(EARLY, LATE), together=True)
flows = Claim(
    name="forward_looking_gfn",
    says="of 252 sets, flows that forget what was earned are {gain:.2f} [{low:.2f}, {high:.2f}] times as far from the exact"
    " distribution after 1,000 episodes as flows of the whole reward, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] times after"
    " 5,000",
    recipe="forward_looking_gfn",
    arms={
        "forward": FORWARD,
        "detailed": varied(FORWARD, {"function.learner.balance": "detailed"}),
        "trajectory": varied(FORWARD, {"function.learner.balance": "trajectory"}),
    },
    expects=(
        Expect(measure="early", arm="forward", over="detailed", by=0.6, ratio=True),
        Expect(measure="late", arm="forward", over="detailed", by=0.6, ratio=True),
    ),
    cites=("forward_looking_gfn_2023",),
    seeds=(0, 1, 2, 3, 4),
    tuned=(100, 101, 102),
    minutes=2,
    tried="one setting",
    not_shown="molecules and bags, and episodes that are cut. The policy that takes objects apart is even, where the paper learns"
    " it",
)
