"""How soon visits are spread evenly: a game of two players against Frank-Wolfe."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.entropy_game import EPISODES, GAP, Spread
from umwelt.recipes.variation import varied

GAME = Computed(function=Spread(way="game"), measures=(EPISODES, GAP), together=True)

spreads = Claim(
    name="fast_max_entropy",
    says="in unknown worlds of 20 states, a game between counts and a planner comes within 0.05 nats of the highest entropy of"
    " visits in {gain:.2f} [{low:.2f}, {high:.2f}] times the episodes of Frank-Wolfe",
    arms={"game": GAME, "frank-wolfe": varied(GAME, {"function.way": "frank_wolfe"})},
    expects=(
        Expect(measure="episodes", arm="game", over="frank-wolfe", by=1.0, ratio=True),
        Expect(measure="gap", arm="game", over=0.05),
    ),
    cites=("fast_max_entropy_2023",),
    seeds=tuple(range(10)),
    minutes=1.2,
    tried="one setting, on seeds 100 to 102",
    not_shown="the entropy of trajectories, and the rates themselves; both sides here have the same simple optimism",
)
