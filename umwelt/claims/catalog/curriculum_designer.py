"""Whether the order of classes matters for what is kept, and whether distances between classes predict which order does."""

from umwelt.behaviours.pupil import Pupil
from umwelt.claims.arms import Computed, Measure
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.ordered import Ordered
from umwelt.memory import Lifelong
from umwelt.recipes.variation import varied
from umwelt.retention import Elastic
from umwelt.worlds.card_sets import Digits
from umwelt.worlds.card_streams import split
from umwelt.worlds.cards import Cards

FEW = 36_898
"""Bytes of a memory that holds about 50 digits."""
REHEARSED = Computed(
    function=Ordered(
        world=Cards(batch=16, time_limit=16, cards=Digits(), lessons=split(10, 1)),
        agent=Pupil(memory=Lifelong(bytes=FEW), rehearsed=16),
    ),
    measures=(
        Measure(name="rank", unit="rank correlation", better="up"),
        Measure(name="spread", unit="ratio of variances", better="up"),
        Measure(name="accuracy", unit="share", better="up"),
    ),
    together=True,
)

orders = Claim(
    name="curriculum_designer",
    says="a score of orders that was chosen on five digits ranks orders of five others by {gain:.2f} [{low:.2f}, {high:.2f}]"
    " (rank correlation less 0.3) with what a pupil keeps; orders differ {gain_2:.1f} [{low_2:.1f}, {high_2:.1f}] times as much"
    " as pupils, less 2",
    arms={
        "rehearsal": REHEARSED,
        "plain": varied(REHEARSED, {"function.agent": Pupil()}),
        "elastic": varied(REHEARSED, {"function.agent": Pupil(protection=Elastic(strength=200.0, every=32))}),
    },
    expects=(
        Expect(measure="rank", arm="rehearsal", over=0.3),
        Expect(measure="spread", arm="rehearsal", over=2.0),
        Expect(measure="rank", arm="plain", over=0.3),
        Expect(measure="rank", arm="elastic", over=0.3),
    ),
    cites=("curriculum_designer_2022",),
    seeds=(0, 1, 2, 3),
    tried="one setting, on the first try: four scores, of which each seed chooses one and its sign on its own first half",
    minutes=4,
    not_shown="human learners, pictures of novel objects, 60 orders (20 stand in), and features of a trained network",
)
