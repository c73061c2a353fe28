"""What snapshots of a curious policy are good for, when goals come later."""

from umwelt.behaviours import SAC, ModelFree
from umwelt.behaviours.library import Library
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.handed_on import DRIFT, STEPS, HandedOn, curious_snapshots
from umwelt.curiosity import Mismatch
from umwelt.memory import Ring
from umwelt.recipes.variation import varied
from umwelt.worlds import PointMaze

POLICY = SAC(units=64, discount=0.97, learning_rate=1e-3)
ALL = Computed(
    function=HandedOn(
        world=PointMaze(batch=16, time_limit=100),
        curious=curious_snapshots(
            ModelFree(learner=POLICY, memory=Ring(bytes=2_000_000), batch=128),
            Mismatch(of="next", units=32),
            every=156,
            library=Library(slots=8),
        ),
        later=POLICY,
    ),
    measures=(STEPS, DRIFT),
    together=True,
)

hands_on = Claim(
    name="curious_snapshots",
    says="with eight snapshots of a curious policy to act by at times, goals that come later are learned in {gain:.2f}"
    " [{low:.2f}, {high:.2f}] times the decisions that they take with its last policy, and in {gain_2:.2f} [{low_2:.2f},"
    " {high_2:.2f}] times those without any; neighbouring snapshots lie {gain_3:.1f} [{low_3:.1f}, {high_3:.1f}] more than"
    " twice as far apart as two runs of one",
    arms={"all": ALL, "last": varied(ALL, {"function.kept": "last"}), "none": varied(ALL, {"function.kept": "none"})},
    expects=(
        Expect(measure="steps", arm="all", over="last", by=0.7, ratio=True),
        Expect(measure="steps", arm="all", over="none", by=0.7, ratio=True),
        Expect(measure="drift", arm="all", over=2.0),
    ),
    cites=("curious_snapshots_2021",),
    recipe="curious_snapshots",
    minutes=3,
    tried="one setting",
)
