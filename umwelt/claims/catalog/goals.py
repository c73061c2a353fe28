"""What is kept of six angles of one pendulum, where keeping is easy."""

from umwelt.claims.arms import Lived
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.measures import RETENTION
from umwelt.claims.studies.many_tasks import SMALL, in_turn, knowing
from umwelt.memory import Lifelong, Newest
from umwelt.models import Losse
from umwelt.recipes.variation import varied
from umwelt.worlds import Announced, Pendulum, Varied

GOALS = Announced(world=Varied(world=Pendulum(), within=(("gravity", 1.62, 1.62), ("goal", -3.1, 3.1)), number=6, seed=2))
"""A pendulum on the moon, to be held at six angles."""
LINEAR = Lived(
    life=in_turn(
        GOALS,
        knowing(GOALS, 15, Losse()),
        tuple(GOALS.tasks()),
        800,
        random=200,
        learn_every=10,
        updates=20,
        first_updates=500,
        probe_episodes=5,
    ),
    steps=4800,
    measures=(RETENTION,),
)
LAST = varied(LINEAR, {"life.agent": knowing(GOALS, 15, SMALL, Lifelong(bytes=10_000, keep=Newest()))})

keeps = Claim(
    name="goals_losse",
    says="of six angles of a pendulum the online linear model keeps {gain:.3f} [{low:.3f}, {high:.3f}] more than 0.95, and"
    " {gain_2:.3f} [{low_2:.3f}, {high_2:.3f}] more than networks that learn from the last 80 moments",
    cites=("losse_2024",),
    recipe="losse_mpc",
    arms={"losse": LINEAR, "last": LAST},
    expects=(
        Expect(measure="retention", arm="losse", over=0.95),
        Expect(measure="retention", arm="losse", over="last", by=-0.02),
    ),
    seeds=(0, 1, 2),
    minutes=6,
    tried="one setting; the laws of a pendulum can be learned from any stretch of its circle, so both arms keep it",
)
