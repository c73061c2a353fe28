"""What dreams that branch from memory reach."""

from umwelt.claims.arms import Lived
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.measures import FINAL_RETURN
from umwelt.recipes.mbpo import mbpo
from umwelt.recipes.variation import varied
from umwelt.worlds.adapters import gymnasium

hopper = Claim(
    name="mbpo_hopper",
    says="after 30,000 decisions of Hopper-v5 the return is {gain:.0f} [{low:.0f}, {high:.0f}] above 1,000",
    recipe="mbpo",
    cites=("mbpo_2019",),
    arms={
        "dreams": Lived(
            life=varied(mbpo(gymnasium("Hopper-v5")), {"rhythm.probe_every": 5000, "rhythm.probe_episodes": 10}),
            steps=30000,
            measures=(FINAL_RETURN,),
        )
    },
    expects=(Expect(measure="final_return", arm="dreams", over=1000.0),),
    seeds=(0, 1, 2),
    minutes=190,
    tried="settings were chosen on seed 0 of this world",
    not_shown="the published curve is higher",
)
