"""What a teacher that asks again for what is about to be lost is good for, with and without forgetting."""

from umwelt.behaviours import DQN, ModelFree
from umwelt.claims.arms import Computed, Lived
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.measures import FINAL_RETURN, FORGETTING
from umwelt.claims.studies.many_tasks import in_turn
from umwelt.claims.studies.taught import MASTERED, MEAN_MASTERED, Taught
from umwelt.memory import Ring
from umwelt.recipes.variation import around, varied
from umwelt.teachers import Keeping, Mixture
from umwelt.worlds.cubes import Cubes
from umwelt.worlds.grids import KINDS, Grids

UNIT = (0.0, 1.0)
INNER = Computed(
    function=Taught(world=Cubes(forget=1 / 3000), teacher=Mixture(scale=UNIT)),
    measures=(MASTERED, MEAN_MASTERED),
    together=True,
)
KEEPING = varied(INNER, {"function.teacher": Keeping(teacher=Mixture(scale=UNIT), scale=UNIT)})
CALM = {"function.world.forget": 0.0}

cubes = Claim(
    name="keeping",
    says="where competence halves in 3,000 episodes, {gain:.1f} [{low:.1f}, {high:.1f}] points more of a space of tasks are"
    " mastered with repetition than without it; where nothing is forgotten, {gain_2:.1f} [{low_2:.1f}, {high_2:.1f}] more",
    arms={"keeping": KEEPING, "inner": INNER, "keeping, calm": varied(KEEPING, CALM), "inner, calm": varied(INNER, CALM)},
    expects=(
        Expect(measure="mastered", arm="keeping", over="inner", by=10.0),
        Expect(measure="mastered", arm="keeping, calm", over="inner, calm", by=-5.0),
    ),
    cites=("half_life_regression_2016", "alp_gmm_2019"),
    seeds=tuple(range(8)),
    tries=2,
    tried="a half-life that is measured alone, and one that is assumed until pauses say more",
    minutes=2,
    not_shown="slower forgetting, and inner teachers other than that of absolute learning progress",
)

FINER = Mixture(scale=UNIT, progress="covariance", every=60, even=0.1)
REPEATED = varied(KEEPING, {**CALM, "function.teacher.teacher": FINER, "function.stretch": 60})
repeated = Claim(
    name="keeping_finer",
    says="without any forgetting, repetition around the finer teacher of covariance masters {gain:.1f} [{low:.1f}, {high:.1f}]"
    " points more of the space, {gain_2:.1f} [{low_2:.1f}, {high_2:.1f}] above 80 percent",
    arms={"keeping": REPEATED, "inner": varied(REPEATED, {"function.teacher": FINER})},
    expects=(
        Expect(measure="mastered", arm="keeping", over="inner", by=5.0),
        Expect(measure="mastered", arm="keeping", over=80.0),
    ),
    cites=("half_life_regression_2016", "covar_gmm_2014"),
    seeds=tuple(range(8)),
    tried="one setting, that of the two claims on the parts",
    minutes=2,
    not_shown="a student that learns with a network; the one here is simulated",
)

LESSON = 600
GRIDS = Lived(
    life=in_turn(
        Grids(),
        ModelFree(
            learner=DQN(units=96, learning_rate=1e-3, discount=0.95, final_epsilon=0.1, epsilon_updates=2000, temperature=0.02),
            memory=Ring(bytes=3_000_000),
            batch=64,
        ),
        KINDS,
        LESSON,
        random=50,
        updates=4,
        chunk=111,
        probe_every=LESSON,
        probe_episodes=64,
    ),
    steps=3 * LESSON * 32,
    measures=(FINAL_RETURN, FORGETTING),
)
grids = Claim(
    name="keeping_grids",
    says="of three grids in three lessons, the return at the end is {gain:.2f} [{low:.2f}, {high:.2f}] higher where old grids are"
    " asked for again, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] less is forgotten",
    arms={
        "keeping": varied(GRIDS, {"life.teacher": around(lambda inner: Keeping(teacher=inner, scale=UNIT))}),
        "lessons": GRIDS,
    },
    expects=(
        Expect(measure="final_return", arm="keeping", over="lessons", by=0.05),
        Expect(measure="forgetting", arm="keeping", over="lessons", by=0.05),
    ),
    cites=("half_life_regression_2016",),
    seeds=(0, 1, 2, 3),
    tried="one setting, on the first try",
    minutes=3,
    not_shown="teachers of continuous tasks around a learner; lessons in a fixed order stand inside here",
)
