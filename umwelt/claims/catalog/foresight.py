"""What rehearsal is good for, many steps ahead: an old task is foreseen as far as right after its lesson."""

from umwelt.claims.arms import Computed, Measure
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.models import ByTask, Lessons
from umwelt.models import Ensemble
from umwelt.recipes.variation import varied
from umwelt.worlds import Announced, Pendulum

REHEARSED = Computed(
    function=Lessons(
        data=ByTask(
            world=Announced(world=Pendulum(time_limit=50)),
            tasks=("moon", "long", "heavy", "mirrored"),
            steps=600,
            exam=1600,
        ),
        model=Ensemble(members=1, layers=2, units=64, propagation="mean", noisy=False, beta=1.0, share=1.0),
        updates=1500,
        newest=0.5,
        horizons=(1, 5, 15),
    ),
    measures=(
        Measure(name="far_growth", unit="times", better="down"),
        Measure(name="growth", unit="times", better="down"),
        Measure(name="far_error", unit="unexplained share", better="down"),
    ),
    together=True,
)

ahead = Claim(
    name="foresight",
    says="with rehearsal the error 15 steps ahead on old tasks grows to {gain:.2g} [{low:.2g}, {high:.2g}] of what it grows to"
    " without, and stays {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] below 1.25 times that right after the lesson",
    arms={"rehearsed": REHEARSED, "newest": varied(REHEARSED, {"function.newest": 1.0})},
    expects=(
        Expect(measure="far_growth", arm="rehearsed", over="newest", by=1.0, ratio=True),
        Expect(measure="far_growth", arm="rehearsed", over=1.25),
    ),
    seeds=(10, 11, 12, 13, 14),
    tuned=(*range(5), 100, 101, 102, 103),
    minutes=2,
    tries=2,
    tried="an arm under six wishes first, with its verdict open: at random it touches things too seldom to be examined on them."
    " The error that grows is small: see far_error",
    not_shown="journeys of an agent that acts well: acting is at random here",
)
