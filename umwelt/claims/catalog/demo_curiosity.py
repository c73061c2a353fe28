"""Progress that was learned from watching pays for exploration in five rooms."""

from umwelt.behaviours import Curious
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.key_room_arms import VALUES, practised
from umwelt.claims.studies.practised import AREA, SUCCESS
from umwelt.curiosity.progress import Progress
from umwelt.recipes.variation import varied

PROGRESS = practised(
    5,
    Curious(agent=VALUES, curiosity=Progress(lag=4, ticks=200), weight=0.1, normalised=False),
    (AREA, SUCCESS),
    ticks=3000,
    shown=200,
)

helps = Claim(
    name="demo_curiosity",
    says="a bonus for progress, as about 50 watched runs define it, raises the mean success in five rooms by {gain:.2f}"
    " [{low:.2f}, {high:.2f}] over a life of 48,000 decisions, although at its end they are passed no more",
    recipe="demo_curiosity",
    cites=("demo_curiosity_2023",),
    arms={"progress": PROGRESS, "none": varied(PROGRESS, {"function.agent.weight": 0.0})},
    expects=(Expect(measure="area", arm="progress", over="none", by=0.1),),
    minutes=3.5,
    tries=2,
    tried="lags of 16 steps at weight 0.05, with a mean success of 0.14, and of 4 steps at weight 0.1; with the second the way is"
    " found early and left again, because going round near its end pays more than the end",
    not_shown="the representation that is learned from the same runs, and both together; NetHack and its human players. The"
    " runs are those of a script, three of ten of whose moves are random, and their actions are not known",
)
