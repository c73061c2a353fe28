"""What a skill gains that sees places from the thing that it handles."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.nearby import SUCCESS, Nearby
from umwelt.recipes.variation import varied

LOCAL = Computed(function=Nearby(), measures=(SUCCESS,), together=True)

nearby = Claim(
    name="local_policies",
    says="where pegs lie ten times as far about as in what was shown, a skill that sees places from the peg brings {gain:.2f}"
    " [{low:.2f}, {high:.2f}] more of them to the hole than one that sees places on the table",
    arms={"local": LOCAL, "global": varied(LOCAL, {"function.sees": "global"})},
    expects=(Expect(measure="success", arm="local", over="global", by=0.3),),
    cites=("local_policies_2024",),
    seeds=(0, 1, 2, 3, 4),
    tuned=(100, 101),
    minutes=1,
    tries=2,
    tried="one skill for the whole way to the hole, with which neither succeeds; and a skill that only takes the peg, between"
    " straight lines, with which both succeed nearly always: the table is small, and a network goes on in a straight line there",
    not_shown="the puck, chains of three wishes, vision, language models and real arms; lines of the hand stand in for a motion"
    " planner with obstacles",
)
