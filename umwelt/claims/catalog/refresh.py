"""What unlearning before each update is good for, beside rehearsal."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.cards import SPLIT, TUNED
from umwelt.recipes.variation import varied
from umwelt.retention import Refresh

refreshes = Claim(
    name="refresh",
    says="beside 100 cards {gain:.3f} [{low:.3f}, {high:.3f}] more digits are known; against as many gradients {gain_2:.3f}",
    arms={
        "refresh": varied(SPLIT, {"function.agent.protection": Refresh(unlearn=1e-4)}),
        "rehearsal": SPLIT,
        "twice": varied(SPLIT, {"function.agent.newest": 32, "function.agent.rehearsed": 32}),
    },
    expects=(
        Expect(measure="accuracy", arm="refresh", over="rehearsal", by=0.01),
        Expect(measure="accuracy", arm="refresh", over="twice", by=0.0),
    ),
    cites=("refresh_2024",),
    seeds=tuple(range(20)),
    tuned=TUNED,
    minutes=3,
    tried="steps up of 0.0001, a tenth of the step of Adam; nothing else",
    not_shown="CIFAR and Tiny ImageNet, where one to three points are published; digits two by two stand in",
)
