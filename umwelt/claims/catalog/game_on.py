"""A ladder of five tasks, climbed by the judgement of curves or by the clock."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.key_room_arms import VALUES, practised
from umwelt.claims.studies.practised import AREA, SUCCESS
from umwelt.recipes.variation import varied
from umwelt.teachers import Blocks
from umwelt.teachers.experimenter import Experimenter
from umwelt.worlds.key_rooms import task

ROOMS, TICKS = 5, 3000
LADDER = ("to_2", "to_4", "to_6", "to_8", "whole")
JUDGED = practised(
    ROOMS,
    VALUES,
    (SUCCESS, AREA),
    teacher=Experimenter(names=LADDER),
    panel=tuple(task(0, goal) for goal in (2, 4, 6, 8, 10)),
    ticks=TICKS,
    exams=5,
    episodes=8,
)

helps = Claim(
    name="game_on",
    says="where a judge of curves decides when the next of five tasks is due, the mean success at the end is {gain:.2f}"
    " [{low:.2f}, {high:.2f}] higher than where each has the same time",
    recipe="game_on",
    cites=("game_on_2024",),
    arms={
        "judged": JUDGED,
        "timed": varied(JUDGED, {"function.teacher": Blocks(names=LADDER, steps=TICKS // len(LADDER))}),
    },
    expects=(Expect(measure="success", arm="judged", over="timed", by=0.1),),
    minutes=2,
    tried="one setting, which was not tuned",
    not_shown="judgement and proposals by a language model, old skills that are called while a new one is learned, and robots",
)
