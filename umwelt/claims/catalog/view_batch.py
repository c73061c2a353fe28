"""What rest is good for: rehearsed cards that return rarely, and then in several views at once."""

from umwelt.behaviours import Views
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.cards import HUNDRED, SPLIT, TUNED
from umwelt.memory import Lifelong, Rested
from umwelt.recipes.variation import varied

EVEN = varied(SPLIT, {"function.agent.views": Views(number=1)})
"""One view of each card that is drawn, and draws that do not depend on each other."""
REST = {"memory": Rested(memory=Lifelong(bytes=HUNDRED), views=4), "views": Views(number=4)}

rests = Claim(
    name="view_batch",
    says="four views of a card at once, and four times as long a rest, forget {gain:.3f} [{low:.3f}, {high:.3f}] less",
    arms={"rest": varied(EVEN, {f"function.agent.{name}": value for name, value in REST.items()}), "even": EVEN},
    expects=(Expect(measure="forgetting", arm="rest", over="even", by=0.03),),
    cites=("view_batch_2025",),
    seeds=tuple(range(20)),
    tuned=TUNED,
    minutes=2,
    tried="views moved by up to a pixel with noise of 0.2; nothing else",
    not_shown=(
        "real augmentation, a head of nearest means, and agreement of the views. Digits two by two stand in for CIFAR:"
        " 64 pixels leave few views"
    ),
)
