"""How many tasks it takes until a network learns a new one from its context, and does not only know those of practice."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.pairs import GAP, SEEN, UNSEEN, Attention, Mapped, Recurrence
from umwelt.recipes.variation import varied

MANY = Computed(function=Mapped(reader=Attention()), measures=(UNSEEN, SEEN, GAP), together=True)

general = Claim(
    name="gpicl",
    says="after 32 digits that a new random map has scrambled, attention that practised on 16,384 maps names"
    " {gain:.2f} [{low:.2f}, {high:.2f}] more than one that practised on 16, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] above"
    " chance; the gap between maps of practice and new ones is {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] smaller; a recurrent"
    " network of as many weights names {gain_4:.2f} [{low_4:.2f}, {high_4:.2f}] less",
    arms={
        "many": MANY,
        "few": varied(MANY, {"function.tasks": 16}),
        "recurrent": varied(MANY, {"function.reader": Recurrence()}),
    },
    expects=(
        Expect(measure="unseen", arm="many", over="few", by=0.3),
        Expect(measure="unseen", arm="many", over=0.1, by=0.3),
        Expect(measure="gap", arm="many", over="few", by=0.3),
        Expect(measure="unseen", arm="many", over="recurrent", by=0.1),
    ),
    cites=("gpicl_2022",),
    seeds=(0, 1, 2),
    tuned=(100, 101, 102),
    minutes=8,
    tried="one setting",
    not_shown="pictures of 28 by 28, contexts of 100 examples, and the plateau of practice that a biased choice of tasks"
    " shortens. A picture and its label are one token, where the paper shows a label a step later. The recurrent network has"
    " neither a larger state nor longer practice, with which such networks learn in the paper",
)
