"""What it is good for to look no further ahead than one has followed, in imitation of what was watched."""

from umwelt.behaviours import DQN, Following, ModelFree, Shortened
from umwelt.claims.arms import Lived
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.measures import FINAL_RETURN
from umwelt.claims.studies.carrying import Carry
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.memory.played import Played
from umwelt.recipes.variation import varied
from umwelt.teachers import Blocks

WORLD = Carry()
AGENT = Following(
    inner=ModelFree(
        learner=Shortened(learner=DQN(units=64, learning_rate=1e-3, epsilon_updates=4000, final_epsilon=0.1)),
        memory=Ring(bytes=1_000_000),
        batch=64,
    ),
    steps=30,
)
SCHEDULED = Lived(
    life=Life(
        world=WORLD,
        agent=AGENT,
        teacher=Blocks(),
        shown=(Played(world=WORLD, episodes=5, actions=False),),
        rhythm=Rhythm(random=300, learn_every=1, updates=1, chunk=100, probe_episodes=20),
    ),
    steps=8_000,
    measures=(FINAL_RETURN,),
)
FIXED = {f"fixed {discount}": varied(SCHEDULED, {"life.agent.fixed": discount}) for discount in (0.9, 0.97, 0.99)}
schedule = Claim(
    name="ads",
    says="five watched episodes of an expert, no actions and no rewards: with a discount that grows with what is followed the"
    " thing is carried home {gain:.2f} [{low:.2f}, {high:.2f}] more often than with a fixed one of 0.9, {gain_2:.2f}"
    " [{low_2:.2f}, {high_2:.2f}] more than with 0.97, and {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] more than with 0.99",
    recipe="ads",
    arms={"scheduled": SCHEDULED, **FIXED},
    expects=tuple(Expect(measure="final_return", arm="scheduled", over=name, by=0.2) for name in FIXED),
    cites=("ads_2024",),
    minutes=10,
    tries=2,
    tried="with three grips, and a thing as large as the hand, a fixed discount of 0.97 learned as fast; with five, and a small"
    " thing, it did so on a tuning seed as well: from states, in a small grid, late rewards spoil little",
    not_shown="Meta-World from pixels, and a learner that sums three rewards. A grid in which a thing must be gripped five"
    " times in a row before it can be carried stands in for robots, and deep Q-learning for the actor-critic",
)
