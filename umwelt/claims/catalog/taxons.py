"""What a behaviour space that is learned is good for, and what the order of movements shows of a loop."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.searched import LOOPS, REACHED, Looping, Reaching
from umwelt.curiosity import Encoded, Novelty, Signed
from umwelt.curiosity.encoded import Projected
from umwelt.recipes.variation import varied

LEARNED = Computed(
    function=Reaching(search=Novelty(descriptor=Encoded(), surprise=True), seen="joints"), measures=REACHED, together=True
)
SIGNED = Computed(function=Looping(search=Novelty(descriptor=Signed(looks=9))), measures=(LOOPS,), together=True)

learned = Claim(
    name="taxons",
    says="in 30,000 evaluations, novelty in a code that is learned from sixty numbers, twenty of them noise, covers {gain:.2f}"
    " [{low:.2f}, {high:.2f}] times as many ends of the arm as in a random projection of the same size, and {gain_2:.2f}"
    " [{low_2:.2f}, {high_2:.2f}] times as many as in the true ends",
    arms={
        "learned": LEARNED,
        "projected": varied(LEARNED, {"function.search": Novelty(descriptor=Projected())}),
        "true": varied(LEARNED, {"function.search": Novelty(), "function.seen": "end"}),
    },
    expects=(
        Expect(measure="coverage", arm="learned", over="projected", by=1.3, ratio=True),
        Expect(measure="coverage", arm="learned", over="true", by=0.7, ratio=True),
    ),
    cites=("taxons_2022",),
    recipe="taxons",
    seeds=(0, 1, 2, 3, 4),
    tuned=(100,),
    minutes=3,
    tries=3,
    tried="each number in its own standard units, all in one common unit, and that without surprise on one seed. In the first,"
    " noise is as large as what the arm does, and both descriptors are worse; in the others, a random projection sees hardly any"
    " noise",
    not_shown="pictures. The encoder learns a little in each generation, where the paper trains it at once every thirty",
)
loops = Claim(
    name="taxons_loops",
    says="by the signatures of their paths, novelty search finds {gain:.2f} [{low:.2f}, {high:.2f}] times as many loops that end"
    " where they began as by their ends",
    arms={
        "signature": SIGNED,
        "end": varied(SIGNED, {"function.search": Novelty(), "function.only_end": True}),
    },
    expects=(Expect(measure="loops", arm="signature", over="end", by=2.0, ratio=True),),
    cites=("taxons_2022",),
    recipe="taxons",
    seeds=(0, 1, 2, 3, 4),
    tuned=(100, 101),
    minutes=1,
    tried="one setting; to depth two, a plane loop shows nothing but the area that it encloses",
    not_shown="deeper signatures, and a code that is learned of them",
)
