"""What a memory of cards is good for, when classes come one after the other."""

from umwelt.behaviours import Pupil
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.cards import SPLIT
from umwelt.recipes.variation import varied

rehearses = Claim(
    name="pupil",
    says="digits two by two: with an even sample of 100 cards {gain:.2f} [{low:.2f}, {high:.2f}] more are known at the end",
    arms={"reservoir": SPLIT, "none": varied(SPLIT, {"function.agent": Pupil(newest=32)})},
    expects=(Expect(measure="accuracy", arm="reservoir", over="none", by=0.3),),
    cites=("reservoir_1985",),
    seeds=tuple(range(10)),
    minutes=2,
    not_shown="photographs and many classes; 8 x 8 digits stand in. Both arms learn from 32 rows in each update",
)
