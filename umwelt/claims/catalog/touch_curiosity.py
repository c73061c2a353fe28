"""What touch is good for as a signal, on a table where contacts are rare."""

import jax

from umwelt.behaviours import SAC, ModelFree, Rewarded
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.unpaid import TOUCHED, Unpaid
from umwelt.curiosity import Mismatch
from umwelt.memory import Ring
from umwelt.recipes.variation import varied
from umwelt.worlds import Arm, touching
from umwelt.worlds.touching import FELT, SEEN

ACROSS = Mismatch(given=SEEN, expected=FELT)


def touched(observation: jax.Array) -> jax.Array:
    """Whether the tip presses button, door, puck or peg, bool [B, 4]."""
    return observation[:, FELT[0] : FELT[-1]] > 1e-3


FEELING = Computed(
    function=Unpaid(
        world=touching(Arm(batch=4)),
        agent=ModelFree(
            learner=Rewarded(learner=SAC(units=64, learning_rate=1e-3, discount=0.95), curiosity=ACROSS, instead=True),
            memory=Ring(bytes=8_000_000),
            batch=128,
        ),
        places=touched,
        ticks=5000,
        every=2,
    ),
    measures=(TOUCHED,),
    together=True,
)

touches = Claim(
    name="touch_curiosity",
    says="paid where feeling and seeing part, an arm touches things {gain:.1f} [{low:.1f}, {high:.1f}] times as often as where"
    " the error of what it will see pays, and {gain_2:.1f} [{low_2:.1f}, {high_2:.1f}] times as often as where nothing does",
    recipe="touch_curiosity",
    cites=("touch_curiosity_2021",),
    arms={
        "touch": FEELING,
        "next vision": varied(FEELING, {"function.agent.learner.curiosity": Mismatch(given=SEEN, expected=SEEN, of="next")}),
        "nothing": varied(FEELING, {"function.agent.learner.weight": 0.0}),
    },
    expects=(
        Expect(measure="touched", arm="touch", over="next vision", by=2.0, ratio=True),
        Expect(measure="touched", arm="touch", over="nothing", by=2.0, ratio=True),
    ),
    minutes=3,
    tried="one setting",
    not_shown="cameras and force sensors, and the second phase, in which stored transitions are drawn with a task's reward",
)
