"""The model-free baseline over boxes: soft actor-critic, one update for each decision."""

from umwelt.behaviours import SAC, ModelFree
from umwelt.life.rhythm import Rhythm
from umwelt.memory.ring import Ring
from umwelt.recipes.recipe import Recipe

sac = Recipe(
    name="sac",
    summary="model-free: a stochastic policy and two critics",
    agent=ModelFree(learner=SAC(), memory=Ring()),
    rhythm=Rhythm(random=100, learn_every=1, updates=1, chunk=100),
    citation="Soft actor-critic algorithms and applications (2018)",
    budget="30,000 decisions",
    expected="-156 on Pendulum-v1 in 6,000 decisions (2 seeds), 751 on HalfCheetah-v5 in 30,000 (12 seeds), not seen to be"
    " less than Stable-Baselines3; docs/evidence.md",
)
