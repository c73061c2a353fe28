"""Whether one masked network serves in four roles as well as one for each, and learns from episodes without actions."""

from umwelt.behaviours import Masked, Sequenced
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.rebuilt import ERRORS, ROLES, Rebuilt
from umwelt.memory import Trajectories
from umwelt.memory.played import Played
from umwelt.recipes.variation import varied
from umwelt.worlds import Pendulum

ONE = Computed(
    function=Rebuilt(
        agent=Sequenced(learner=Masked(), memory=Trajectories(bytes=2_000_000, length=4), batch=32),
        data=Played(world=Pendulum(time_limit=150), how="noisy", episodes=40),
    ),
    measures=ERRORS,
    together=True,
)
ONLY = "function.agent.learner.only"
FEW = varied(ONE, {"function.watched": 0.95, "function.data": Played(world=Pendulum(time_limit=150), noise=0.1, episodes=40)})
masks = Claim(
    name="mtm",
    says="one network that rebuilds what random masks hide has {gain:.2f} [{low:.2f}, {high:.2f}] times the error of a network"
    " that learned as a forward model alone, {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] times that of an inverse model,"
    " {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] times that of a policy, and {gain_4:.2f} [{low_4:.2f}, {high_4:.2f}] times that"
    " of a policy that reads returns; where 38 of 40 episodes show no actions, it has {gain_5:.2f} [{low_5:.2f}, {high_5:.2f}]"
    " times the error of cloning the other two",
    recipe="mtm",
    arms={
        "one": ONE,
        **{role: varied(ONE, {ONLY: role}) for role in ROLES},
        "few actions": FEW,
        "cloning of few": varied(FEW, {ONLY: "policy"}),
    },
    expects=(
        *(Expect(measure=role, arm="one", over=role, by=1.15, ratio=True) for role in ROLES),
        Expect(measure="policy", arm="few actions", over="cloning of few", by=0.8, ratio=True),
    ),
    cites=("mtm_2023",),
    minutes=10,
    tried="one setting, with equal updates for all: a network that learns all roles at once is behind those that learn one",
    not_shown="robot hands, and faster learning from its features",
)
