"""What dreams of balanced losses reach."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.curves import curve
from umwelt.recipes.harmony_dream import harmony_dream
from umwelt.worlds import Pendulum

pendulum = Claim(
    name="harmony_dream_pendulum",
    says="after 12,000 decisions on a pendulum the return is {gain:.0f} [{low:.0f}, {high:.0f}] above -250 (solved)",
    recipe="harmony_dream",
    cites=("harmony_dream_2024",),
    arms={"dreams": curve(harmony_dream(Pendulum()), 12000, every=3000)},
    expects=(Expect(measure="final_return", arm="dreams", over=-250.0),),
    seeds=(0, 1, 2),
    minutes=26,
    tried="settings of the recipe are those of dreamer_v3",
    not_shown="the tasks of the paper, where balance matters more",
)
