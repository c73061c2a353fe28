"""What goals as particles are good for, where a wall hides half of them and later moves."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.walled import REACHED, RECOVERED, Walled
from umwelt.recipes.variation import varied
from umwelt.teachers import Halfway, Stein, Uniform

UNIT = (0.0, 1.0)
STEIN = Computed(function=Walled(teacher=Stein(scale=UNIT)), measures=(REACHED, RECOVERED), together=True)

particles = Claim(
    name="svgg",
    says="before the wall {gain:.1f} [{low:.1f}, {high:.1f}] points more of what can be reached are mastered with particles than"
    " with even goals; of what the moved wall gave free, {gain_2:.1f} [{low_2:.1f}, {high_2:.1f}] more than with rejection",
    recipe="svgg",
    arms={
        "particles": STEIN,
        "even": varied(STEIN, {"function.teacher": Uniform()}),
        "rejection": varied(STEIN, {"function.teacher": Halfway(scale=UNIT)}),
        "hardest": varied(STEIN, {"function.teacher.alpha": 1.0, "function.teacher.beta": 4.0}),
    },
    expects=(
        Expect(measure="reached", arm="particles", over="even", by=15.0),
        Expect(measure="recovered", arm="particles", over="rejection", by=10.0),
    ),
    cites=("svgg_2023", "stein_2016"),
    seeds=tuple(range(6)),
    tries=3,
    tried="steps without a limit, with which particles jump over the border of what is known, and steps of at most 0.02;"
    " with both the particles gather in one place, and the predictor forgets what lies elsewhere",
    minutes=3,
    not_shown="validity by what is reached, which this world does not say; mazes, Fetch and ants; several moves of walls",
)
