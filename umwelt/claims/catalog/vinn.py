"""What codes are good for where a policy is the nearest shown moments."""

from umwelt.behaviours import Averaged, Cloning, Nearest, Pretrained
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.cluttered import ARRIVED, Cluttered
from umwelt.recipes.variation import varied

CODED = Computed(
    function=Cluttered(
        learner=Pretrained(learner=Nearest(temperature=0.1), lessons=3000),
        corpus="play",
        episodes=250,
        demonstrations=10,
        updates=300,
    ),
    measures=(ARRIVED,),
    together=True,
)
nearest = Claim(
    name="vinn",
    says="amid clutter, the nearest of ten demonstrations in a code learned from chance arrive {gain:.2f} [{low:.2f}, {high:.2f}]"
    " more often than a clone, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more than the nearest in what is seen itself",
    recipe="vinn",
    arms={
        "codes": CODED,
        "cloning": varied(
            CODED,
            {
                "function.learner.learner": Averaged(learner=Cloning(units=64, head="plain"), rate=0.99),
                "function.learner.aim": "none",
                "function.updates": 1500,
            },
        ),
        "raw": varied(CODED, {"function.learner.aim": "none", "function.learner.learner.temperature": 1.0}),
    },
    expects=(
        Expect(measure="arrived", arm="codes", over="cloning", by=0.15),
        Expect(measure="arrived", arm="codes", over="raw", by=0.3),
    ),
    cites=("vinn_2022",),
    seeds=tuple(range(8)),
    tuned=(100, 101, 102, 103),
    minutes=2,
    tried="one setting",
    not_shown="pictures and doors; inverse dynamics of chance make the code, where the paper makes two views of a picture agree",
)
