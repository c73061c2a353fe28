"""What a curriculum that keeps its earlier lessons is good for, and what it does to the memory of single units."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.lengthening import GROWTH, KEPT, RISE, UPDATES, Lengthening
from umwelt.recipes.variation import varied

ALL = Computed(function=Lengthening(), measures=(UPDATES, RISE, GROWTH, KEPT))

curriculum = Claim(
    name="long_timescales",
    says="a leaky network that keeps all earlier parities in its lessons learns that of twelve bits in {gain:.2f} [{low:.2f},"
    " {high:.2f}] times the updates of one that learns one parity after the other; its time constants end at {gain_2:.2f}"
    " [{low_2:.2f}, {high_2:.2f}] of 1.3 times those at the beginning, the other's at {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}]"
    " of 2 times; the worst of its earlier parities is {gain_4:.2f} [{low_4:.2f}, {high_4:.2f}] above 0.95, and {gain_5:.2f}"
    " [{low_5:.2f}, {high_5:.2f}] above the other's",
    arms={"all": ALL, "one": varied(ALL, {"function.heads": "one"})},
    expects=(
        Expect(measure="updates", arm="all", over="one", by=0.7, ratio=True),
        Expect(measure="rise", arm="all", over=1.3, by=1.0, ratio=True),
        Expect(measure="growth", arm="one", over=2.0, by=1.0, ratio=True),
        Expect(measure="kept", arm="all", over=0.95),
        Expect(measure="kept", arm="all", over="one", by=0.2),
    ),
    cites=("long_timescales_2023",),
    seeds=(0, 1, 2, 3),
    minutes=10,
    tried="one setting, seen on seed 100: with Adam, time constants fall under both curricula",
    not_shown="500 units, parities of more than twelve bits, delayed matching to a sample, and time constants of the network as"
    " a whole; an update is one of Adam",
)
