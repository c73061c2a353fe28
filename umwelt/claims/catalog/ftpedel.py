"""What recorded data of half the way are worth to a learner that goes on by itself, and whether it knows when it is done."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.warm_counts import CERTIFIED, EPISODES, WarmCounts
from umwelt.recipes.variation import varied

BOTH = Computed(function=WarmCounts(), measures=(EPISODES, CERTIFIED), together=True)

warm = Claim(
    name="ftpedel",
    says="with data that cover half of the way, optimism needs {gain:.2f} [{low:.2f}, {high:.2f}] times the episodes that it"
    " needs without them, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] times the most that data alone were given; its own bounds"
    " certify the result in {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] more of the seeds than those of data alone",
    arms={
        "both": BOTH,
        "online": varied(BOTH, {"function.counts": "online"}),
        "offline": varied(BOTH, {"function.counts": "offline"}),
    },
    expects=(
        Expect(measure="episodes", arm="both", over="online", by=0.6, ratio=True),
        Expect(measure="episodes", arm="both", over="offline", by=0.5, ratio=True),
        Expect(measure="certified", arm="both", over="offline", by=0.9),
    ),
    cites=("ftpedel_2023",),
    seeds=tuple(range(20)),
    minutes=1,
    tries=2,
    tried="eight places and two actions first, where ten episodes are enough without data; then twelve and four",
    not_shown="the published algorithm, which drops policies by designed experiments in linear worlds; this is optimism with"
    " counts, its shadow in a table",
)
