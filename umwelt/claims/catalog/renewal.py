"""What the renewal of dead units is good for: late in a life of many lessons, the newest is still learned."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.cards import MANY, TUNED
from umwelt.recipes.variation import varied
from umwelt.retention import Renewal

renews = Claim(
    name="renewal",
    says="in the last twenty of eighty lessons {gain:.3f} [{low:.3f}, {high:.3f}] more of the newest digits are known",
    arms={"renewal": varied(MANY, {"function.agent.protection": Renewal(every=100)}), "none": MANY},
    expects=(Expect(measure="newest", arm="renewal", over="none", by=0.02),),
    cites=("continual_backprop_2024", "dormant_neurons_2023", "grama_2025"),
    seeds=tuple(range(10)),
    tuned=TUNED,
    minutes=3,
    tried="a look after each 100 updates, at units with a hundredth of the mean gradient; nothing else",
    not_shown=(
        "ImageNet pairs, CIFAR and walking robots over thousands of lessons, and units with ReLU."
        " Eighty permutations of digits stand in, for a network with SiLU"
    ),
)
