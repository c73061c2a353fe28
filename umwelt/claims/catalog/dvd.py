"""What the volume that a population spans adds to its return, at a wall across the way."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.searched import WALKED, Trapping
from umwelt.curiosity import Diverse
from umwelt.recipes.variation import varied
from umwelt.worlds.trap import Trap

DIVERSE = Computed(function=Trapping(search=Diverse(width=0.5), world=Trap(half=1.0, arms=0.5)), measures=WALKED, together=True)
OPEN = varied(DIVERSE, {"function.goal": "open"})

volume = Claim(
    name="dvd",
    says="the best of five policies passes the wall in {gain:.2f} [{low:.2f}, {high:.2f}] more of all seeds where a bandit may"
    " weigh the volume that they span, and where no wall stands in the way it is {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}]"
    " nearer to the goal",
    arms={
        "bandit": DIVERSE,
        "alone": varied(DIVERSE, {"function.search.weights": (0.0,)}),
        "fixed": varied(DIVERSE, {"function.search.weights": (0.5,)}),
        "bandit_open": OPEN,
        "alone_open": varied(OPEN, {"function.search.weights": (0.0,)}),
    },
    expects=(
        Expect(measure="passes", arm="bandit", over="alone", by=0.3),
        Expect(measure="near", arm="bandit_open", over="alone_open", by=-0.1),
    ),
    cites=("dvd_2020",),
    recipe="dvd",
    seeds=tuple(range(10)),
    minutes=3,
    tries=2,
    tried="a wall 3 wide with arms of 1 and likeness over a distance of 1, where none passes; and a wall 2 wide with arms of"
    " 0.5 and a distance of 0.5",
    not_shown="MuJoCo, and the gradient form with actors and critics",
)
