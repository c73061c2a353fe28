"""What it is worth to learn where to look, and how wide."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.looking import ACCURACY, Looking
from umwelt.recipes.variation import varied

LEARNED = Computed(function=Looking(rounds=4000), measures=(ACCURACY,), together=True)

glimpses = Claim(
    name="adaglimpse",
    says="after four glimpses of sixteen pixels, {gain:.2f} [{low:.2f}, {high:.2f}] more digits are recognised where a policy"
    " chooses place and width than where chance does, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more than with the four"
    " quarters of the field",
    arms={
        "learned": LEARNED,
        "random": varied(LEARNED, {"function.eye": "random"}),
        "quarters": varied(LEARNED, {"function.eye": "quarters"}),
    },
    expects=(
        Expect(measure="accuracy", arm="learned", over="random", by=0.08),
        Expect(measure="accuracy", arm="learned", over="quarters", by=0.08),
    ),
    cites=("adaglimpse_2024",),
    seeds=(0, 1, 2, 3),
    tuned=(100,),
    minutes=4,
    tries=2,
    tried="2,500 rounds, with 0.60 for the policy, 0.58 for quarters and 0.44 for chance on seed 100; and 4,000 rounds",
    not_shown="photographs, reconstruction and segmentation, and pre-trained transformers; averaged codes stand in for an elastic"
    " transformer",
)
