"""The online linear world model, and a model-free learner that practises in one-step dreams of it.

The work on the sparse online model uses it so: Dyna, one imagined step from where life has been, with Q-learning where
there are choices (`choices`) and with soft actor-critic where actions are boxes (`--recipe.size boxes`).
"""

from typing import Any

from umwelt.behaviours import DQN, SAC, Dyna
from umwelt.life.rhythm import Rhythm
from umwelt.memory.ring import Ring
from umwelt.models import Losse
from umwelt.recipes.recipe import Recipe


def practising(learner: Any) -> Dyna:
    """The agent around a learner, which practises with three dreamt transitions for each lived one."""
    dreams = Ring(bytes=2_000_000)
    return Dyna(model=Losse(), learner=learner, memory=Ring(), dreams=dreams, batch=128, real=0.25, updates=2, starts=64)


choices, boxes = practising(DQN()), practising(SAC())

losse_dyna = Recipe(
    name="losse_dyna",
    summary="online linear world model + Q-learning or soft actor-critic in one-step dreams",
    agent=choices,
    sizes={"choices": choices, "boxes": boxes},
    rhythm=Rhythm(random=500, learn_every=1, updates=1, chunk=100),
    citation="Locality sensitive sparse encoding for learning world models online (ICLR 2024)",
    budget="20,000 decisions",
    expected="310 of 500 on cartpole in 20,000 decisions; of size `boxes` -171 on pendulum in 10,000 (3 seeds each);"
    " docs/evidence.md",
)
