"""What following the leader is good for: a model that learns sorted data once, without rehearsal."""

from umwelt.claims.arms import Computed, Measure
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.models import BySide, Lessons
from umwelt.models import Ensemble, Losse
from umwelt.recipes.variation import varied
from umwelt.worlds import Pendulum

NETWORK = Ensemble(members=1, layers=2, units=64, propagation="mean", noisy=False, beta=1.0, share=1.0)
LEADER = Computed(
    function=Lessons(data=BySide(world=Pendulum(time_limit=50)), model=Losse()),
    measures=(
        Measure(name="error", unit="unexplained share", better="down"),
        Measure(name="first", unit="times", better="down"),
    ),
)
STREAM = {"function.model": NETWORK, "function.once": True, "function.batch": 1}
REPLAY = {"function.model": NETWORK, "function.batch": 32, "function.updates": 1000, "function.newest": 0.0}

sorted_regions = Claim(
    name="losse_ftl_sorted",
    says="of a pendulum learned region by region, the linear model leaves {gain:.2g} [{low:.2g}, {high:.2g}] of the error of a"
    " network that reads the same stream, and {gain_2:.2g} [{low_2:.2g}, {high_2:.2g}] of one that replays",
    recipe="losse_mpc",
    cites=("losse_2024",),
    arms={"leader": LEADER, "stream": varied(LEADER, STREAM), "replay": varied(LEADER, REPLAY)},
    expects=(
        Expect(measure="error", arm="leader", over="stream", by=0.2, ratio=True),
        Expect(measure="error", arm="leader", over="replay", by=1.0, ratio=True),
        Expect(measure="first", arm="leader", over=1.5),
        Expect(measure="first", arm="leader", over="stream", by=0.3, ratio=True),
    ),
    minutes=3,
    tried="one setting. Open is the last comparison: the network that reads the stream was expected to lose five times on its"
    " first region, and loses 3.4 times, for it had not learned the region well",
    not_shown="the gridworld and the robots of the paper, and its block solver. The replaying network may draw a whole region"
    " from its first transition on",
)
