"""What rehearsal is good for, many steps ahead: an old task is foreseen as far as right after its lesson."""

from umwelt.claims.arms import Computed, Measure
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.models import ByTask, Lessons
from umwelt.models import Ensemble
from umwelt.recipes.variation import varied
from umwelt.worlds import Announced, Arm
from umwelt.worlds.arm import WISHES

REHEARSED = Computed(
    function=Lessons(
        data=ByTask(world=Announced(world=Arm(time_limit=80)), tasks=WISHES, steps=800, exam=800),
        model=Ensemble(members=1, layers=2, units=64, propagation="mean", noisy=False, beta=1.0, share=1.0),
        updates=500,
        newest=0.5,
        horizons=(1, 5, 15),
    ),
    measures=(
        Measure(name="far_growth", unit="times", better="down"),
        Measure(name="growth", unit="times", better="down"),
    ),
    together=True,
)

ahead = Claim(
    name="foresight",
    says="with rehearsal the error 15 steps ahead stays {gain:.2f} [{low:.2f}, {high:.2f}] below 1.25 times that right after the"
    " lesson, and grows to {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] of what it grows to without",
    arms={"rehearsed": REHEARSED, "newest": varied(REHEARSED, {"function.newest": 1.0})},
    expects=(
        Expect(measure="far_growth", arm="rehearsed", over=1.25),
        Expect(measure="far_growth", arm="rehearsed", over="newest", by=1.0, ratio=True),
    ),
    minutes=3,
    not_shown="journeys of an agent that acts well: acting is at random here",
)
