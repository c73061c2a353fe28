"""Whether the modes of a bouncing body are found without labels, and what they are good for."""

from umwelt.behaviours import PPO, Asymmetric, Automata, OnPolicy
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.bouncing import CLUSTERS, MATCHED, NEAR, Bounced, Bouncer, separate
from umwelt.claims.studies.rounds import CUT, FINAL, Rounds
from umwelt.recipes.variation import varied
from umwelt.worlds import partly

POLICY = PPO(learning_rate=1e-3, discount=0.97)
LIFE = Computed(
    function=Bounced(
        life=Rounds(
            world=partly(Bouncer(batch=16), hidden=(2, 3), past=6),
            agent=OnPolicy(
                learner=Automata(learner=varied(POLICY, {"bounded": True, "groups": (1.0, 0.1)}), modes=2),
                horizon=128,
                rewards=separate,
            ),
            rounds=60,
            every=4,
            chance=31.0,
            expert=124.0,
            drawn=True,
        )
    ),
    measures=(MATCHED, CLUSTERS, NEAR, FINAL, CUT),
    together=True,
)
AGENT = "function.life.agent"
automata = Claim(
    name="dhal",
    says="without labels, modes are those of contact in {gain:.2f} [{low:.2f}, {high:.2f}] more of the moments than 0.85, and"
    " clusters of what is seen in {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] fewer than 0.7; near contacts two flows err"
    " {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] times as much as one of their size; the return is {gain_4:.2f} [{low_4:.2f},"
    " {high_4:.2f}] of the greatest above that of a cut normal with one critic, which sends {gain_5:.2f} [{low_5:.2f},"
    " {high_5:.2f}] more of its actions to their bounds",
    recipe="dhal",
    arms={
        "two flows": LIFE,
        "one flow": varied(LIFE, {f"{AGENT}.learner.modes": 1, f"{AGENT}.learner.flow": (32,)}),
        "normal": varied(
            LIFE, {f"{AGENT}.learner": Asymmetric(learner=POLICY), f"{AGENT}.rewards": None, "measures": (FINAL, CUT)}
        ),
    },
    expects=(
        Expect(measure="matched", arm="two flows", over=0.85),
        Expect(measure="clusters", arm="two flows", over=0.7),
        Expect(measure="near_error", arm="two flows", over="one flow", by=0.7, ratio=True),
        Expect(measure="final", arm="two flows", over="normal", by=-0.03),
        Expect(measure="cut", arm="two flows", over="normal"),
    ),
    cites=("dhal_2025", "beta_policy_2017"),
    seeds=(0, 1, 2, 3, 4),
    tuned=(100, 101, 102),
    minutes=6,
    tries=4,
    tried="a balance of 0.1 and of 0.02, the second of which finds more of the contacts; and a price of effort whose advantages"
    " weigh as much as those of height, by which nothing moves, before the reward and the damping were changed"
    " to what they are",
    not_shown="the skateboard and the robot",
)
