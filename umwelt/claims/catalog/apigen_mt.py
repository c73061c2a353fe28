"""What it is good for that conversations are built from blueprints which are executed, reviewed and reached."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.desks import ALWAYS, ANSWERED, EXECUTABLE, Desks
from umwelt.recipes.variation import varied

VERIFIED = Computed(function=Desks(), measures=(ANSWERED, ALWAYS, EXECUTABLE), together=True)
checks = Claim(
    name="apigen_mt",
    says="a clone of what was kept of 2,000 conversations after checks answers {gain:.2f} [{low:.2f}, {high:.2f}] more of new"
    " wishes than a clone of 2,000 without checks, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more in each of four trials; of"
    " blueprints, {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] more than 0.95 can be executed with feedback",
    arms={
        "verified": VERIFIED,
        "unverified": varied(
            VERIFIED, {"function.source.verify": False, "function.source.attempts": 1, "function.source.reviewers": 0}
        ),
    },
    expects=(
        Expect(measure="answered", arm="verified", over="unverified", by=0.15),
        Expect(measure="always", arm="verified", over="unverified", by=0.15),
        Expect(measure="executable", arm="verified", over=0.95, by=0.0),
        Expect(measure="executable", arm="verified", over="unverified", by=0.35),
    ),
    cites=("apigen_mt_2025",),
    seeds=(0, 1, 2, 3, 4),
    tuned=(100, 101, 102),
    minutes=2,
    tried="one setting, on seed 100",
    not_shown="language models as makers, reviewers, customers and agents: all of them are rules that err with set chances;"
    " tau-bench and BFCL. How much is gained depends on those chances",
)
