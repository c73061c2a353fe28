"""What synaptic intelligence is good for, when the pixels of digits are permuted in a new order in each lesson."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.cards import PERMUTED, TUNED
from umwelt.recipes.variation import varied
from umwelt.retention import Synaptic

keeps = Claim(
    name="synaptic",
    says="after five permutations {gain:.2f} [{low:.2f}, {high:.2f}] more digits of all of them are known than without it",
    arms={"synaptic": varied(PERMUTED, {"function.agent.protection": Synaptic(strength=0.1, every=192)}), "none": PERMUTED},
    expects=(Expect(measure="accuracy", arm="synaptic", over="none", by=0.05),),
    cites=("synaptic_intelligence_2017",),
    seeds=tuple(range(10)),
    tuned=TUNED,
    minutes=2,
    tries=2,
    tried="strengths 0.1, that of the paper on permuted MNIST, and 1, with which little new is learned (0.80 and 0.61 of all"
    " digits on the tuning seeds)",
    not_shown=(
        "MNIST and deeper networks; 8 x 8 digits and one hidden layer stand in."
        " Consolidations fall on the ends of lessons, as in the paper"
    ),
)
