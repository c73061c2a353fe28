"""The model-free baseline over choices: double Q-learning, one update for each decision."""

from umwelt.behaviours import DQN, ModelFree
from umwelt.life.rhythm import Rhythm
from umwelt.memory.ring import Ring
from umwelt.recipes.recipe import Recipe

dqn = Recipe(
    name="dqn",
    summary="model-free: values of every choice, judged by a slow copy",
    agent=ModelFree(learner=DQN(), memory=Ring(), batch=128),
    rhythm=Rhythm(random=200, learn_every=1, updates=1, chunk=100),
    citation="Deep reinforcement learning with double Q-learning (AAAI 2016)",
    budget="40,000 decisions",
    expected="500 of 500 on cartpole in 40,000 decisions (6 seeds); docs/evidence.md",
)
