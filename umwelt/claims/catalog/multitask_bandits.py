"""What many bandits save that share a representation."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.bandits import RIGHT, TRIES, Bandits
from umwelt.recipes.variation import varied

SHARED = Computed(function=Bandits(), measures=(TRIES, RIGHT))

shared = Claim(
    name="multitask_bandits",
    says="twenty linear bandits whose slopes share a plane need {gain:.2f} [{low:.2f}, {high:.2f}] times the tries until the best"
    " arm of each is named, where the plane is learned first; the share that is right is {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}]"
    " higher",
    arms={"shared": SHARED, "alone": varied(SHARED, {"function.shared": False})},
    expects=(
        Expect(measure="tries", arm="shared", over="alone", by=0.6, ratio=True),
        Expect(measure="right", arm="shared", over="alone", by=-0.02),
    ),
    cites=("multitask_bandits_2023",),
    seeds=tuple(range(10)),
    minutes=0.5,
    tries=2,
    tried="gaps of 0.2 with 6,000 tries of each bandit for the plane, which cost what they save; and gaps of 0.1 with 3,000",
    not_shown="contexts, and a plane that is learned again in each phase: here it is learned once, and its error is in no bound",
)
