"""Whether residual codes stand for chunks of actions better than as many clusters, and what that is worth."""

from umwelt.behaviours import BeT, Sequenced
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.crossed import CODES, ENTROPY, SUCCESS, Crossed
from umwelt.memory import Trajectories
from umwelt.networks.codes import KMeans, Residual
from umwelt.recipes.variation import varied

LEARNER = BeT(codes=Residual(levels=2, number=10), chunk=5, offsets="sampled", coarse=5.0)
AGENT = Sequenced(learner=LEARNER, memory=Trajectories(bytes=2_000_000, length=14))
RESIDUAL = Computed(
    function=Crossed(agent=AGENT, modes=12, updates=5000), measures=(SUCCESS, ENTROPY, CODES), together=True, in_turn=True
)
CLUSTERS = BeT(codes=KMeans(number=100), chunk=5)

codes = Claim(
    name="vq_bet",
    says="two levels of ten codes rebuild chunks of five actions with {gain:.2f} [{low:.2f}, {high:.2f}] times the error of a"
    " hundred clusters; a policy of them crosses {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more often, and the entropy of its"
    " routes is {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] above theirs",
    recipe="vq_bet",
    arms={
        "residual": RESIDUAL,
        "clusters": varied(RESIDUAL, {"function.agent.learner": CLUSTERS, "function.updates": 4046}),
    },
    expects=(
        Expect(measure="codes_error", arm="residual", over="clusters", by=0.7, ratio=True),
        Expect(measure="success", arm="residual", over="clusters", by=0.1),
        Expect(measure="mode_entropy", arm="residual", over="clusters", by=-0.05),
    ),
    cites=("vq_bet_2024", "bet_2022"),
    minutes=12,
    tried="one setting. The error of codes compares the codes alone; success and entropy compare whole policies, which differ in"
    " codes, in the correction that learns, and in the weight of the first level",
    not_shown="driving and robots, and the pace beside a policy that denoises",
)
