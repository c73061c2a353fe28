"""What reading the last moments is good for, where the physics are hidden."""

from umwelt.claims.arms import Computed, Measure
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.models import ByTask, Once
from umwelt.models import Ensemble, Recalling
from umwelt.recipes.variation import varied
from umwelt.worlds import Pendulum
from umwelt.worlds.streams import PHYSICS

NETWORK = Ensemble(members=1, layers=2, units=64, propagation="mean", noisy=False, beta=1.0, share=1.0)
RECALLING = Computed(
    function=Once(
        data=ByTask(world=Pendulum(time_limit=50), tasks=PHYSICS, steps=1000),
        model=Recalling(model=NETWORK, moments=3),
        updates=1500,
        batch=32,
        length=9,
        context=3,
        horizons=(1, 5),
    ),
    measures=(
        Measure(name="error", unit="unexplained share", better="down"),
        Measure(name="far_error", unit="unexplained share", better="down"),
    ),
    together=True,
)

hidden = Claim(
    name="recalling",
    says="under six hidden physics, a network that reads three moments leaves {gain:.2f} [{low:.2f}, {high:.2f}] of the error of"
    " one that reads none, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] five steps ahead",
    cites=("cadm_2020",),
    arms={"recalling": RECALLING, "blind": varied(RECALLING, {"function.model": NETWORK})},
    expects=(
        Expect(measure="error", arm="recalling", over="blind", by=0.5, ratio=True),
        Expect(measure="far_error", arm="recalling", over="blind", by=0.5, ratio=True),
    ),
    tried="one setting, and a bar that no paper gives",
    minutes=2,
    not_shown="an encoder of the past that learns from forward and backward predictions",
)
