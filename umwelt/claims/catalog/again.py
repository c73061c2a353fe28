"""What earlier students are good for: a new one is taught what helped those that tested alike."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.classroom import Classroom
from umwelt.claims.studies.taught import MASTERED, MEAN_MASTERED, Taught
from umwelt.recipes.variation import varied
from umwelt.teachers import Elders, Mixture
from umwelt.worlds.cubes import Cubes

INNER = Mixture(scale=(0.0, 1.0), slots=10_000)
WORLD = Cubes(spread="around", drawn=True)
AGAIN = Computed(
    function=Classroom(world=WORLD, teacher=Elders(teacher=INNER)), measures=(MASTERED, MEAN_MASTERED), together=True
)

elders = Claim(
    name="again",
    says="with 48 earlier students a new one masters {gain:.1f} [{low:.1f}, {high:.1f}] points more of a space of tasks than"
    " under the same teacher without them, and {gain_2:.1f} [{low_2:.1f}, {high_2:.1f}] more than with elders at random",
    arms={
        "again": AGAIN,
        "alone": Computed(
            function=Taught(world=WORLD, teacher=INNER, episodes=10_000), measures=(MASTERED, MEAN_MASTERED), together=True
        ),
        "at random": varied(AGAIN, {"function.teacher.alike": False}),
    },
    expects=(
        Expect(measure="mastered", arm="again", over="alone", by=10.0),
        Expect(measure="mastered", arm="again", over="at random", by=5.0),
    ),
    cites=("again_2020", "alp_gmm_2019"),
    seeds=tuple(range(8)),
    tries=2,
    tried="an own share of 0.2 with 16 elders, where students whose elder began elsewhere stand still, and of 0.5 with 48",
    minutes=4,
    not_shown="parkour with changing bodies; 10 x 10 cells and 10,000 episodes stand in. The test is read from the first"
    " episodes and not from an exam",
)
