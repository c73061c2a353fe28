"""What a prior of behaviour is good for, where a far goal pays and nothing on the way does."""

from umwelt.behaviours import PPO, Averaged, Cloning, Labelled, OnPolicy, Standard, Tuned
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.rounds import FINAL, Rounds
from umwelt.claims.studies.tuned_walks import BEFORE, TunedWalks
from umwelt.recipes.variation import varied
from umwelt.worlds import PointMaze

CLONE = Standard(learner=Averaged(learner=Cloning(units=64), rate=0.99))
POLICY = PPO(discount=0.98, prior_weight=0.2, prior_decay=0.95)
TUNED = Computed(
    function=TunedWalks(
        life=Rounds(
            world=PointMaze(batch=16, time_limit=100),
            agent=Tuned(
                pupil=Labelled(inverse=Standard(learner=Cloning(units=64)), learner=CLONE, mix="none", window=1),
                online=OnPolicy(learner=POLICY, horizon=128),
            ),
            rounds=30,
            every=3,
        ),
    ),
    measures=(FINAL, BEFORE),
    together=True,
)
AGENT = "function.life.agent"
tuned = Claim(
    name="vpt_tuned",
    says="where only a far goal pays, a prior of watched walks reaches it in {gain:.2f} [{low:.2f}, {high:.2f}] more of the"
    " episodes than 0.5 after 60,000 decisions, and a policy from scratch in {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] fewer; the"
    " prior without a divergence that holds it reaches it {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] less often",
    recipe="vpt_tuned",
    arms={
        "prior": TUNED,
        "scratch": varied(TUNED, {AGENT: OnPolicy(learner=varied(POLICY, {"prior_weight": 0.0}), horizon=128)}),
        "not held": varied(TUNED, {f"{AGENT}.online.learner.prior_weight": 0.0}),
    },
    expects=(
        Expect(measure="final", arm="prior", over=0.5),
        Expect(measure="final", arm="prior", over="scratch", by=0.4),
        Expect(measure="final", arm="prior", over="not held"),
    ),
    cites=("vpt_2022", "ppo_2017"),
    seeds=(0, 1, 2, 3, 4),
    tuned=(100, 101, 102),
    minutes=4,
    tried="one setting, which was not tuned",
    not_shown="Minecraft and its tools, and the phasic kind of policy gradient",
)
