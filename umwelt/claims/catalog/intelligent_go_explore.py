"""What a judge of states is good for in a search for 24, and what is left of it where the judge is a coin."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.puzzles import arm

JUDGED = arm(order="judged", wrong=0.2)
UNIFORM = arm(order="uniform")
SEEDS = (0, 1, 2, 3, 4, 5)

judged = Claim(
    name="intelligent_go_explore",
    says="with a judge that is wrong in one answer of five, 24 is found after {gain:.2f} [{low:.2f}, {high:.2f}] times as many"
    " operations as with even choices, {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] of those of a search in depth, and"
    " {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] of one in breadth",
    arms={"judged": JUDGED, "uniform": UNIFORM, "depth": arm(order="depth"), "breadth": arm(order="breadth")},
    expects=tuple(
        Expect(measure="expanded", arm="judged", over=other, by=0.6, ratio=True) for other in ("uniform", "depth", "breadth")
    ),
    cites=("intelligent_go_explore_2025",),
    seeds=SEEDS,
    minutes=2,
    tries=2,
    tried="a judge that goes on in a state when it likes no operation there (0.7 of even choices), and one that leaves it",
    not_shown="the judgement of a language model: a rule with a rate of error stands in for it; what to keep is not judged",
)

coin = Claim(
    name="intelligent_go_explore_coin",
    says="even choices need {gain:.2f} [{low:.2f}, {high:.2f}] times as many operations as a judge whose answers are a coin's",
    arms={"uniform": UNIFORM, "coin": arm(order="judged", wrong=0.5)},
    expects=(Expect(measure="expanded", arm="uniform", over="coin", by=1.1, ratio=True),),
    cites=("intelligent_go_explore_2025",),
    seeds=SEEDS,
    minutes=2,
    tried="one setting",
    not_shown="errors of a language model, which are not independent of each other",
)
