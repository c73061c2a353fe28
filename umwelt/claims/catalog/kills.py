"""Lives that are killed by SIGKILL five times become, bit for bit, what they would have become."""

from umwelt.claims.arms import Computed, Measure
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.kills import Killed
from umwelt.recipes.variation import varied

MEASURES = (
    Measure(name="identical", unit="share", better="up"),
    Measure(name="kills", unit="kills", better="up"),
)
TURNS = ("--teacher.names", "earth", "mirrored", "earth", "moon", "--teacher.steps", "250", "--rhythm.probe-every", "500")
SHORT = ("--recipe.planner.samples", "32", "--recipe.planner.horizon", "5")
SAYS = "of lives that are killed five times {gain:.0%} [{low:.0%}, {high:.0%}] end as the same bits as undisturbed ones: "
SCAN = Computed(
    function=Killed(words=("--world", "pendulum", "--recipe", "pets", *SHORT, "--recipe.planner.elites", "4", *TURNS)),
    measures=MEASURES,
)
ALL = (Expect(measure="identical", arm="killed", over=0.0, by=1.0),)

scan = Claim(
    name="kills_scan",
    says=SAYS + "compiled lives of an ensemble that learns by rehearsal, through four changes of physics",
    arms={"killed": SCAN},
    expects=ALL,
    seeds=(0, 1, 2),
    minutes=3,
)

host = Claim(
    name="kills_gymnasium",
    says=SAYS + "lives in a simulator of Gymnasium, whose episodes are replayed",
    arms={
        "killed": varied(
            SCAN,
            {"function.words": ("--world", "gymnasium:Pendulum-v1", "--recipe", "losse_mpc", *SHORT), "function.steps": 3000},
        )
    },
    expects=ALL,
    seeds=(0, 1, 2),
    minutes=3,
)

experts = Claim(
    name="kills_losse",
    says=SAYS + "lives of linear experts that come and go",
    recipe="losse_experts",
    arms={
        "killed": varied(
            SCAN,
            {
                "function.words": (
                    *("--world", "pendulum", "--recipe", "losse_experts", *SHORT),
                    *("--recipe.model.most", "3", "--recipe.model.model.encoder.grids", "6", *TURNS),
                ),
                "function.steps": 3000,
            },
        )
    },
    expects=ALL,
    seeds=(0, 1, 2),
    minutes=3,
)

spilled = Claim(
    name="kills_spilled",
    says=SAYS + "lives with consolidated weights and a memory on disk that is halved again and again",
    arms={
        "killed": varied(
            SCAN,
            {
                "function.words": ("--world", "pendulum", "--recipe", "umwelt.claims.studies.kills:spilling", *TURNS),
                "function.steps": 3000,
            },
        )
    },
    expects=ALL,
    seeds=(0, 1, 2),
    minutes=3,
)

pixels = Claim(
    name="kills_pixels",
    says=SAYS + "lives that learn in the dreams of a small recurrent model of pixels",
    recipe="dreamer_v3",
    arms={
        "killed": varied(
            SCAN,
            {
                "function.words": (
                    *("--world", "cartpole", "--wrap", "pictured", "--recipe", "dreamer_v3", "--recipe.batch", "2"),
                    *("--recipe.length", "4", "--recipe.memory.length", "4", "--recipe.starts", "8"),
                    *("--recipe.model.model.depth", "4", "--recipe.model.model.units", "32"),
                    *("--recipe.model.model.deterministic", "32", "--recipe.policy.units", "32", "--rhythm.first-updates", "5"),
                )
            },
        )
    },
    expects=ALL,
    seeds=(0, 1, 2),
    minutes=5,
)

study = Claim(
    name="kills_study",
    says="of lives of 20,000 lessons from a log and some hundred decisions that are killed ten times {gain:.0%} [{low:.0%},"
    " {high:.0%}] end as the same bits as undisturbed ones",
    recipe="iql",
    arms={
        "killed": varied(
            SCAN,
            {
                "function.words": (
                    *("--world", "pendulum", "--shown", "umwelt.claims.studies.kills:LOGGED", "--recipe", "iql"),
                    *("--study", "20000", "--recipe.learner.learner.learner.units", "16", "--recipe.batch", "32"),
                ),
                "function.steps": 400,
                "function.kills": 10,
            },
        )
    },
    expects=ALL,
    seeds=(0, 1, 2),
    minutes=8,
)
