"""Clones of a log that improve behind a gate, and proximal policy optimisation that goes on from the best of them."""

from umwelt.behaviours import IQL, PPO, Gated, OnPolicy, Uni
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.models import Ensemble
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="from a log to life by one objective: clones improve where a model says that they do, then rollouts go on",
    family="on-policy",
    needs=("boxes", "choices", "data"),
    cites=("uni_o4_2024", "iql_2022", "ppo_2017", "pets_2018"),
    budget="5,000 lessons of shown experience, then 60,000 decisions",
)
def uni_o4(world: World) -> Life:
    model = Ensemble(members=3, layers=2, units=64, propagation="one", share=1.0)
    offline = Gated(model=model, critic=IQL(units=64))
    online = OnPolicy(learner=PPO(learning_rate=1e-4), horizon=128)
    agent = Uni(offline=offline, online=online, memory=Ring())
    rhythm = Rhythm(study=5000, random=0, learn_every=128, updates=1, chunk=512)
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=rhythm)
