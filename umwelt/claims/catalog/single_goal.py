"""What a single hard goal is good for: goals drawn evenly explore less on the way to it."""

from umwelt.behaviours.contrastive import Contrastive
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.wanderings import SUCCESS, Wandering
from umwelt.memory import Trajectories
from umwelt.recipes.variation import varied
from umwelt.worlds import Announced, PointMaze
from umwelt.worlds.point_maze import FOUR_ROOMS

FREE = tuple(
    (f"x{column}y{row}", column + 0.5, row + 0.5)
    for row, line in enumerate(FOUR_ROOMS)
    for column, cell in enumerate(line)
    if cell != "#"
)
"""The middle of every cell of the four rooms."""
FAR = "x7y7"
ROOMS = Announced(world=PointMaze(batch=16, time_limit=100, ends=False, goals=FREE), only=("goal",))
ONE = Computed(
    function=Wandering(
        world=ROOMS,
        agent=Contrastive(
            memory=Trajectories(bytes=4_000_000, length=50, across=True), units=128, size=32, discount=0.97, batch=128
        ),
        ticks=2000,
        goals=(FAR,),
        random=100,
        every=50,
        updates=200,
        mode="explore",
    ),
    measures=(SUCCESS,),
    together=True,
)

explores = Claim(
    name="single_goal",
    says="an agent that is always sent to the far room reaches it in {gain:.2f} [{low:.2f}, {high:.2f}] more of its episodes"
    " than one that is sent to cells drawn evenly",
    arms={"one": ONE, "even": varied(ONE, {"function.goals": tuple(name for name, _, _ in FREE), "function.asked": FAR})},
    expects=(Expect(measure="success", arm="one", over="even", by=0.3),),
    cites=("single_goal_2025", "contrastive_rl_2022"),
    recipe="single_goal",
    minutes=6,
    tries=2,
    tried="half of the updates and exams by the best action, with which one of three seeds reached the goal (seeds 100 to 102);"
    " and these. With goals drawn evenly one of five seeds always reaches it, and one never",
    not_shown="arms that move things, and their stages of skill, in 12 million decisions; exams at the end of life are run as"
    " episodes are, by drawing from the policy",
)
