"""What noise in gradient steps is good for, where a treasure lies at the end of a costly chain."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.fitted_sea import FOUND, SOLVED, FittedSea
from umwelt.recipes.variation import varied

NOISY = Computed(function=FittedSea(), measures=(SOLVED, FOUND), together=True)

finds = Claim(
    name="langevin",
    says="tables that are fitted by noisy gradient steps, and greedy actions, end at the treasure of the deep sea in {gain:.2f}"
    " [{low:.2f}, {high:.2f}] more of the seeds than steps without noise and one random action in twenty",
    recipe="langevin",
    arms={
        "noisy steps": NOISY,
        "random actions": varied(NOISY, {"function.optimiser.noise": 0.0, "function.epsilon": 0.05}),
    },
    expects=(Expect(measure="solved", arm="noisy steps", over="random actions", by=0.6),),
    cites=("langevin_2024", "bsuite_2020"),
    seeds=tuple(range(10)),
    tuned=(100, 101, 102, 103, 104),
    minutes=0.6,
    tries=6,
    tried="tables at one setting, on seeds 100 to 104, of which noisy steps solved all and random actions none. Before them, the"
    " recipe's learner with linear values and replay at five settings: one of four seeds at two of them, none at the others",
    not_shown="Atari, and networks",
)
