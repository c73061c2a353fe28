"""What one-step dreams of the online linear model reach."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.curves import curve
from umwelt.recipes.losse_dyna import losse_dyna
from umwelt.worlds import Cartpole, Pendulum

cartpole = Claim(
    name="losse_dyna_cartpole",
    says="after 20,000 decisions of balancing a pole the return is {gain:.0f} [{low:.0f}, {high:.0f}] above 475 of 500",
    recipe="losse_dyna",
    cites=("losse_2024",),
    arms={"dreams": curve(losse_dyna(Cartpole()), 20000, every=2500)},
    expects=(Expect(measure="final_return", arm="dreams", over=475.0),),
    seeds=(3, 4, 5),
    tuned=(0, 1, 2),
    tries=3,
    minutes=5,
    tried="the step size of the learner was chosen among three, on seeds 0 to 2 of this world",
    not_shown="the tasks of the paper",
)

pendulum = Claim(
    name="losse_dyna_pendulum",
    says="after 10,000 decisions on a pendulum the return is {gain:.0f} [{low:.0f}, {high:.0f}] above -250 (solved)",
    recipe="losse_dyna",
    cites=("losse_2024",),
    arms={"dreams": curve(losse_dyna(Pendulum()), 10000, every=2500)},
    expects=(Expect(measure="final_return", arm="dreams", over=-250.0),),
    seeds=(0, 1, 2),
    minutes=18,
    tried="one setting",
    not_shown="the tasks of the paper",
)
