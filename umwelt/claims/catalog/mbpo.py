"""What dreams that branch from memory reach."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.curves import curve
from umwelt.recipes.mbpo import mbpo
from umwelt.worlds.adapters import gymnasium

hopper = Claim(
    name="mbpo_hopper",
    says="after 30,000 decisions of Hopper-v5 the return is {gain:.0f} [{low:.0f}, {high:.0f}] above 1,000",
    recipe="mbpo",
    cites=("mbpo_2019",),
    arms={"dreams": curve(mbpo(gymnasium("Hopper-v5")), 30000, every=5000)},
    expects=(Expect(measure="final_return", arm="dreams", over=1000.0),),
    seeds=(1, 2, 3),
    tuned=(0,),
    minutes=190,
    tried="settings were chosen on seed 0 of this world",
    not_shown="the published curve is higher",
)
