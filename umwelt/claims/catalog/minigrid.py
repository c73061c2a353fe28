"""What is kept of three MiniGrid levels that are learned one after the other."""

from umwelt.claims.arms import Lived
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.measures import FINAL_RETURN, FORGETTING
from umwelt.claims.studies.many_tasks import counting, in_turn
from umwelt.memory import Newest, Reservoir
from umwelt.recipes.variation import varied
from umwelt.worlds import stream_named

CROSSINGS = stream_named("minigrid:long")
STEPS = 9375
"""Decisions of one of 16 rows in each lesson."""
ROWS = 16
EVEN = Lived(
    life=in_turn(
        CROSSINGS.world,
        counting(Reservoir(), bytes=80_000_000),
        CROSSINGS.names,
        STEPS,
        random=500,
        updates=6,
        chunk=200,
        record_every=100,
        probe_every=3125,
        probe_episodes=20,
        save_seconds=120.0,
    ),
    steps=STEPS * len(CROSSINGS.names) * ROWS,
    measures=(FINAL_RETURN, FORGETTING),
)

keeps = Claim(
    name="minigrid_rehearsal",
    says="after three MiniGrid levels of 150,000 decisions each the mean return is {gain:.2f} [{low:.2f}, {high:.2f}] above 0.72,"
    " and forgetting {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] below 0.05; the newest moments alone forget"
    " {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] more",
    arms={"reservoir": EVEN, "newest": varied(EVEN, {"life.agent.agent.memory.keep": Newest()})},
    expects=(
        Expect(measure="final_return", arm="reservoir", over=0.72),
        Expect(measure="forgetting", arm="reservoir", over=0.05),
        Expect(measure="forgetting", arm="reservoir", over="newest"),
    ),
    seeds=(0, 1, 2),
    minutes=140,
    tries=2,
    tried="without and with a term against values that drift, on seed 100; neither came near the bar",
    not_shown="the published setting has 750,000 decisions a level; its 0.72 and -0.11 are known at second hand",
)
