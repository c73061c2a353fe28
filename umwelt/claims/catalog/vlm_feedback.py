"""What five hundred answers about pairs of moments are good for, where a log has no rewards."""

from umwelt.behaviours import IQL, Averaged, Cloning, Judged, Preferred, Standard
from umwelt.behaviours.preferred import Compares
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.offline import NORMALISED, Offline
from umwelt.memory.played import Played
from umwelt.recipes.variation import varied
from umwelt.worlds import Pendulum

VALUES = Standard(learner=Averaged(learner=IQL(units=64, discount=0.97)))
FITTED = Computed(
    function=Offline(
        data=Played(world=Pendulum(time_limit=150), how="mixed-0.3", episodes=30),
        learner=Judged(learner=VALUES, judge=Preferred(ask=Compares())),
        updates=8000,
    ),
    measures=(NORMALISED,),
    together=True,
)
judged = Claim(
    name="vlm_feedback",
    says="with rewards fitted to 500 faulty answers, values are worth {gain:.2f} [{low:.2f}, {high:.2f}] of the expert's return"
    " over cloning, {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] of what true rewards give, and {gain_3:.2f} [{low_3:.2f},"
    " {high_3:.2f}] more than with answers at random",
    recipe="vlm_feedback",
    arms={
        "answers": FITTED,
        "cloning": varied(FITTED, {"function.learner": Standard(learner=Averaged(learner=Cloning(units=64)))}),
        "true rewards": varied(FITTED, {"function.learner": VALUES}),
        "random answers": varied(FITTED, {"function.learner.judge.ask.wrong": 0.5}),
    },
    expects=(
        Expect(measure="normalised", arm="answers", over="cloning", by=0.3),
        Expect(measure="normalised", arm="answers", over="true rewards", by=0.7, ratio=True),
        Expect(measure="normalised", arm="answers", over="random answers", by=0.3),
    ),
    cites=("vlm_feedback_2024", "iql_2022"),
    seeds=tuple(range(8)),
    tuned=(100, 101, 102, 103),
    minutes=5,
    tried="one setting, taken over from an earlier trial",
    not_shown="the judge's eyes and words: a rule that errs in 15 answers of 100 stands in for a model that looks at pictures",
)
