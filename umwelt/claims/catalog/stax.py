"""What emitters reach in a behaviour space that is learned, beside one that is given."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.searched import REACHED, Reaching
from umwelt.curiosity import Encoded, Novelty, Serene
from umwelt.curiosity.encoded import Projected
from umwelt.recipes.variation import varied

STAX = Computed(
    function=Reaching(search=Serene(search=Novelty(descriptor=Encoded(), surprise=True)), seen="joints"),
    measures=REACHED,
    together=True,
)

learned = Claim(
    name="stax",
    says="in 30,000 evaluations, the highest rewards of both discs are {gain:.2f} [{low:.2f}, {high:.2f}] times those of a search"
    " that is shown the end of the arm, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] above those of a random projection",
    arms={
        "stax": STAX,
        "serene": varied(STAX, {"function.search": Serene(), "function.seen": "end"}),
        "projected": varied(STAX, {"function.search.search": Novelty(descriptor=Projected())}),
    },
    expects=(
        Expect(measure="deepest", arm="stax", over="serene", by=0.8, ratio=True),
        Expect(measure="deepest", arm="stax", over="projected", by=0.2),
    ),
    cites=("stax_2021",),
    recipe="stax",
    seeds=(0, 1, 2, 3, 4),
    minutes=4,
    tried="one setting, that of the claims serene and taxons; a random projection into ten numbers already shows the ends",
    not_shown="50,000 evaluations, and episodes of more than one decision, along which an encoder looks more than once",
)
