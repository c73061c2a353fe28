"""What clusters of actions are good for, where another policy over a thousand actions is valued from a log."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.logged_choices import SQUARED, LoggedChoices
from umwelt.recipes.variation import varied

CLUSTERED = Computed(function=LoggedChoices(), measures=(SQUARED,))
clusters = Claim(
    name="offcem",
    says="of a thousand actions, the squared error of a policy's estimated value is {gain:.3f} [{low:.3f}, {high:.3f}] times that"
    " of a doubly robust estimate, and {gain_2:.3f} [{low_2:.3f}, {high_2:.3f}] times that of importance weights",
    arms={
        "clustered": CLUSTERED,
        "doubly robust": varied(CLUSTERED, {"function.how": "doubly robust"}),
        "importance": varied(CLUSTERED, {"function.how": "importance"}),
    },
    expects=(
        Expect(measure="squared_error", arm="clustered", over="doubly robust", by=0.5, ratio=True),
        Expect(measure="squared_error", arm="clustered", over="importance", by=0.5, ratio=True),
    ),
    cites=("offcem_2023",),
    seeds=tuple(range(60)),
    tuned=tuple(range(100, 130)),
    minutes=1,
    tried="one setting",
    not_shown="logs of real shops. The clusters are the true ones here, and the ratio is that of typical (geometric mean) errors",
)
