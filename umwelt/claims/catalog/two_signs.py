"""One uncertainty under two signs: an ensemble's doubt is sought in life, and shunned in dreams."""

from umwelt.behaviours import DQN, Dyna, Rolls, Seeking
from umwelt.claims.arms import Lived
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.measures import FINAL_RETURN, MEAN_RETURN
from umwelt.core import Objective
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.models import Ensemble
from umwelt.recipes.variation import varied
from umwelt.teachers import Blocks
from umwelt.worlds import MountainCar
from umwelt.worlds.standard import Standard
from umwelt.worlds.wrapped import Wrapped

DREAMER = Dyna(
    model=Ensemble(members=4, layers=2, units=32, propagation="one", noisy=False, beta=1.0),
    learner=DQN(units=64, learning_rate=1e-3, discount=0.98, epsilon_updates=500, final_epsilon=0.05),
    memory=Ring(bytes=2_000_000),
    dreamed=Ring(bytes=500_000),
    dreams=Rolls(horizon=3),
    objective=Objective(doubt=-1.0),
    batch=128,
    real=0.25,
    model_batch=256,
    updates=2,
    starts=64,
)
UNITS = Standard(
    clip=100.0, mean=(-0.5281544923782349, -0.00021258011111058295), deviation=(0.08125942200422287, 0.007083048112690449)
)
"""Those that `normalised` measures: written down, for another compiler measures other last digits."""
BOTH = Lived(
    life=Life(
        world=Wrapped(world=MountainCar(batch=4), layer=UNITS),
        agent=Seeking(agent=DREAMER, weight=1.0),
        teacher=Blocks(),
        rhythm=Rhythm(random=200, learn_every=2, chunk=100, probe_every=800, probe_episodes=8),
    ),
    steps=16_000,
    measures=(MEAN_RETURN, FINAL_RETURN),
)

signs = Claim(
    name="two_signs",
    says="doubt that is sought in life and shunned in dreams brings a mountain car {gain:.0f} [{low:.0f}, {high:.0f}] more return"
    " on the way than neither does, {gain_2:.0f} [{low_2:.0f}, {high_2:.0f}] more than seeking alone, and {gain_3:.0f}"
    " [{low_3:.0f}, {high_3:.0f}] more than shunning alone",
    cites=("plan2explore_2020",),
    arms={
        "both": BOTH,
        "sought": varied(BOTH, {"life.agent.agent.objective.doubt": 0.0}),
        "shunned": varied(BOTH, {"life.agent.weight": 0.0}),
        "neither": varied(BOTH, {"life.agent.agent.objective.doubt": 0.0, "life.agent.weight": 0.0}),
    },
    expects=(
        Expect(measure="mean_return", arm="both", over="neither", by=10.0),
        Expect(measure="mean_return", arm="both", over="sought"),
        Expect(measure="mean_return", arm="both", over="shunned"),
    ),
    seeds=(0, 1, 2, 3, 4, 5),
    minutes=4,
    tried="one setting",
    not_shown="weights other than 1 and -1; planners that choose in life by the doubt of what lies several steps ahead",
)
