"""What rare goals are good for, in a corridor that winds."""

from umwelt.behaviours import SAC
from umwelt.behaviours.autotelic import Autotelic
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.wanderings import CELLS, Wandering
from umwelt.curiosity.rare import Rare
from umwelt.memory import Trajectories
from umwelt.recipes.variation import varied
from umwelt.worlds import PointMaze
from umwelt.worlds.point_maze import SNAKE

RARE = Computed(
    function=Wandering(
        world=PointMaze(batch=16, time_limit=200, ends=False, layout=SNAKE),
        agent=Autotelic(
            learner=SAC(units=64, discount=0.97, learning_rate=1e-3),
            goals=Rare(),
            memory=Trajectories(bytes=4_000_000, length=50, across=True),
            entries=(0, 1),
            leg=100,
            rest=50,
            ahead=8,
            batch=128,
        ),
        ticks=2000,
        goals=("far",),
        random=100,
        every=50,
        updates=50,
        exams=1,
    ),
    measures=(CELLS,),
    together=True,
)

covers = Claim(
    name="latent_go_explore",
    says="with goals where a learned latent is thin, {gain:.2f} [{low:.2f}, {high:.2f}] times as many cells of a winding"
    " corridor are visited as with goals drawn evenly from memory",
    arms={"rare": RARE, "even": varied(RARE, {"function.agent.goals.share": 0.0})},
    expects=(Expect(measure="cells", arm="rare", over="even", by=1.15, ratio=True),),
    cites=("latent_go_explore_2023",),
    recipe="latent_go_explore",
    minutes=3,
    tried="one setting",
)
