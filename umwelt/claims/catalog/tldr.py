"""What distances in decisions are good for, in a corridor that winds."""

from umwelt.behaviours import SAC
from umwelt.behaviours.autotelic import Autotelic
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.wanderings import CELLS, Wandering
from umwelt.claims.studies.ways import ORDER, Ordered
from umwelt.curiosity.faraway import Faraway
from umwelt.memory import Trajectories
from umwelt.networks.temporal import Temporal
from umwelt.recipes.variation import varied
from umwelt.worlds import PointMaze
from umwelt.worlds.point_maze import SNAKE

LEARNED = Computed(
    function=Ordered(world=PointMaze(layout=SNAKE), temporal=Temporal(learning_rate=3e-3, start=30.0)),
    measures=(ORDER,),
    together=True,
)

orders = Claim(
    name="tldr",
    says="distances learned from random motion order pairs of places in a winding corridor by the steps between them with a"
    " rank correlation that is {gain:.2f} [{low:.2f}, {high:.2f}] higher than that of the straight line",
    arms={"learned": LEARNED, "straight": varied(LEARNED, {"function.updates": 0})},
    expects=(Expect(measure="order", arm="learned", over="straight", by=0.2),),
    cites=("tldr_2024",),
    recipe="tldr",
    minutes=1,
    tries=2,
    tried="a multiplier that starts at 3,000, as published, with steps of 0.001 (0.62), and at 30 with steps of 0.003 (0.80), on"
    " seed 100",
    not_shown="ant, quadruped, humanoid and kitchen from pixels; the whole agent's coverage",
)

SETS_OUT = Computed(
    function=Wandering(
        world=PointMaze(batch=16, time_limit=200, ends=False, layout=SNAKE),
        agent=Autotelic(
            learner=SAC(units=64, discount=0.97, learning_rate=1e-3),
            explorer=SAC(units=64, discount=0.99, learning_rate=1e-3),
            goals=Faraway(temporal=Temporal(learning_rate=3e-3, start=30.0)),
            memory=Trajectories(bytes=4_000_000, length=50, across=True),
            entries=(0, 1),
            leg=100,
            rest=1000,
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
    name="tldr_coverage",
    says="an agent whose goals, bonus and reward are distances in decisions visits {gain:.2f} [{low:.2f}, {high:.2f}] times as"
    " many cells of a winding corridor as one that takes the straight line",
    arms={
        "decisions": SETS_OUT,
        "straight": varied(SETS_OUT, {"function.agent.goals.straight": True, "function.agent.goals.reach": 0.1}),
    },
    expects=(Expect(measure="cells", arm="decisions", over="straight", by=1.15, ratio=True),),
    cites=("tldr_2024",),
    recipe="tldr",
    minutes=4,
)
