"""What loosened demonstrations are good for where a page pays only when all of it is right."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.guided import EPISODES, Guided
from umwelt.recipes.variation import varied

GUIDED = Computed(function=Guided(), measures=(EPISODES,), together=True)
guides = Claim(
    name="workflow_exploration",
    says="a policy fulfils nine of ten new instructions after {gain:.2f} [{low:.2f}, {high:.2f}] times as many episodes where"
    " constraints guide exploration as where it explores by itself after cloning ten demonstrations, and after {gain_2:.2f}"
    " [{low_2:.2f}, {high_2:.2f}] times as many as from scratch",
    arms={
        "workflows": GUIDED,
        "clone": varied(GUIDED, {"function.how": "clone"}),
        "scratch": varied(GUIDED, {"function.how": "scratch"}),
    },
    expects=(
        Expect(measure="episodes", arm="workflows", over="clone", by=0.1, ratio=True),
        Expect(measure="episodes", arm="workflows", over="scratch", by=0.1, ratio=True),
    ),
    cites=("workflow_exploration_2018",),
    seeds=(0, 1, 2, 3, 4),
    tuned=(100, 101, 102),
    tries=2,
    minutes=8,
    tried="two step sizes of the scores, on seeds 100 to 102: with 0.5, 4,000 episodes were not enough; with 5 about 800 were",
    not_shown="browsers and their pages. The policy clones successes, where the paper's learns from rewards too",
)
