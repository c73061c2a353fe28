"""What demonstrations are good for that are compiled from texts, beside real ones of a few kinds of pages."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.sites import NEW, TWO, Sites
from umwelt.recipes.variation import varied

COMPILED = Computed(function=Sites(), measures=(NEW, TWO), together=True)
compiles = Claim(
    name="synatra",
    says="a clone of 2,000 moments that twenty texts were compiled to fulfils {gain:.2f} [{low:.2f}, {high:.2f}] more of pages of"
    " new kinds than a clone of 2,000 real moments on two kinds; both together are {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}]"
    " above the compiled ones; on the two kinds, real moments fulfil {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] more",
    arms={
        "compiled": COMPILED,
        "real": varied(COMPILED, {"function.how": "real"}),
        "both": varied(COMPILED, {"function.how": "both"}),
    },
    expects=(
        Expect(measure="new", arm="compiled", over="real", by=0.2),
        Expect(measure="new", arm="both", over="compiled", by=0.0),
        Expect(measure="two", arm="real", over="compiled", by=0.0),
    ),
    cites=("synatra_2024",),
    seeds=(0, 1, 2, 3, 4),
    tuned=(100, 101, 102),
    minutes=2,
    tries=2,
    tried="on seed 100, both kinds of rows as half of each of 2,000, which fulfilled 0.29 of new pages, and as all of each, 0.56",
    not_shown="language models, WebArena, and what a demonstration costs; a grammar of four verbs stands in for the model that"
    " writes pages and actions",
)
