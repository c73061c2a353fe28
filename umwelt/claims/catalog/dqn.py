"""What learning values of choices reaches without a model."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.curves import curve
from umwelt.recipes.dqn import dqn
from umwelt.worlds import Cartpole

cartpole = Claim(
    name="dqn_cartpole",
    says="after 40,000 decisions of balancing a pole the return is {gain:.0f} [{low:.0f}, {high:.0f}] above 475 of 500",
    recipe="dqn",
    cites=("double_dqn_2016",),
    arms={"values": curve(dqn(Cartpole()), 40000, every=5000)},
    expects=(Expect(measure="final_return", arm="values", over=475.0),),
    seeds=(3, 4, 5, 6, 7, 8),
    tuned=(0, 1, 2),
    tries=3,
    minutes=4,
    tried="the step size was chosen among three, on seeds 0 to 2 of this world",
    not_shown="the games of the paper",
)
