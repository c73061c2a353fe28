"""What a bandit over representations of policies is good for, where only the goal pays."""

from umwelt.behaviours import Represented, Strategies
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.climbed import EPISODES, SOLVED, Climbed
from umwelt.recipes.variation import varied
from umwelt.worlds import MountainCarContinuous, PointMaze
from umwelt.worlds.point_maze import TRAP

INNER = Strategies(begins=0.1)
CAR = Computed(
    function=Climbed(
        search=Represented(inner=INNER),
        world=MountainCarContinuous(time_limit=300),
        task="right",
        middle=(-0.3, 0.0),
        scale=(0.6, 0.05),
    ),
    measures=(SOLVED, EPISODES),
    together=True,
)
MAZE = varied(
    CAR,
    {
        "function.world": PointMaze(time_limit=100, layout=TRAP),
        "function.task": "far",
        "function.middle": (4.5, 4.5, 0.0, 0.0),
        "function.scale": (4.0, 4.0, 3.0, 3.0),
    },
)
climbs = Claim(
    name="reprl",
    says="with 1,920 episodes, the search that a bandit guides solves a valley in {gain:.2f} [{low:.2f}, {high:.2f}] more of the"
    " seeds than the same evolution strategy alone, and a maze with a pocket in {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more",
    recipe="reprl",
    arms={
        "valley, bandit": CAR,
        "maze, bandit": MAZE,
        "valley, alone": varied(CAR, {"function.search": INNER}),
        "maze, alone": varied(MAZE, {"function.search": INNER}),
    },
    expects=(
        Expect(measure="solved", arm="valley, bandit", over="valley, alone", by=0.3),
        Expect(measure="solved", arm="maze, bandit", over="maze, alone", by=0.3),
    ),
    cites=("reprl_2023", "evolution_strategies_2017"),
    seeds=(0, 1, 2, 3, 4, 5, 6, 7),
    tuned=(100, 101, 102),
    minutes=3,
    tries=2,
    tried="two settings, on seeds 100 to 102: in a maze of four rooms the strategy alone solved two of three. The bandit reached"
    " the goal there and then left it; since then the genome that its posterior values most is examined",
    not_shown="MuJoCo and MinAtar; steps by a policy gradient. The decoder also predicts observations on the way, where the"
    " paper's predicts returns",
)
