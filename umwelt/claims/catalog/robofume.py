"""What calibrated study and a learned judge are good for, where an arm practises a door alone."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.unattended import FALSE, LATE, SUCCESS, Unattended
from umwelt.recipes.variation import varied

JUDGED = Computed(function=Unattended(), measures=(SUCCESS, LATE, FALSE), together=True)
practises = Claim(
    name="robofume",
    says="in 6,000 decisions without a reset, an arm that studied calibrated values ends {gain:.2f} [{low:.2f}, {high:.2f}] more"
    " of its episodes with the door as wished than one that studied with plain conservative values, and {gain_2:.2f}"
    " [{low_2:.2f}, {high_2:.2f}] more than one without study; its learned judge brings {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}]"
    " times the success of the truth",
    recipe="robofume",
    arms={
        "calibrated": JUDGED,
        "plain": varied(JUDGED, {"function.learner.conservative.calibrated": False}),
        "scratch": varied(JUDGED, {"function.studies": 0, "function.learner.conservative": None}),
        "truth": varied(JUDGED, {"function.judge": None}),
    },
    expects=(
        Expect(measure="success", arm="calibrated", over="plain", by=0.1),
        Expect(measure="success", arm="calibrated", over="scratch", by=0.3),
        Expect(measure="success", arm="calibrated", over="truth", by=0.8, ratio=True),
    ),
    cites=("robofume_2024", "cal_ql_2023", "cql_2020"),
    seeds=(5, 6, 7, 8, 9),
    tuned=(100, 101, 102),
    minutes=9,
    tries=2,
    tried="2,000 lessons of study, and a judge that learned from the demonstrations alone: in practice it took nine moments of"
    " ten for a success, and next to no episode ended as wished; then 6,000 lessons, and a judge that learns from the play too."
    " The first was judged on seeds 0 to 4, which count no more",
    not_shown="vision-language models, pictures, five tasks of a real robot and its three hours; the judge is a small network"
    " that reads what the arm reads, and errs in a tenth of its examples",
)
