"""What a bonus for rare states of like value is good for, when a conservative agent goes on after a log."""

from umwelt.behaviours import DQN, ModelFree, Rewarded
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.refined import LATE_RETURN, STUDIED_RETURN, Refined
from umwelt.claims.studies.roaming import Roamed
from umwelt.curiosity import Neighbours
from umwelt.memory import Ring
from umwelt.recipes.variation import varied
from umwelt.worlds import Grid

ROOMS = (
    "#########",
    "#..g#...#",
    "#.S.....#",
    "#...#...#",
    "##.###.##",
    "#...#...#",
    "#.......#",
    "#...#..G#",
    "#########",
)
"""Four rooms, with a lure two steps from the start and the goal in the far corner."""
TIMID = DQN(units=64, learning_rate=1e-3, discount=0.95, ema_rate=0.02, final_epsilon=0.05, epsilon_updates=1)
PAID = Computed(
    function=Refined(
        logged=Roamed(
            world=Grid(batch=4, time_limit=40, layout=ROOMS, rewards=(("G", 1.0), ("g", 0.3))),
            agent=ModelFree(
                learner=varied(TIMID, {"final_epsilon": 0.3, "epsilon_updates": 1000}), memory=Ring(bytes=6_000_000), batch=64
            ),
            # 2,000 decisions
            ticks=500,
        ),
        learner=Rewarded(learner=varied(TIMID, {"conservative": 1.0}), curiosity=Neighbours(k=12, given="worth"), weight=0.1),
        study=1000,
        # 5,000 decisions
        ticks=1250,
    ),
    measures=(LATE_RETURN, STUDIED_RETURN),
    together=True,
)

refines = Claim(
    name="sera",
    says="5,000 decisions after a log, a conservative agent that is paid for states which are rare among those of like value"
    " returns {gain:.2f} [{low:.2f}, {high:.2f}] more than one that is not paid; the best return is 1",
    recipe="sera",
    arms={"paid": PAID, "not paid": varied(PAID, {"function.learner.weight": 0.0})},
    expects=(Expect(measure="late_return", arm="paid", over="not paid", by=0.15),),
    cites=("sera_2023",),
    seeds=tuple(range(8)),
    minutes=3,
    tries=2,
    tried="on seeds 100 to 102, conservative terms of weight 1 and 0.1, each with a bonus of weight 0.1; with 1, which gives the"
    " rule of the log, the bonus changed nothing, and with 0.1 it kept the agent from ending episodes at what pays",
    not_shown="locomotion from D4RL, and the conservative learners of boxes",
)
