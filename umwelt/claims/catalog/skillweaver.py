"""What a library of macros is good for to a weak learner, and what their practice is good for."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.macro_pages import arm

LIBRARY, SEEDS = arm(), tuple(range(8))

helped = Claim(
    name="skillweaver",
    says="after 5,000 decisions a weak learner submits {gain:.2f} [{low:.2f}, {high:.2f}] more pages rightly with a library of"
    " macros than without it",
    arms={"library": LIBRARY, "alone": arm(helps=False)},
    expects=(Expect(measure="success", arm="library", over="alone", by=0.3),),
    cites=("skillweaver_2025",),
    seeds=SEEDS,
    minutes=2,
    tries=3,
    tried="sixteen macros by name, with one and with four updates after each decision, of which no life of three learned anything"
    " (0.01), and four by name",
    not_shown="browsers, and proposals and functions that a language model writes: traces of a rule with errors stand in",
)

practised = Claim(
    name="skillweaver_practised",
    says="where three traces of ten are spoilt, a weak learner submits {gain:.2f} [{low:.2f}, {high:.2f}] more pages rightly with"
    " macros that passed ten practice calls than with all macros that were made",
    arms={"tested": LIBRARY, "untested": arm(tested=False)},
    expects=(Expect(measure="success", arm="tested", over="untested", by=0.1),),
    cites=("skillweaver_2025",),
    seeds=SEEDS,
    minutes=2,
    tries=3,
    tried="as in skillweaver",
    not_shown="mending of what fails; a library that another life made",
)
