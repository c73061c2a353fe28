"""What a policy that imitates its own plans reaches."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.curves import curve
from umwelt.recipes.bmpc import bmpc
from umwelt.worlds.adapters import gymnasium

pendulum = Claim(
    name="bmpc_pendulum",
    says="after 6,000 decisions on Pendulum-v1 the return is {gain:.0f} [{low:.0f}, {high:.0f}] above -250 (solved)",
    recipe="bmpc",
    cites=("bmpc_2025",),
    arms={"planning": curve(bmpc(gymnasium("Pendulum-v1")), 6000, every=1500)},
    expects=(Expect(measure="final_return", arm="planning", over=-250.0),),
    seeds=(0, 1, 2),
    minutes=18,
    tried="settings of the recipe are those of tdmpc2",
    not_shown="the tasks of the paper, where it is compared with tdmpc2",
)
