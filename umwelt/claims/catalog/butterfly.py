"""Whether a mean of weights stills a clone's return, and whether larger batches or smaller steps do the same."""

from umwelt.behaviours import Averaged, Cloning, Standard
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.offline import NORMALISED
from umwelt.claims.studies.swaying import MISSED, SWAY, Swaying
from umwelt.memory.played import Played
from umwelt.recipes.variation import varied
from umwelt.worlds import Pendulum

MEAN = Computed(
    function=Swaying(
        data=Played(world=Pendulum(time_limit=150), how="expert", episodes=10),
        learner=Standard(learner=Averaged(learner=Cloning(units=64))),
    ),
    measures=(SWAY, MISSED, NORMALISED),
    together=True,
)
OF = "function.learner.learner"

stilled = Claim(
    name="butterfly",
    says="over twenty saves the return of a clone by the mean of its weights sways {gain:.2f} [{low:.2f}, {high:.2f}] times as"
    " much as by the last ones, at {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] times their error; and {gain_3:.2f} [{low_3:.2f},"
    " {high_3:.2f}] times as much as with batches four times as large",
    arms={
        "mean": MEAN,
        "last": varied(MEAN, {f"{OF}.rate": 0.0}),
        "large batches": varied(MEAN, {f"{OF}.rate": 0.0, "function.batch": 512}),
        "small steps": varied(MEAN, {f"{OF}.rate": 0.0, f"{OF}.learner.learning_rate": 2.5e-4}),
    },
    expects=(
        Expect(measure="sway", arm="mean", over="last", by=0.4, ratio=True),
        Expect(measure="missed", arm="mean", over="last", by=1.05, ratio=True),
        Expect(measure="sway", arm="mean", over="large batches", by=0.7, ratio=True),
    ),
    cites=("butterfly_2024",),
    seeds=tuple(range(8)),
    minutes=3,
    tried="one setting",
    not_shown="locomotion, and transformers that write text",
)
