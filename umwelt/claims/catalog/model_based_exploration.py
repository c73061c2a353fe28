"""What is worth keeping of a life that explored without reward: its model, its policy, or both."""

from umwelt.behaviours import SAC, Dyna, Rolls
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.transferred import DECISIONS, FULFILLED, Transferred, WishOf
from umwelt.memory import Ring
from umwelt.models import Ensemble
from umwelt.models.wished import endless
from umwelt.recipes.variation import varied

WISH = "peg"
MODEL = Ensemble(
    members=4, layers=2, units=64, propagation="one", noisy=False, beta=1.0, reward=WishOf(wish=WISH), continues=endless
)
BOTH = Computed(
    function=Transferred(
        agent=Dyna(
            model=MODEL,
            learner=SAC(units=64, learning_rate=1e-3, discount=0.97, ema_rate=0.01),
            memory=Ring(bytes=3_000_000),
            dreamed=Ring(bytes=1_000_000),
            dreams=Rolls(horizon=3),
            batch=128,
            real=0.25,
            model_batch=256,
            updates=2,
            starts=64,
        ),
        wish=WISH,
    ),
    measures=(DECISIONS, FULFILLED),
    together=True,
)

kept = Claim(
    name="model_based_exploration",
    says="after 20,000 decisions that nothing paid but the model's doubt, a life that keeps model and policy learns a wish in"
    " {gain:.2f} [{low:.2f}, {high:.2f}] times the decisions of one that keeps the model alone, {gain_2:.2f} [{low_2:.2f},"
    " {high_2:.2f}] times those with the policy alone, and {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] times those with neither",
    arms={
        "both": BOTH,
        "model": varied(BOTH, {"function.keeps": ("model",)}),
        "policy": varied(BOTH, {"function.keeps": ("learner",)}),
        "neither": varied(BOTH, {"function.keeps": ()}),
    },
    expects=(
        Expect(measure="decisions", arm="both", over="model", by=0.8, ratio=True),
        Expect(measure="decisions", arm="both", over="policy", by=0.8, ratio=True),
        Expect(measure="decisions", arm="both", over="neither", by=0.8, ratio=True),
    ),
    cites=("model_based_exploration_2023",),
    minutes=8,
    tried="one setting, which was not tuned",
    not_shown="MuZero in Crafter, RoboDesk and Meta-World, from pixels; the reward of a wish is known here, and not learned",
)
