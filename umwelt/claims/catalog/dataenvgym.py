"""What feedback from a student is good for, where a teacher decides what data to make next."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.schooling import RIGHT, Schooling
from umwelt.recipes.variation import varied
from umwelt.teachers import Mixture, Uniform
from umwelt.worlds.student import Student

WEAKEST = Computed(function=Schooling(world=Student()), measures=(RIGHT,), together=True)
EVEN = varied(WEAKEST, {"function.teacher": Uniform()})
PROGRESS = varied(WEAKEST, {"function.teacher": Mixture(every=40, most=4, scale=(0.0, 1.0))})
SEEDS = tuple(range(8))
NOT_SHOWN = "language models as students and as teachers, images, code and mathematics; a classifier of digits stands in"
PARTED = "; that both beat even data was one claim until a look at the tuning seeds, where the weakest skill gained and this lost"

weakest = Claim(
    name="dataenvgym",
    says="a student of five digits, given 200 examples of other digits and styles, gets {gain:.1f} [{low:.1f}, {high:.1f}] points"
    " more of the held-out pictures right where data are made for its weakest skill than where they are made for all alike",
    arms={"weakest": WEAKEST, "even": EVEN, "examples": varied(WEAKEST, {"function.world.shows": "examples"})},
    expects=(Expect(measure="right", arm="weakest", over="even", by=3.0),),
    cites=("dataenvgym_2025",),
    seeds=SEEDS,
    minutes=2,
    tried="one setting",
    not_shown=NOT_SHOWN + "; an arm that is shown single errors in place of skills, without a bar, is beside",
)

progress = Claim(
    name="dataenvgym_progress",
    says="the same student gets {gain:.1f} [{low:.1f}, {high:.1f}] points more right where data are made for skills on which"
    " it makes progress",
    arms={"progress": PROGRESS, "even": EVEN},
    expects=(Expect(measure="right", arm="progress", over="even", by=3.0),),
    cites=("dataenvgym_2025", "alp_gmm_2019"),
    seeds=SEEDS,
    minutes=2,
    tries=2,
    tried="skills as places in a square, with a fit to 20 decisions, and as choices, with a fit to 40" + PARTED,
    not_shown=NOT_SHOWN,
)
