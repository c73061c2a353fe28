"""Whether the errors of a policy without goals show where one skill gives way to the next."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.cutting import F1, Cutting
from umwelt.memory.segments import Segments
from umwelt.recipes.variation import varied

ACTIONS = Computed(function=Cutting(segments=Segments(gap=2.0)), measures=(F1,), together=True)

boundaries = Claim(
    name="skill_boundaries",
    says="cuts where a policy without goals is surprised by the next action meet the changes of skill with an F1 that is"
    " {gain:.2f} [{low:.2f}, {high:.2f}] above 0.6; {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] above as many even cuts, and"
    " {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] above cuts where the next observation surprises",
    arms={
        "actions": ACTIONS,
        "even": varied(ACTIONS, {"function.by": "even"}),
        "observations": varied(ACTIONS, {"function.by": "observations"}),
    },
    expects=(
        Expect(measure="f1", arm="actions", over=0.6),
        Expect(measure="f1", arm="actions", over="even", by=0.25),
        Expect(measure="f1", arm="actions", over="observations", by=0.25),
    ),
    cites=("skill_boundaries_2025",),
    seeds=(0, 1, 2, 3, 4),
    tuned=(100,),
    minutes=3,
    tried="one setting, a gap of two deviations of the loss, for all arms",
    not_shown="videos and language labels, policies with goals that are learned from the segments, and other cutters",
)
