"""What a growing zoo of models is good for: tasks that help each other, and tasks that compete."""

from umwelt.claims.arms import Computed, Measure
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.models import ByTask, Lessons
from umwelt.models import Ensemble
from umwelt.recipes.variation import varied
from umwelt.retention import Zoo
from umwelt.worlds import Announced, Pendulum, Varied
from umwelt.worlds.streams import PHYSICS

TRIED = "300 updates of a lesson first, seen on seeds 0 to 4: no network had learned its task, and models alone did better"
FRESH = (10, 11, 12, 13, 14)
"""Seeds that no setting was seen on."""
SMALL = Ensemble(members=1, layers=2, units=32, propagation="mean", noisy=False, beta=1.0, share=1.0)
ONE = varied(SMALL, {"units": 92})
"""As many weights as six small models."""
ALIKE = Varied(world=Pendulum(time_limit=50), within=(("gravity", 8.0, 12.0), ("length", 0.9, 1.1), ("mass", 0.9, 1.1)), number=6)
ERROR = Measure(name="error", unit="unexplained share", better="down")
SYNERGY = Computed(
    function=Lessons(
        data=ByTask(world=Announced(world=ALIKE), tasks=tuple(f"t0{number}" for number in range(6)), steps=250),
        model=Zoo(model=SMALL, most=6, old=1),
        batch=128,
        newest=0.5,
        updates=1500,
    ),
    measures=(ERROR,),
    together=True,
)
COMPETITION = varied(SYNERGY, {"function.data": ByTask(world=Announced(world=Pendulum(time_limit=50)), tasks=PHYSICS, steps=250)})


def arms(zoo: Computed) -> dict[str, Computed]:
    """The zoo, one model for each task, and one network that rehearses all."""
    return {"zoo": zoo, "alone": varied(zoo, {"function.model.old": 0}), "single": varied(zoo, {"function.model": ONE})}


synergy = Claim(
    name="model_zoo_synergy",
    says="on six similar pendulums the error is {gain:.2f} [{low:.2f}, {high:.2f}] times that of a model for each task",
    recipe="model_zoo",
    cites=("model_zoo_2022",),
    arms=arms(SYNERGY),
    expects=(Expect(measure="error", arm="zoo", over="alone", by=0.9, ratio=True),),
    seeds=FRESH,
    tuned=(*range(5), 100, 101, 102),
    minutes=4,
    tries=2,
    tried=TRIED,
    not_shown="pictures; a draw of the old tasks by their losses",
)
competition = Claim(
    name="model_zoo_competition",
    says="on six physics that contradict each other the error is {gain:.2f} [{low:.2f}, {high:.2f}] times that of one network",
    recipe="model_zoo",
    cites=("model_zoo_2022",),
    arms=arms(COMPETITION),
    expects=(Expect(measure="error", arm="zoo", over="single", by=0.8, ratio=True),),
    seeds=FRESH,
    tuned=(*range(5), 100, 101, 102),
    minutes=4,
    tries=2,
    tried=TRIED,
    not_shown="pictures; a draw of the old tasks by their losses",
)
