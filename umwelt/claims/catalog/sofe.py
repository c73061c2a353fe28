"""What it is good for to show an agent the counts that its bonus depends on, in four rooms."""

from umwelt.behaviours import DQN, Curious, ModelFree
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.roaming import CELLS, Roamed
from umwelt.curiosity import Counts
from umwelt.memory import Ring
from umwelt.recipes.variation import varied
from umwelt.worlds import Grid

ROWS = 16
TOLD = Computed(
    function=Roamed(
        world=Grid(batch=ROWS, time_limit=80, ends=False),
        agent=Curious(
            agent=ModelFree(learner=DQN(units=128, discount=0.95, learning_rate=1e-3), memory=Ring(bytes=20_000_000), batch=128),
            curiosity=Counts(of="index", episodic=True, lifelong=False, tells="table"),
            scale=0.0,
            normalised=False,
            tells=True,
        ),
        # 96,000 decisions of all rows
        ticks=6075,
        task="layout",
    ),
    measures=(CELLS,),
    together=True,
)
BLIND = varied(TOLD, {"function.agent.tells": False})

sees = Claim(
    name="sofe",
    says="an agent that is paid for cells which its episode has not met sees {gain:.1f} [{low:.1f}, {high:.1f}] more of 40 cells"
    " in 80 decisions where the counts are shown to it",
    recipe="sofe",
    arms={"shown": TOLD, "not shown": BLIND},
    expects=(Expect(measure="cells", arm="shown", over="not shown", by=8.0),),
    cites=("sofe_2024",),
    minutes=2,
    tried="one setting, on seeds 100 and 101",
    not_shown="pixels, three-dimensional navigation and procedural levels; pseudo-counts and state entropy in place of counts",
)
