"""dqn that is paid for what its episode has not met, and is shown what that bonus depends on."""

from umwelt.behaviours import Curious
from umwelt.curiosity import Elliptic
from umwelt.recipes.dqn import dqn
from umwelt.recipes.variation import around, vary

sofe = vary(
    dqn,
    {"agent": around(lambda agent: Curious(agent=agent, curiosity=Elliptic(), weight=0.1, tells=True))},
    name="sofe",
    summary="dqn with an episodic bonus and the statistics that the bonus depends on",
    cites=("sofe_2024",),
    needs=("choices",),
)
