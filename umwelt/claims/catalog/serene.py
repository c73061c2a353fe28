"""What emitters add to novelty search, and novelty search to chance, on an arm whose reward is rare."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.searched import REACHED, Evenly, Reaching
from umwelt.curiosity import Novelty, Serene
from umwelt.recipes.variation import varied

SERENE = Computed(function=Reaching(search=Serene()), measures=REACHED, together=True)

emitters = Claim(
    name="serene",
    says="in 30,000 evaluations, novelty search with emitters reaches the middles of both rewarded discs in {gain:.2f}"
    " [{low:.2f}, {high:.2f}] more of all seeds than without, at {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] times its coverage;"
    " novelty search alone covers {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] times as many cells as genomes that are drawn"
    " evenly, and {gain_4:.2f} [{low_4:.2f}, {high_4:.2f}] times as many as selection by reward",
    arms={
        "serene": SERENE,
        "novelty": varied(SERENE, {"function.search": Novelty()}),
        "even": varied(SERENE, {"function.search": Evenly()}),
        "blind": varied(SERENE, {"function.search": Novelty(blind=True)}),
    },
    expects=(
        Expect(measure="both", arm="serene", over="novelty", by=0.4),
        Expect(measure="coverage", arm="serene", over="novelty", by=0.85, ratio=True),
        Expect(measure="coverage", arm="novelty", over="even", by=2.0, ratio=True),
        Expect(measure="coverage", arm="novelty", over="blind", by=2.0, ratio=True),
    ),
    cites=("serene_2021",),
    recipe="serene",
    seeds=tuple(range(10)),
    minutes=3,
    tries=3,
    tried="deviations of a mutation of 0.05 and 0.5, for all arms, and a reading of an emitter's deviation as a length over the"
    " whole genome; all on seeds 100 to 102",
    not_shown="curling, the hard maze and the ant. Eight emitters run side by side, where the paper runs one at a time, and a"
    " mutation of an emitter is as long as a third of the way to the founder's neighbour",
)
