"""What dreams without pictures reach."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.curves import curve
from umwelt.recipes.mudreamer import mudreamer
from umwelt.worlds import Pendulum

pendulum = Claim(
    name="mudreamer_pendulum",
    says="after 18,000 decisions on a pendulum the return is {gain:.0f} [{low:.0f}, {high:.0f}] above -250 (solved)",
    recipe="mudreamer",
    cites=("mudreamer_2024",),
    arms={"dreams": curve(mudreamer(Pendulum()), 18000, every=3000)},
    expects=(Expect(measure="final_return", arm="dreams", over=-250.0),),
    seeds=(0, 1, 2),
    minutes=45,
    tried="settings of the recipe are those of dreamer_v3",
    not_shown="the paper's point, to ignore what distracts: a pendulum has little to leave out",
)
