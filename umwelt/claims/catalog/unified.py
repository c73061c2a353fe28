"""What remembered outputs are good for: four methods as settings of one pupil."""

from umwelt.behaviours import Pupil
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.cards import SPLIT, TUNED
from umwelt.memory import Lifelong
from umwelt.recipes.variation import varied
from umwelt.retention import Elastic, Entropy, Square

FEW = varied(SPLIT, {"function.agent.memory": Lifelong(bytes=42_046)})
"""The same with 50 cards."""
DARK = {"outputs": Square(), "said": 0.5, "truths": 0.5, "memory": Lifelong(bytes=44_686)}
"""As many cards, each with what was said about it."""

remembers = Claim(
    name="unified",
    says="of 50 cards, outputs beside truths are worth {gain:.3f} [{low:.3f}, {high:.3f}] of all digits over truths alone",
    arms={
        "der": varied(FEW, {f"function.agent.{name}": value for name, value in DARK.items()}),
        "er": FEW,
        "ewc": varied(FEW, {"function.agent": Pupil(protection=Elastic(strength=200.0, every=208))}),
        "lwf": varied(FEW, {"function.agent": Pupil(outputs=Entropy(), said=1.0, copied_every=208)}),
    },
    expects=(Expect(measure="accuracy", arm="der", over="er", by=0.01),),
    cites=("refresh_2024", "dark_experience_2020", "lwf_2016"),
    seeds=tuple(range(20)),
    tuned=TUNED,
    minutes=4,
    tries=2,
    tried="outputs alone (0.017 over er on tuning seeds), and outputs beside truths, each with half the weight (0.041)",
    not_shown="CIFAR and Tiny ImageNet; digits two by two stand in. The equality of gradients is a test, not a claim",
)
