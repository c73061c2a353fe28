"""What a return to stored places is good for, where the way is long and the first reward a trap."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.shelves import BACKWARD, BEGUN, CURIOUS, FORWARD, RETURNED

returns = Claim(
    name="go_explore",
    says="in 100,000 decisions a random explorer that returns visits {gain:.2f} [{low:.2f}, {high:.2f}] times as many cells of"
    " three locked rooms as one that begins at the start, and the far room is entered in {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}]"
    " more of the lives",
    arms={"returned": RETURNED, "begun": BEGUN},
    expects=(
        Expect(measure="cells", arm="returned", over="begun", by=2.0, ratio=True),
        Expect(measure="far", arm="returned", over="begun", by=0.8),
    ),
    cites=("go_explore_2019",),
    seeds=tuple(range(10)),
    minutes=2,
    tries=2,
    tried="rooms of 49 cells, in which one life of three found the far room from the start, and rooms of 81 cells",
    not_shown="Montezuma's Revenge and Pitfall; returns by replay in a hosted world, and their price in steps",
)

beside = Claim(
    name="go_explore_curious",
    says="a random explorer that returns visits {gain:.2f} [{low:.2f}, {high:.2f}] times as many cells of three locked rooms as a"
    " value learner from the start that is paid for what is rare, and enters the far room in"
    " {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more of the lives",
    arms={"returned": RETURNED, "curious": CURIOUS},
    expects=(
        Expect(measure="cells", arm="returned", over="curious", by=2.0, ratio=True),
        Expect(measure="far", arm="returned", over="curious", by=0.8),
    ),
    cites=("go_explore_2019",),
    recipe="go_explore",
    seeds=tuple(range(10)),
    minutes=3,
    tried="one setting; exact counts lead the value learner into the third room in two lives of three",
    not_shown="bonuses of learned features, which the paper compares with",
)

robust = Claim(
    name="go_explore_robust",
    says="a policy that is learned backwards along the best way found reaches the goal from the start, under actions that stick,"
    " in {gain:.2f} [{low:.2f}, {high:.2f}] more of its episodes than one that is learned from the start in as many decisions",
    arms={"backward": BACKWARD, "forward": FORWARD},
    expects=(
        Expect(measure="success", arm="backward", over="forward", by=0.5),
        Expect(measure="success", arm="backward", over=0.0, by=0.5),
    ),
    cites=("go_explore_2019",),
    recipe="go_explore",
    minutes=4,
    not_shown="robustification by a policy gradient at the paper's scale; a value learner stands in for it",
)
