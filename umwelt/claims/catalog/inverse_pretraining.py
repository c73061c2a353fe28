"""What a code should be learned by, for imitation of a new errand from five demonstrations amid clutter."""

from umwelt.behaviours import Averaged, Cloning, Pretrained
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.cluttered import ARRIVED, Cluttered
from umwelt.recipes.variation import varied

INVERSE = Computed(
    function=Cluttered(learner=Pretrained(learner=Averaged(learner=Cloning(units=64, head="plain"), rate=0.99), lessons=3000)),
    measures=(ARRIVED,),
    together=True,
)
AIMS = ("inverse", "rebuild", "none", "clone", "forward", "contrast")
codes = Claim(
    name="inverse_pretraining",
    says="after five demonstrations amid clutter, a code learned by inverse dynamics arrives {gain:.2f} [{low:.2f}, {high:.2f}]"
    " more often than one that rebuilds, {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more than no code, and {gain_3:.2f}"
    " [{low_3:.2f}, {high_3:.2f}], {gain_4:.2f} [{low_4:.2f}, {high_4:.2f}] and {gain_5:.2f} [{low_5:.2f}, {high_5:.2f}] more"
    " than codes learned by cloning, by prediction and by contrast",
    recipe="inverse_pretraining",
    arms={aim: varied(INVERSE, {"function.learner.aim": aim}) for aim in AIMS},
    expects=(
        Expect(measure="arrived", arm="inverse", over="rebuild", by=0.2),
        Expect(measure="arrived", arm="inverse", over="none", by=0.1),
        Expect(measure="arrived", arm="inverse", over="clone", by=-0.05),
        Expect(measure="arrived", arm="inverse", over="forward", by=-0.05),
        Expect(measure="arrived", arm="inverse", over="contrast", by=-0.05),
    ),
    cites=("inverse_pretraining_2023",),
    seeds=tuple(range(8)),
    tuned=(100, 101, 102, 103),
    minutes=4,
    tried="one setting",
    not_shown="pictures and robot arms; a fixed random layer over a place and eight moving numbers stands in for them",
)
