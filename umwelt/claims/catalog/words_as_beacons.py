"""Beacons on the way through five rooms, of which the reward alone is never found."""

from umwelt.behaviours import Curious
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.key_room_arms import VALUES, practised
from umwelt.claims.studies.practised import AREA, SOON, SUCCESS
from umwelt.curiosity.beacons import Beacons
from umwelt.recipes.variation import varied
from umwelt.worlds.key_rooms import Stages

ROOMS = 5
BEACONS = practised(
    ROOMS,
    Curious(agent=VALUES, curiosity=Beacons(suggest=Stages(rooms=ROOMS), pays=0.1), normalised=False),
    (SOON, SUCCESS, AREA),
    ticks=6000,
    exams=20,
)

helps = Claim(
    name="words_as_beacons",
    says="with a small bonus for each key and door, five rooms are passed after {gain:.2f} [{low:.2f}, {high:.2f}] of the"
    " decisions that the reward alone takes, and with 3 of 10 of them misplaced after {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}]",
    recipe="words_as_beacons",
    cites=("words_as_beacons_2024",),
    arms={
        "beacons": BEACONS,
        "misled": varied(BEACONS, {"function.agent.curiosity.wrong": 0.3}),
        "sparse": varied(BEACONS, {"function.agent.weight": 0.0}),
    },
    expects=(
        Expect(measure="soon", arm="beacons", over="sparse", by=0.5, ratio=True),
        Expect(measure="soon", arm="misled", over="sparse", by=0.8, ratio=True),
    ),
    minutes=3.5,
    not_shown="subgoals that a language model names, students that are shown the present subgoal, and MiniGrid; a life that"
    " never passes counts as one that passes at its end, after 96,000 decisions",
)
