"""Tasks that are filtered by trials, in a universe of which two thirds teach nothing."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.key_room_arms import VALUES, practised
from umwelt.claims.studies.practised import AREA, LOW, PARTICIPATION
from umwelt.recipes.variation import varied
from umwelt.teachers.filtered import Filtered
from umwelt.teachers.sampled import Sampled
from umwelt.worlds.key_room_advice import Universe
from umwelt.worlds.key_rooms import task

ROOMS = 6
EVEN = Sampled(draw=Universe(rooms=ROOMS))
HELD_OUT = tuple(task(0, 2 * rooms, layout=900 + number) for rooms in range(1, ROOMS + 1) for number in range(2))
"""Whole ways of each length, in layouts that are never practised."""
FILTERED = practised(
    ROOMS, VALUES, (PARTICIPATION, LOW, AREA), teacher=Filtered(teacher=EVEN), panel=HELD_OUT, ticks=5000, exams=5, episodes=4
)

helps = Claim(
    name="open_ended",
    says="of held-out tasks, {gain:.2f} [{low:.2f}, {high:.2f}] more pay anything to a student whose tasks are filtered by"
    " trials than to one of all tasks alike, and the 20th percentile of returns is {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}]"
    " higher",
    recipe="open_ended",
    cites=("open_ended_2021",),
    arms={"filtered": FILTERED, "even": varied(FILTERED, {"function.teacher": EVEN})},
    expects=(
        Expect(measure="participation", arm="filtered", over="even", by=0.1),
        Expect(measure="low", arm="filtered", over="even", by=0.1),
    ),
    minutes=2,
    tried="one setting, on seeds 100 to 102, where participation was 1.0 against 0.33 to 0.58",
    not_shown="generations that learn from each other, thresholds that evolve, a control policy, several agents, and worlds in"
    " three dimensions",
)
