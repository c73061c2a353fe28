"""Whether actions that are cleaned in two steps are as good as those of many, sooner; and what a critic adds to them."""

from umwelt.behaviours import Averaged, DenoisedActor, Standard
from umwelt.claims.arms import Computed
from umwelt.claims.catalog.diffusion_bc import AGENT
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.clocked import DECISION, LESSON, Deciding, Studying
from umwelt.claims.studies.crossed import ENTROPY, SUCCESS, Crossed
from umwelt.claims.studies.offline import NORMALISED, Offline
from umwelt.memory.played import Played
from umwelt.networks.denoisers import Consistency, Diffusion
from umwelt.recipes.variation import varied
from umwelt.worlds import Crossing, Pendulum

WORLD = Pendulum(time_limit=150)
QUICK = varied(AGENT, {"learner.by": Consistency()})
CROSSED = Computed(function=Crossed(agent=QUICK), measures=(SUCCESS, ENTROPY), together=True)
DECIDES = Computed(function=Deciding(agent=QUICK, world=Crossing()), measures=(DECISION,))
ACTOR = DenoisedActor(units=64, discount=0.97)
VALUED = Computed(
    function=Offline(
        data=Played(world=WORLD, how="faint-0.3", episodes=30), learner=Standard(learner=Averaged(learner=ACTOR)), updates=5000
    ),
    measures=(NORMALISED,),
    together=True,
)
LEARNS = Computed(function=Studying(learner=ACTOR, world=WORLD), measures=(LESSON,))
OF = "function.learner.learner.learner"

consistent = Claim(
    name="consistency_policy",
    says="a policy of two steps crosses a field {gain:.2f} [{low:.2f}, {high:.2f}] more often than one of fifty, with"
    " {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more entropy of its routes, in {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] times the"
    " time of a decision; on mediocre data a critic is worth {gain_4:.2f} [{low_4:.2f}, {high_4:.2f}] of the expert's return to"
    " it, {gain_5:.2f} [{low_5:.2f}, {high_5:.2f}] more than a policy of five steps reaches, in {gain_6:.2f} [{low_6:.2f},"
    " {high_6:.2f}] times the time of an update",
    recipe="consistency_policy",
    arms={
        "two steps": CROSSED,
        "fifty steps": varied(CROSSED, {"function.agent": AGENT}),
        "pace of two": DECIDES,
        "pace of fifty": varied(DECIDES, {"function.agent": AGENT}),
        "critic": VALUED,
        "cloning": varied(VALUED, {f"{OF}.value": 0.0}),
        "five steps": varied(VALUED, {f"{OF}.by": Diffusion(steps=5, schedule="preserving")}),
        "lessons of two": LEARNS,
        "lessons of five": varied(LEARNS, {"function.learner.by": Diffusion(steps=5, schedule="preserving")}),
    },
    expects=(
        Expect(measure="success", arm="two steps", over="fifty steps", by=-0.1),
        Expect(measure="mode_entropy", arm="two steps", over="fifty steps", by=-0.1),
        Expect(measure="decision_seconds", arm="pace of two", over="pace of fifty", by=0.2, ratio=True),
        Expect(measure="normalised", arm="critic", over="cloning", by=0.05),
        Expect(measure="normalised", arm="critic", over="five steps", by=-0.05),
        Expect(measure="lesson_seconds", arm="lessons of two", over="lessons of five", by=0.7, ratio=True),
    ),
    cites=("consistency_policy_2024", "diffusion_ql_2023"),
    minutes=14,
    tried="one setting, looked at on one seed, whose loss was chosen among ten on rows of two points; there the critic"
    " took 0.84 of the expert's return from the policy of two steps,"
    " and the policy of five steps reached 0.96",
    not_shown="D4RL and Adroit, and learning online",
)
