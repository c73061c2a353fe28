"""What planning in the online linear model is good for."""

from umwelt.behaviours import RandomAgent
from umwelt.claims.arms import Lived
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.measures import FINAL_RETURN
from umwelt.recipes.losse_mpc import losse_mpc
from umwelt.recipes.variation import varied
from umwelt.worlds import Pendulum

PLANNED = Lived(
    life=varied(losse_mpc(Pendulum()), {"rhythm.probe_episodes": 10}),
    steps=1500,
    measures=(FINAL_RETURN,),
)

plans = Claim(
    name="losse_mpc",
    says="after 1,500 decisions, planning in the linear model gains {gain:.0f} [{low:.0f}, {high:.0f}] of return over chance",
    recipe="losse_mpc",
    cites=("losse_2024",),
    arms={"planning": PLANNED, "random": varied(PLANNED, {"life.agent": RandomAgent()})},
    expects=(Expect(measure="final_return", arm="planning", over="random", by=500.0),),
    minutes=3,
)
