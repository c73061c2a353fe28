"""What watched walks are good for, where a model of the body learns from a few labelled ones to guess their actions."""

from umwelt.behaviours import Averaged, Cloning, Labelled, Standard
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.videos import ARRIVED, NEAR, Videos
from umwelt.recipes.variation import varied

CLONE = Cloning(units=64, head="plain")
LABELS = Computed(
    function=Videos(
        agent=Labelled(
            inverse=Standard(learner=CLONE), learner=Standard(learner=Averaged(learner=CLONE, rate=0.99)), mix="none", window=1
        )
    ),
    measures=(ARRIVED, NEAR),
    together=True,
)
videos = Claim(
    name="vpt",
    says="with 5 labelled walks, 395 that are only watched bring {gain:.2f} [{low:.2f}, {high:.2f}] more of the walks to new"
    " goals than a clone of the 5; a guess that reads what comes later is right in {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more"
    " of the moments than the clone, and in {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] more than a clone of three times as many"
    " labels",
    recipe="vpt",
    arms={
        "watching": LABELS,
        "cloning": varied(LABELS, {"function.shows": False}),
        "more labels": varied(LABELS, {"function.shows": False, "function.labelled": 15}),
    },
    expects=(
        Expect(measure="arrived", arm="watching", over="cloning", by=0.2),
        Expect(measure="near", arm="watching", over="cloning", by=0.3),
        Expect(measure="near", arm="watching", over="more labels", by=0.0),
    ),
    cites=("vpt_2022",),
    seeds=(0, 1, 2, 3, 4),
    tuned=(100, 101, 102),
    minutes=5,
    tries=2,
    tried="20 labelled walks, of which a clone arrives as often as one of all that was watched, and 5",
    not_shown="Minecraft and its video; reinforcement from the prior, which is the claim vpt_tuned; labels are"
    " counted at two numbers of them. The walks have noise that no clone can know, and a guess can",
)
