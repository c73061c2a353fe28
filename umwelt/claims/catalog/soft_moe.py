"""What a soft mixture of experts is good for in a value network that is eight times as wide."""

from umwelt.claims.arms import Lived
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.measures import MEAN_RETURN
from umwelt.recipes.soft_moe import soft_moe
from umwelt.recipes.variation import varied
from umwelt.worlds import Cartpole

LARGE = Lived(
    life=varied(soft_moe(Cartpole()), {"rhythm.probe_every": 1000, "rhythm.probe_episodes": 10}),
    steps=10000,
    measures=(MEAN_RETURN,),
)
DENSE = varied(LARGE, {"life.agent.learner.experts": 0})
grows = Claim(
    name="soft_moe",
    says="over 10,000 decisions of balancing a pole, the mean return of a value network of 256 units with experts is {gain:.2f}"
    " [{low:.2f}, {high:.2f}] times that of a dense one of as many weights, {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] times that"
    " of one of 32 units; the dense one's is {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] below that of 32 units",
    recipe="soft_moe",
    arms={"experts": LARGE, "dense": DENSE, "small": varied(DENSE, {"life.agent.learner.units": 32})},
    expects=(
        Expect(measure="mean_return", arm="experts", over="dense", by=1.1, ratio=True),
        Expect(measure="mean_return", arm="experts", over="small", by=1.05, ratio=True),
        Expect(measure="mean_return", arm="small", over="dense", by=0.0),
    ),
    cites=("soft_moe_2024", "soft_mixtures_2023"),
    seeds=(0, 1, 2, 3, 4),
    tuned=(100, 101, 102),
    minutes=8,
    tried="one setting, on seeds 100 to 102 and 15,000 decisions, in which the three kinds were alike within the spread of"
    " their seeds",
    not_shown="twenty games of Atari, Rainbow, and the share of units that fall silent. A pole is far from the size at which the"
    " paper finds that dense networks get worse",
)
