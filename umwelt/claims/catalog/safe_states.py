"""What a guard is good for while an arm learns to reach among discs."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.safety import BROKEN, REACHED, Safety
from umwelt.recipes.variation import varied

GUARDED = Computed(function=Safety(), measures=(BROKEN, REACHED), together=True)
PLAIN = varied(GUARDED, {"function.guarded": False})
guards = Claim(
    name="safe_states",
    says="in 20,000 decisions of learning, a guard saves {gain:.0f} [{low:.0f}, {high:.0f}] that break something, and"
    " {gain_2:.0f} [{low_2:.0f}, {high_2:.0f}] of those that a fine of 1 leaves; {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] more of"
    " the episodes reach the goal at the end",
    recipe="safe_states",
    arms={"guarded": GUARDED, "plain": PLAIN, "fined": varied(PLAIN, {"function.fine": 1.0})},
    expects=(
        Expect(measure="broken", arm="guarded", over="plain", by=200.0),
        Expect(measure="broken", arm="guarded", over="fined", by=50.0),
        Expect(measure="reached", arm="guarded", over="plain", by=-0.05),
    ),
    seeds=(0, 1, 2, 3, 4),
    tuned=(100, 101),
    minutes=6,
    tried="one setting",
    not_shown="a real arm. The hierarchy is that of the abstract: demands of discs and limits above the wish, by null spaces, and"
    " a step that is shortened where it would still come too near",
)
