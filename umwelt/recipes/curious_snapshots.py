"""A policy that is paid for what it cannot predict, and snapshots of it that act at times.

"Is curiosity all you need? On the utility of emergent behaviours from curious exploration" (2021).
"""

from umwelt.behaviours import DQN, SAC, ModelFree, Rewarded
from umwelt.behaviours.library import Library
from umwelt.behaviours.snapshots import Snapshots
from umwelt.core import Discrete
from umwelt.core.contracts import World
from umwelt.curiosity import Mismatch
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="curious about a one-step model's error; snapshots of its policy act at times",
    family="model-free",
    needs=("boxes", "choices"),
    cites=("curious_snapshots_2021",),
    budget="50,000 decisions",
)
def curious_snapshots(world: World) -> Life:
    learner = DQN() if isinstance(world.spec.action, Discrete) else SAC()
    agent = ModelFree(learner=Rewarded(learner=learner, curiosity=Mismatch(of="next")), memory=Ring())
    return Life(
        world=world,
        agent=Snapshots(agent=agent, library=Library(slots=8)),
        teacher=Blocks(),
        rhythm=Rhythm(random=200, learn_every=1, updates=1, chunk=100),
    )
