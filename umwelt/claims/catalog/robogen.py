"""Proposed chores, solved by one method or by the one for each part's kind of contact."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.proposed import SOLVED, Proposing
from umwelt.recipes.variation import varied

CHOSEN = Computed(function=Proposing(), measures=(SOLVED,), together=True)
ALONE = {name: varied(CHOSEN, {"function.by": name}) for name in ("plan", "learn", "lead")}

chosen = Claim(
    name="robogen",
    says="of twelve proposed chores of two parts, {gain:.1f} [{low:.1f}, {high:.1f}] more are solved where the kind of contact"
    " chooses a method for each part than by trajectory optimisation alone, {gain_2:.1f} [{low_2:.1f}, {high_2:.1f}] more than"
    " by reinforcement learning alone, and {gain_3:.1f} [{low_3:.1f}, {high_3:.1f}] more than by motion without contact",
    recipe="robogen",
    cites=("robogen_2024",),
    arms={"chosen": CHOSEN, **ALONE},
    expects=tuple(Expect(measure="solved", arm="chosen", over=name, by=2.0) for name in ALONE),
    seeds=(0, 1, 2),
    minutes=10,
    tries=2,
    tried="planners of 768 and of 192 imagined steps a decision; in the known model and for the smooth reward of a predicate,"
    " both solve 11 or 12 chores of 12 by themselves on the tuning seeds, which leaves no room for two more",
    not_shown="tasks, scenes, assets and rewards that a language model writes: a grammar stands in. Other simulators, soft"
    " bodies, one policy for each part, and solutions that are kept as skills",
)
