"""What must be true of data, so that a network learns from its context, and not only in its weights."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.pairs import IN_CONTEXT, IN_WEIGHTS, Attention, Bursts, Recurrence
from umwelt.recipes.variation import varied

BURSTS = Computed(function=Bursts(reader=Attention()), measures=(IN_CONTEXT, IN_WEIGHTS), together=True)

emerging = Claim(
    name="burstiness",
    says="of classes that are new, attention that practised on bursts names {gain:.2f} [{low:.2f}, {high:.2f}] more in context"
    " than attention that did not, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more than a recurrent network; without bursts"
    " {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] more classes of practice are known in the weights; where few classes are common,"
    " and a tenth of the contexts is without bursts, {gain_4:.2f} [{low_4:.2f}, {high_4:.2f}] above 0.6 are named in context,"
    " and {gain_5:.2f} [{low_5:.2f}, {high_5:.2f}] above 0.6 in the weights",
    arms={
        "bursts": BURSTS,
        "no bursts": varied(BURSTS, {"function.share": 0.0}),
        "zipf": varied(BURSTS, {"function.exponent": 1.0, "function.share": 0.9}),
        "recurrent": varied(BURSTS, {"function.reader": Recurrence()}),
    },
    expects=(
        Expect(measure="in_context", arm="bursts", over="no bursts", by=0.5),
        Expect(measure="in_context", arm="bursts", over="recurrent", by=0.4),
        Expect(measure="in_weights", arm="no bursts", over="bursts", by=0.5),
        Expect(measure="in_context", arm="zipf", over=0.6),
        Expect(measure="in_weights", arm="zipf", over=0.6),
    ),
    cites=("burstiness_2022",),
    seeds=(0, 1, 2, 3, 4),
    tuned=(100, 101, 102),
    minutes=5,
    tries=3,
    tried="512 classes with a tenth of the contexts without bursts: the weights soon knew them all, and attention no longer read"
    " the context; then 1,024 classes in bursts alone, where those of Zipf's law too were named only in context; then a tenth"
    " without bursts for Zipf's law",
    not_shown="handwritten letters through a convolution, twelve blocks, and labels as tokens of their own: here an item and its"
    " label are one token, so no block has to find which label stands next to an item. Classes of Zipf's law"
    " differ from even ones by their tenth without bursts too: there is no arm of even ones with it. Known classes are asked for"
    " as often as in practice; longer practice, in which what is learned in context may be lost again, is not tried",
)
