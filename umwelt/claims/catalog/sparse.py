"""What learning by few weights is good for: what was learned first, while something new is learned."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.cards import TUNED, TURNED
from umwelt.recipes.variation import varied
from umwelt.retention import Sparse

spares = Claim(
    name="sparse",
    says="when turned digits are known to 0.90, {gain:.2f} [{low:.2f}, {high:.2f}] more upright ones are still known",
    arms={"sparse": varied(TURNED, {"function.agent.protection": Sparse(share=0.1)}), "full": TURNED},
    expects=(Expect(measure="kept", arm="sparse", over="full", by=0.1),),
    cites=("spu_2024",),
    seeds=tuple(range(10)),
    tuned=TUNED,
    minutes=2,
    tried="a tenth of each array, chosen again in each update; nothing else",
    not_shown=(
        "a mask that is kept for a whole task and in one kind of layer, as in the paper; CLIP."
        " Digits that a small network learned upright stand in for what was pretrained"
    ),
)
