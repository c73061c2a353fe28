"""What it is good for that an adviser corrects a student on the student's own way."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.twins import REACHED, Twins
from umwelt.recipes.variation import varied

ADVISED = Computed(function=Twins(), measures=(REACHED,), together=True)
corrects = Claim(
    name="emma",
    says="of new layouts with a door and its key, a student that sees them from inside passes {gain:.2f} [{low:.2f}, {high:.2f}]"
    " more where an adviser's actions were preferred in 40 episodes of its own than where it cloned 40 more of the adviser's,"
    " and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more than where it cloned the advice",
    arms={
        "preferred": ADVISED,
        "shown": varied(ADVISED, {"function.how": "shown", "function.learner.loss": "clone"}),
        "cloned": varied(ADVISED, {"function.learner.loss": "clone"}),
    },
    expects=(
        Expect(measure="reached", arm="preferred", over="shown", by=0.2),
        Expect(measure="reached", arm="preferred", over="cloned", by=-0.02),
    ),
    cites=("emma_2024", "dpo_2023"),
    seeds=(0, 1, 2, 3, 4),
    tuned=(100, 101, 102),
    minutes=3,
    tries=2,
    tried="two settings, on seed 100: of preferences with a temperature of 0.1 and 160 episodes, and of 1 and 40. They came to"
    " 0.37 and 0.48, where cloning the adviser's own episodes came to 0.94 and 0.84",
    not_shown="language models, pictures and ALFWorld. The adviser is a rule that errs in one action of twenty, and does not"
    " reflect on episodes that failed",
)
