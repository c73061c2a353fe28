"""What elastic weight consolidation is good for, when the pixels of digits are permuted in a new order in each lesson."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.cards import PERMUTED, TUNED
from umwelt.recipes.variation import varied
from umwelt.retention import Elastic

keeps = Claim(
    name="elastic",
    says="after five permutations {gain:.2f} [{low:.2f}, {high:.2f}] more digits of all of them are known than without it",
    arms={"elastic": varied(PERMUTED, {"function.agent.protection": Elastic(strength=200.0, every=192)}), "none": PERMUTED},
    expects=(Expect(measure="accuracy", arm="elastic", over="none", by=0.05),),
    cites=("ewc_2017", "progress_compress_2018"),
    seeds=tuple(range(10)),
    tuned=TUNED,
    minutes=2,
    tries=2,
    tried="strengths 10,000, with which nothing new is learned, and 200",
    not_shown=(
        "MNIST and deeper networks; 8 x 8 digits and one hidden layer stand in."
        " Consolidations fall on the ends of lessons, as in the paper"
    ),
)
