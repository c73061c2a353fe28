"""Practice without resets: calibrated study of demonstrations, a learned judge of success, and data and life in equal shares."""

from umwelt.behaviours import SAC, Conservative, Judged, ModelFree, Standard, Succeeded
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Both
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="calibrated study of shown experience, then practice that a learned judge of success pays; around worlds, Unreset",
    family="offline",
    needs=("boxes", "choices", "data"),
    cites=("robofume_2024", "cal_ql_2023", "cql_2020"),
    budget="2,000 lessons of shown experience, then 10,000 decisions",
)
def robofume(world: World) -> Life:
    learner = SAC(discount=0.95, conservative=Conservative(calibrated=True, draws=4, alpha=1.0))
    # what is shown is paid 1 where a task is done, and 0 elsewhere
    agent = ModelFree(
        learner=Standard(learner=Judged(learner=learner, judge=Succeeded(), normalised=False)), memory=Both(share=0.5), batch=128
    )
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(study=2000, random=0, updates=1, chunk=100))
