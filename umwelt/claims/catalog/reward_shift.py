"""What a constant that is taken off all rewards is good for, where a treasure lies at the end of a costly chain."""

from umwelt.behaviours import DQN, ModelFree, Shifted
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.roaming import LATE_RETURN, SOLVED, Roamed
from umwelt.memory import Ring
from umwelt.recipes.variation import varied
from umwelt.worlds import DeepSea

TABLE = DQN(layers=0, learning_rate=0.02, ema_rate=0.1, final_epsilon=0.0, epsilon_updates=1)
SHIFTED = Computed(
    function=Roamed(
        world=DeepSea(size=10),
        agent=ModelFree(learner=Shifted(learner=TABLE, shifts=(-0.1,)), memory=Ring(bytes=8_000_000), batch=64),
        # 600 episodes
        ticks=6600,
        every=11,
        updates=16,
        task="drawn",
    ),
    measures=(SOLVED, LATE_RETURN),
    together=True,
)

finds = Claim(
    name="reward_shift",
    says="a table that takes 0.1 off every reward, and acts greedily, ends at the treasure of the deep sea in {gain:.2f}"
    " [{low:.2f}, {high:.2f}] more of the seeds than one with random actions, and in {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}]"
    " more than one that adds 0.1",
    recipe="reward_shift",
    arms={
        "less": SHIFTED,
        "random actions": varied(
            SHIFTED, {"function.agent.learner.shifts": (0.0,), "function.agent.learner.learner.final_epsilon": 0.05}
        ),
        "more": varied(SHIFTED, {"function.agent.learner.shifts": (0.1,)}),
    },
    expects=(
        Expect(measure="solved", arm="less", over="random actions", by=0.4),
        Expect(measure="solved", arm="less", over="more", by=0.4),
    ),
    cites=("reward_shift_2022", "bsuite_2020"),
    seeds=tuple(range(10)),
    tuned=(100, 101, 102, 103),
    minutes=1.4,
    tried="one setting, on seeds 100 to 103, of which the shift solved all and random actions two",
    not_shown="networks, whose values generalise, so that the optimism is gone after a few updates; critics of several shifts"
    " side by side; boxes; learning from logs, where a positive shift is to be cautious",
)
