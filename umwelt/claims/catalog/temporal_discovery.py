"""What it is good for that a learned rule of learning knows how much of a lifetime is left."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.lifetimes import FINAL, SETTLES, SHORT, ByHand, Lifetimes
from umwelt.recipes.variation import varied

TOLD = Computed(function=Lifetimes(), measures=(FINAL, SHORT, SETTLES), together=True)
ages = Claim(
    name="temporal_discovery",
    says="agents of a rule that reads the lifetime end {gain:.2f} [{low:.2f}, {high:.2f}] higher, as a share of the best"
    " return, than those of one that is not, {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] after lives of 10 updates, and"
    " {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] higher than those of actor-critic; the rank correlation of their entropy with time"
    " lies {gain_4:.2f} [{low_4:.2f}, {high_4:.2f}] below -0.5",
    arms={
        "told": TOLD,
        "untold": varied(TOLD, {"function.learner.rule.told": False}),
        "by hand": varied(TOLD, {"function.learner": ByHand()}),
    },
    expects=(
        Expect(measure="final", arm="told", over="untold", by=0.05),
        Expect(measure="short", arm="told", over="untold", by=0.05),
        Expect(measure="final", arm="told", over="by hand", by=0.0),
        Expect(measure="settles", arm="told", over=-0.5, by=0.0),
    ),
    cites=("temporal_discovery_2024", "lpg_2020", "evolution_strategies_2017"),
    seeds=(0, 1, 2),
    tuned=(100, 101, 102),
    minutes=10,
    tried="one setting, which was not tried before on any seed",
    not_shown="Brax and Atari, and 2,500 generations of 512 agents; a schedule of the entropy by meta-gradients. Rules and agents"
    " are small, and the worlds have twelve states",
)
