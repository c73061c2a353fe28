"""What one-step dreams of the online linear model reach."""

from umwelt.claims.arms import Lived
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.measures import FINAL_RETURN
from umwelt.recipes.losse_dyna import losse_dyna
from umwelt.recipes.variation import varied
from umwelt.worlds import Cartpole, Pendulum

cartpole = Claim(
    name="losse_dyna_cartpole",
    says="after 20,000 decisions of balancing a pole the return is {gain:.0f} [{low:.0f}, {high:.0f}] above 475 of 500",
    recipe="losse_dyna",
    cites=("losse_2024",),
    arms={
        "dreams": Lived(
            life=varied(losse_dyna(Cartpole()), {"rhythm.probe_every": 2500, "rhythm.probe_episodes": 10}),
            steps=20000,
            measures=(FINAL_RETURN,),
        )
    },
    expects=(Expect(measure="final_return", arm="dreams", over=475.0),),
    seeds=(0, 1, 2),
    minutes=5,
    tried="the step size of the learner was chosen on seeds 0 to 2 of this world, among three",
    not_shown="the tasks of the paper",
)

pendulum = Claim(
    name="losse_dyna_pendulum",
    says="after 10,000 decisions on a pendulum the return is {gain:.0f} [{low:.0f}, {high:.0f}] above -250 (solved)",
    recipe="losse_dyna",
    cites=("losse_2024",),
    arms={
        "dreams": Lived(
            life=varied(losse_dyna(Pendulum()), {"rhythm.probe_every": 2500, "rhythm.probe_episodes": 10}),
            steps=10000,
            measures=(FINAL_RETURN,),
        )
    },
    expects=(Expect(measure="final_return", arm="dreams", over=-250.0),),
    seeds=(0, 1, 2),
    minutes=18,
    tried="one setting",
    not_shown="the tasks of the paper",
)
