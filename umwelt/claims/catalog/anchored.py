"""What a plain spring on all weights is good for, when the pixels of digits are permuted in a new order in each lesson."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.cards import PERMUTED, TUNED
from umwelt.recipes.variation import varied
from umwelt.retention import Anchored

keeps = Claim(
    name="anchored",
    says="after five permutations {gain:.2f} [{low:.2f}, {high:.2f}] more digits of all of them are known than without it",
    arms={"anchored": varied(PERMUTED, {"function.agent.protection": Anchored(strength=0.1, every=192)}), "none": PERMUTED},
    expects=(Expect(measure="accuracy", arm="anchored", over="none", by=0.05),),
    cites=("ewc_2017",),
    seeds=tuple(range(10)),
    tuned=TUNED,
    minutes=2,
    tries=2,
    tried="strengths 0.01 and 0.1, which gained 0.006 and 0.024 on six tuning seeds",
    not_shown=(
        "MNIST and deeper networks; 8 x 8 digits and one hidden layer stand in. Consolidations fall on the ends of lessons"
    ),
)
