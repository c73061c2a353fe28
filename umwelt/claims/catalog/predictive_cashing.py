"""What it is good for to be paid for knowledge when it comes, where a cue is far from the doors that it is about."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.cued import KNOWS, LEARNED_AFTER, Cued
from umwelt.recipes.variation import varied

CASHED = Computed(function=Cued(), measures=(KNOWS, LEARNED_AFTER), together=True)

learns = Claim(
    name="predictive_cashing",
    says="in a corridor whose cue is six cells away, and whose doors are eleven cells from the cue, {gain:.2f}"
    " [{low:.2f}, {high:.2f}] more of the seeds learn to look at the cue first where the rise of the belief's worth is paid",
    arms={"paid": CASHED, "not paid": varied(CASHED, {"function.weight": 0.0})},
    expects=(Expect(measure="knows", arm="paid", over="not paid", by=0.6),),
    cites=("predictive_cashing_2021",),
    seeds=tuple(range(10)),
    minutes=0.5,
    tries=2,
    tried="on seeds 100 to 102, ties of a new table broken once and for all, with which two of three learned without pay too, and"
    " ties broken at each decision, with which none did; with pay all learned both times",
    not_shown="deep networks and games; beliefs of learned filters; the worth here is that of exact tables",
)
