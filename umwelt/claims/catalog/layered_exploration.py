"""What it is good for to discover what is near layer by layer, in an open grid whose moves slip."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.layered import DECISIONS, Layered
from umwelt.recipes.variation import varied

LAYERS = Computed(function=Layered(way="layers"), measures=(DECISIONS,))

discovers = Claim(
    name="layered_exploration",
    says="an explorer that goes only through places it can reach has good policies for all that is near after {gain:.2f}"
    " [{low:.2f}, {high:.2f}] times the decisions of one that tries all that it meets",
    arms={"layers": LAYERS, "flat": varied(LAYERS, {"function.way": "flat"})},
    expects=(Expect(measure="decisions", arm="layers", over="flat", by=0.5, ratio=True),),
    cites=("layered_exploration_2023",),
    seeds=tuple(range(8)),
    tuned=(100, 101),
    minutes=2.4,
    tried="one setting, on seeds 100 and 101",
    not_shown="bounds, and worlds without a map; the grid has 121 places, of which about a third is near",
)
