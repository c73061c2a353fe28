"""What a log without rewards is good for: skills, and data for the policy that calls them."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.logged import FIRST_SUCCESS, WINDING, Logged
from umwelt.recipes.variation import varied
from umwelt.worlds import PointMaze

BOTH = Computed(
    function=Logged(world=PointMaze(batch=16, time_limit=300, layout=WINDING, ends=True), goal="far"),
    measures=(FIRST_SUCCESS,),
    together=True,
)

finds = Claim(
    name="supe",
    says="with a log of motion without rewards both for skills and as data, a far goal is first reached in {gain:.2f}"
    " [{low:.2f}, {high:.2f}] times the decisions that it takes with the skills alone, and in {gain_2:.2f} [{low_2:.2f},"
    " {high_2:.2f}] times those with the data alone",
    arms={"both": BOTH, "skills": varied(BOTH, {"function.use": "skills"}), "data": varied(BOTH, {"function.use": "data"})},
    expects=(
        Expect(measure="first_success", arm="both", over="skills", by=0.7, ratio=True),
        Expect(measure="first_success", arm="both", over="data", by=0.7, ratio=True),
    ),
    cites=("supe_2024",),
    minutes=3,
    tried="one setting",
)
