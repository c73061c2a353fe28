"""What holding a hypernetwork to its old answers is good for."""

from umwelt.claims.arms import Computed, Measure
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.models import ByTask, Lessons
from umwelt.models import Ensemble
from umwelt.recipes.variation import varied
from umwelt.retention import Hypernetwork
from umwelt.worlds import Announced, Pendulum

SMALL = Ensemble(members=1, layers=2, units=32, propagation="mean", noisy=False, beta=1.0, share=1.0)
HELD = Computed(
    function=Lessons(
        data=ByTask(world=Announced(world=Pendulum(time_limit=50)), tasks=("moon", "long", "heavy", "mirrored")),
        model=Hypernetwork(model=SMALL, most=4),
        updates=300,
    ),
    measures=(
        Measure(name="growth", unit="times", better="down"),
        Measure(name="error", unit="unexplained share", better="down"),
    ),
    together=True,
)
REHEARSING = {"function.model": varied(SMALL, {"units": 128}), "function.newest": 0.5}

held = Claim(
    name="hypercrl",
    says="where old answers are held, the error on old tasks grows to {gain:.2g} [{low:.2g}, {high:.2g}] of what it grows to"
    " without that, and stays {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] below 1.5 times",
    recipe="hypercrl",
    cites=("hypercrl_2021", "hypernetworks_2020"),
    arms={
        "held": HELD,
        "free": varied(HELD, {"function.model.strength": 0.0}),
        "rehearsing": varied(HELD, REHEARSING),
    },
    expects=(
        Expect(measure="growth", arm="held", over="free", by=0.5, ratio=True),
        Expect(measure="growth", arm="held", over=1.5),
    ),
    minutes=2,
    not_shown="returns of lives; robots. The rehearsing network of about as many bytes, which keeps all data, is shown beside"
    " and not judged",
)
