"""What conformal stopping guarantees, and what values of places are good for, in questions about a house."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.questions import arm

CONFORMAL = arm()
NOT_SHOWN = (
    "scans of houses and a vision-language model: a noisy rule that is too sure stands in; walls, and a map that fuses views"
)
TRIED = (
    "a model whose noise is drawn at each view, and one with a bias in each house besides, under which many answers are left at"
    " the end of most houses and 0.6 of the answers are right"
)

covers = Claim(
    name="explore_until_confident",
    says="answers that are given where one is left are right in {gain:.3f} [{low:.3f}, {high:.3f}] more than 0.87 of the houses"
    " where one in ten may be wrong, and in {gain_2:.3f} [{low_2:.3f}, {high_2:.3f}] more than 0.77 where one in five may",
    arms={"conformal": CONFORMAL},
    expects=(
        Expect(measure="right_at_90", arm="conformal", over=0.87),
        Expect(measure="right_at_80", arm="conformal", over=0.77),
    ),
    cites=("explore_until_confident_2024",),
    minutes=1,
    tries=2,
    tried=TRIED,
    not_shown=NOT_SHOWN,
)

trusted = Claim(
    name="explore_until_confident_threshold",
    says="answers that are given where one is left are right in {gain:.3f} [{low:.3f}, {high:.3f}] more of the houses than those"
    " of a model that is too sure and answers above a level, after as many decisions",
    arms={"conformal": CONFORMAL, "threshold": arm(trust="threshold")},
    expects=(Expect(measure="right_at_90", arm="conformal", over="threshold", by=0.1),),
    cites=("explore_until_confident_2024",),
    minutes=1,
    tries=2,
    tried=TRIED + "; in both, a level that is tuned to as many decisions answers as rightly, though it guarantees nothing",
    not_shown=NOT_SHOWN,
)

led = Claim(
    name="explore_until_confident_frontier",
    says="places that are chosen by their value take {gain:.2f} [{low:.2f}, {high:.2f}] times as many decisions until the answer"
    " as the nearest ones",
    arms={"led": CONFORMAL, "nearest": arm(led=False)},
    expects=(Expect(measure="decisions", arm="led", over="nearest", by=0.8, ratio=True),),
    cites=("explore_until_confident_2024",),
    minutes=1,
    tries=2,
    tried=TRIED,
    not_shown=NOT_SHOWN,
)
