"""From a log to life without the log: calibrated values, a warm-up by the learned policy, and then life alone."""

from umwelt.behaviours import SAC, Conservative, ModelFree, Standard
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Both
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="calibrated study of a log, a warm-up without learning, and fast learning from life alone",
    family="offline",
    needs=("boxes", "choices", "data"),
    cites=("wsrl_2025", "cal_ql_2023"),
    budget="6,000 lessons of shown experience, then 10,000 decisions",
)
def wsrl(world: World) -> Life:
    critics = Conservative(calibrated=True, draws=4)
    learner = Standard(learner=SAC(critics=10, drawn=2, normed=True, soft=False, conservative=critics))
    agent = ModelFree(learner=learner, memory=Both(share=0.0))
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(study=1500, random=0, warm=600, updates=4, chunk=100))
