"""Sixty pendulums in one life: whether it slows down, and whether it still learns."""

from umwelt.claims.arms import Lived
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.endurance import READINESS, STEADINESS
from umwelt.claims.studies.many_tasks import SMALL, in_turn, shown
from umwelt.memory import Lifelong
from umwelt.worlds import stream_named

MANY = stream_named("many")
STEPS = 500

lasts = Claim(
    name="long_life",
    says="in the last five of sixty lessons a task is learned in {gain:.2f} [{low:.2f}, {high:.2f}] of the decisions that the"
    " fourth to the eighth take, and decisions come {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] times as fast as early in the life",
    arms={
        "reservoir": Lived(
            life=in_turn(
                MANY.world,
                shown(SMALL, Lifelong(bytes=1_000_000)),
                MANY.names,
                STEPS,
                random=200,
                learn_every=10,
                updates=20,
                first_updates=500,
                probe_every=0,
                probe_episodes=1,
                save_seconds=60.0,
            ),
            steps=STEPS * len(MANY.names),
            measures=(READINESS, STEADINESS),
        )
    },
    expects=(
        Expect(measure="readiness", arm="reservoir", over=1.0, by=0.9, ratio=True),
        Expect(measure="steadiness", arm="reservoir", over=1.0, by=0.9, ratio=True),
    ),
    seeds=(0, 1, 2),
    minutes=10,
    tried="one setting; the memory is full after a third of the life",
    not_shown="a memory that spills to disk; `kills_spilled` resumes one",
)
