"""What mixing old skills in the space of weights is good for, with one demonstration of a new task."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.cloned_skills import KEPT, REACHED, Cloned
from umwelt.recipes.variation import varied

COMPOSE = Computed(function=Cloned(), measures=(REACHED, KEPT), together=True)

composes = Claim(
    name="psec",
    says="with one demonstration of a new way, a mixture of old skills and a fresh one reaches its goal in {gain:.2f}"
    " [{low:.2f}, {high:.2f}] more of its episodes than a fresh one alone, in {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more than"
    " fine-tuning, and keeps {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] more of an old skill than that",
    arms={
        "compose": COMPOSE,
        "fresh": varied(COMPOSE, {"function.how": "fresh"}),
        "full": varied(COMPOSE, {"function.how": "full"}),
    },
    expects=(
        Expect(measure="reached", arm="compose", over="fresh", by=0.15),
        Expect(measure="reached", arm="compose", over="full", by=0.15),
        Expect(measure="kept", arm="compose", over="full", by=0.3),
    ),
    cites=("psec_2025", "lora_2022"),
    minutes=4,
    tries=2,
    tried="five demonstrations, from which a fresh skill alone reaches the goal always too (seed 100), and one",
    not_shown="a diffusion policy, D4RL, DSRL and MetaDrive; a network that clones an expert in four rooms stands in",
)
