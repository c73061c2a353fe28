"""What a teacher that follows the fall of a model's surprise is good for, where tasks are physics or mazes."""

from umwelt.claims.arms import Computed, Measure
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.foreseeing import Foreseeing
from umwelt.models import Ensemble
from umwelt.recipes.variation import varied
from umwelt.teachers import Mixture, Uniform
from umwelt.worlds import Announced, Pendulum, PointMaze

PHYSICS = (("gravity", 1.0, 25.0), ("length", 0.5, 2.5), ("motor", -1.0, 1.0))
DOORS = (("doors", 0.0, 1.0),)
NETWORK = Ensemble(members=2, layers=2, units=32, propagation="mean")
PENDULUM = Computed(
    function=Foreseeing(
        world=Announced(world=Pendulum(batch=8, time_limit=25)),
        model=NETWORK,
        teacher=Mixture(of="surprise", every=100, most=5, slots=1000, within=PHYSICS),
        within=PHYSICS,
    ),
    measures=(Measure(name="error", unit="unexplained share", better="down"),),
    together=True,
)
MAZE = varied(
    PENDULUM,
    {
        "function.world": Announced(world=PointMaze(batch=8, time_limit=50)),
        "function.teacher.within": DOORS,
        "function.within": DOORS,
    },
)
EVEN, RETURNS = {"function.teacher": Uniform(within=PHYSICS)}, {"function.teacher.of": "returns"}
COMMON = "agents that act by the model; here each acts at random"

pendulum = Claim(
    name="surprise_fall",
    says="after 12,000 random decisions under physics that follow the fall of surprise, a model's error on all physics is"
    " {gain:.2f} [{low:.2f}, {high:.2f}] times that under even physics, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] times that"
    " under those where returns change",
    arms={"surprise": PENDULUM, "even": varied(PENDULUM, EVEN), "returns": varied(PENDULUM, RETURNS)},
    expects=(
        Expect(measure="error", arm="surprise", over="even", by=0.9, ratio=True),
        Expect(measure="error", arm="surprise", over="returns", by=0.9, ratio=True),
    ),
    cites=("alp_gmm_2019",),
    seeds=tuple(range(5)),
    tried="one setting, on the first try",
    minutes=2,
    not_shown=COMMON,
)
maze = Claim(
    name="surprise_fall_maze",
    says="after 12,000 random decisions in a maze whose doors follow the fall of surprise, a model's error over all doors is"
    " {gain:.2f} [{low:.2f}, {high:.2f}] times that under even doors",
    arms={"surprise": MAZE, "even": varied(MAZE, {"function.teacher": Uniform(within=DOORS)})},
    expects=(Expect(measure="error", arm="surprise", over="even", by=0.9, ratio=True),),
    cites=("alp_gmm_2019",),
    seeds=tuple(range(5)),
    tried="one setting, on the first try",
    minutes=2,
    not_shown=COMMON,
)
