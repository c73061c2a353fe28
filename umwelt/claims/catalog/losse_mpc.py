"""What planning in the online linear model is good for."""

from umwelt.behaviours import RandomAgent
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.curves import curve
from umwelt.recipes.losse_mpc import losse_mpc
from umwelt.recipes.variation import varied
from umwelt.worlds import Pendulum

PLANNED = curve(losse_mpc(Pendulum()), 1500)

plans = Claim(
    name="losse_mpc",
    says="after 1,500 decisions, planning in the linear model gains {gain:.0f} [{low:.0f}, {high:.0f}] of return over chance",
    recipe="losse_mpc",
    cites=("losse_2024",),
    arms={"planning": PLANNED, "random": varied(PLANNED, {"life.agent": RandomAgent()})},
    expects=(Expect(measure="final_return", arm="planning", over="random", by=500.0),),
    minutes=3,
)
