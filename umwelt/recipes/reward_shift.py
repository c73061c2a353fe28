"""dqn whose rewards are shifted down, so that what was not tried looks good."""

from umwelt.behaviours import Shifted
from umwelt.recipes.dqn import dqn
from umwelt.recipes.variation import around, vary

reward_shift = vary(
    dqn,
    {"agent.learner": around(lambda learner: Shifted(learner=learner, shifts=(-0.5,)))},
    name="reward_shift",
    summary="dqn with a negative constant added to all rewards: optimistic first values",
    cites=("reward_shift_2022",),
    needs=("choices",),
)
