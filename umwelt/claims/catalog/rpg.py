"""What several ways are good for, where a broad low hill lies beside a narrow high one."""

from umwelt.behaviours import SAC, Reparameterised
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.hills import HIGHEST, Hills, single
from umwelt.recipes.variation import varied

LEARNER = Reparameterised(learner=SAC(units=64, learning_rate=1e-3, ema_rate=0.02), distinct=4.0, entropy=2.0, decay=0.9985)
WAYS = Computed(function=Hills(learner=LEARNER), measures=(HIGHEST,), together=True)
ways = Claim(
    name="rpg",
    says="of a narrow high hill and a broad low one, a policy with eight ways ends on the high one {gain:.2f} [{low:.2f},"
    " {high:.2f}] more often than one with a single way; that is {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] beside 0.8",
    recipe="rpg",
    arms={
        "ways": WAYS,
        "single": varied(WAYS, {"function.learner": single(LEARNER)}),
        "unpaid ways": varied(WAYS, {"function.learner.distinct": 0.0}),
    },
    expects=(
        Expect(measure="highest", arm="ways", over="single", by=0.7),
        Expect(measure="highest", arm="ways", over=0.8, by=0.0),
        Expect(measure="highest", arm="ways", over="unpaid ways", by=0.1),
    ),
    cites=("rpg_2023", "sac_2018"),
    seeds=tuple(range(20)),
    tuned=tuple(range(100, 110)),
    minutes=5,
    tries=4,
    tried="a small pay for being distinct left all ways on the broad hill; it must spread them first. Three weights of it and two"
    " lengths were looked at",
    not_shown="mazes, hands and cabinets, a learned model, and the bonus for what is new: the decision here is a single one",
)
