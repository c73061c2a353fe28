"""What empowerment is good for in a grid with noise: how much of it is met where nothing pays."""

import jax

from umwelt.behaviours import DQN, ModelFree, Rewarded
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.unpaid import MET, Unpaid
from umwelt.curiosity import Empowerment
from umwelt.memory import Ring
from umwelt.recipes.variation import varied
from umwelt.worlds import Grid

CELLS = 40
LEARNER = DQN(units=64, learning_rate=1e-3, discount=0.9, epsilon_updates=1000, final_epsilon=0.1)


def cell(observation: jax.Array) -> jax.Array:
    """The cell that is shown, bool [B, 40], without the noise beside it."""
    return observation[:, :CELLS] > 0.5


EMPOWERED = Computed(
    function=Unpaid(
        world=Grid(batch=4, time_limit=50, television=8, rewards=(("G", 1.0),)),
        agent=ModelFree(
            learner=Rewarded(learner=LEARNER, curiosity=Empowerment(), instead=True), memory=Ring(bytes=5_000_000), batch=64
        ),
        places=cell,
        ticks=5000,
        every=2,
    ),
    measures=(MET,),
    together=True,
)

meets = Claim(
    name="infopower",
    says="paid for empowerment alone, an episode in four rooms with noise meets {gain:.2f} [{low:.2f}, {high:.2f}] times as many"
    " cells as one that is paid nothing",
    recipe="infopower",
    cites=("infopower_2022",),
    arms={"empowered": EMPOWERED, "unpaid": varied(EMPOWERED, {"function.agent.learner.weight": 0.0})},
    expects=(Expect(measure="met", arm="empowered", over="unpaid", by=1.15, ratio=True),),
    seeds=(0, 1, 2, 3, 4, 5),
    minutes=2,
    tuned=(100, 101, 102, 103, 104, 105),
    tried="one setting: empowerment is highest in the middles of rooms, and an agent that is paid for it alone stays there",
    not_shown="pixels and natural video, and the latent model that keeps what actions can influence; the bonus alone is tried",
)
