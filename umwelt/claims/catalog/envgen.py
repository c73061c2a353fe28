"""Configurations in which the weakest skills are one step away, beside the original world."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.key_room_arms import VALUES, practised
from umwelt.claims.studies.practised import AREA, SUCCESS
from umwelt.recipes.variation import varied
from umwelt.teachers.designed import Designed
from umwelt.worlds import KeyRooms
from umwelt.worlds.key_room_advice import AnyConfiguration, OneStepAway, StageSkills

ROOMS = 6
WEAKEST = practised(
    ROOMS,
    VALUES,
    (SUCCESS, AREA),
    teacher=Designed(suggest=OneStepAway(), skills=StageSkills(rooms=ROOMS), rounds=4, steps=100),
    world=KeyRooms(rooms=ROOMS, size=6, pays="stages"),
    ticks=500,
    exams=5,
    episodes=32,
)

helps = Claim(
    name="envgen",
    says="a student of designed configurations achieves {gain:.2f} [{low:.2f}, {high:.2f}] more of twelve skills in the"
    " original world than one of random configurations, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more than one of the"
    " original alone",
    recipe="envgen",
    cites=("envgen_2024",),
    arms={
        "weakest": WEAKEST,
        "any": varied(WEAKEST, {"function.teacher.suggest": AnyConfiguration()}),
        "original": varied(WEAKEST, {"function.teacher.mix": 0.0}),
    },
    expects=(
        Expect(measure="success", arm="weakest", over="any", by=0.15),
        Expect(measure="success", arm="weakest", over="original", by=0.15),
    ),
    minutes=3.5,
    tries=4,
    tried="a reward at the end alone, where a student of one-step episodes forgets each round's in the next; rooms of 4 cells"
    " and of 6 cells with a reward for each key and door, where all three achieve 11 or 12 of 12 skills in 16,000 decisions;"
    " and half as many decisions",
    not_shown="configurations that a language model writes, Crafter and Heist; each key and door pays, as achievements do in"
    " Crafter",
)
