"""Counts of a life, counts of an episode, and their product, where layouts stay and where they change."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.layouts import NEW, ONE, ONE_RETURN, TEN, Planned
from umwelt.recipes.variation import varied

PRODUCT = Computed(function=Planned(bonus="product"), measures=(ONE, ONE_RETURN, TEN, NEW), together=True)
EPISODIC = varied(PRODUCT, {"function.bonus": "episodic"})
GLOBAL = varied(PRODUCT, {"function.bonus": "global"})
ROOMS = "a planner in grids of 64 places that it sees, with a mean reward of each place; no features, no networks"

changing = Claim(
    name="episodic_bonuses",
    says="a planner that is paid by counts of its episode finds the goal in {gain:.2f} [{low:.2f}, {high:.2f}] more of the"
    " episodes in new layouts, and in {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more in ten layouts, than by counts of its life;"
    " by the product of both it differs from counts of the episode by {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] in new layouts,"
    " and from counts of its life by {gain_5:.2f} [{low_5:.2f}, {high_5:.2f}] in a layout that stays",
    arms={"product": PRODUCT, "episode": EPISODIC, "life": GLOBAL},
    expects=(
        Expect(measure="new", arm="episode", over="life", by=0.1),
        Expect(measure="ten", arm="episode", over="life", by=0.1),
        Expect(measure="new", arm="product", over="episode", by=-0.05),
        Expect(measure="ten", arm="product", over="episode", by=-0.05),
        Expect(measure="one", arm="product", over="life", by=-0.05),
    ),
    cites=("episodic_bonuses_2023",),
    seeds=tuple(range(10)),
    minutes=1.7,
    tries=2,
    tried="on seeds 100 to 102, the share of episodes that find the goal and their discounted return; the bonuses differ more in"
    " the share",
    not_shown=ROOMS,
)

staying = Claim(
    name="episodic_bonuses_fixed",
    says="where layout and goal stay, a planner returns {gain:.2f} [{low:.2f}, {high:.2f}] more by counts of its life than by"
    " counts of its episode",
    arms={"life": GLOBAL, "episode": EPISODIC},
    expects=(Expect(measure="one_return", arm="life", over="episode", by=0.1),),
    cites=("episodic_bonuses_2023",),
    seeds=tuple(range(10)),
    minutes=1,
    tries=2,
    tried="on seeds 100 to 102, the share of episodes that find the goal and their discounted return; once the planner knows"
    " where the goal is, it goes there by both bonuses alike",
    not_shown=ROOMS,
)
