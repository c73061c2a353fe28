"""Choosing among ways to explore in three rooms, against the best of them alone and against chance."""

from umwelt.behaviours import DQN, Rewarded
from umwelt.behaviours.mixed import HELD, Mixed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.key_room_arms import practised
from umwelt.claims.studies.practised import AREA, SUCCESS
from umwelt.curiosity import Distilled
from umwelt.memory import Ring
from umwelt.recipes.variation import varied

VALUES = DQN(units=64, learning_rate=1e-3, discount=0.97)
CHOOSING = practised(
    3,
    Mixed(
        task=VALUES,
        curious=Rewarded(learner=VALUES, curiosity=Distilled(units=32), instead=True),
        memory=Ring(bytes=3_000_000),
    ),
    (AREA, SUCCESS),
    ticks=2500,
)

helps = Claim(
    name="lesson",
    says="the mean success of an agent that learns which way to explore is {gain:.2f} [{low:.2f}, {high:.2f}] above that of"
    " the best single way, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] above that of ways drawn evenly",
    recipe="lesson",
    cites=("lesson_2023",),
    arms={
        "choosing": CHOOSING,
        "single": varied(CHOOSING, {"function.agent.only": (HELD,)}),
        "even": varied(CHOOSING, {"function.agent.even": True}),
    },
    expects=(
        Expect(measure="area", arm="choosing", over="single", by=-0.05),
        Expect(measure="area", arm="choosing", over="even", by=0.15),
    ),
    seeds=(0, 1, 2, 3, 4, 5),
    minutes=5,
    tries=2,
    tried="four rooms, in which no way of exploring finds the end within 64,000 decisions, and three; there the better of two"
    " single ways on the tuning seeds is to hold an action (0.12, the bonus 0.00, beside 0.13 of choosing and 0.04 of chance);"
    " random and greedy actions were not tried alone",
    not_shown="Atari games and MiniGrid with pictures",
)
