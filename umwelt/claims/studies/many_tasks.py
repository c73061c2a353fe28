"""Agents of lives with many tasks: those that know what is wanted of them and learn the rest, and one that seeks what is new."""

from dataclasses import replace
from typing import Any

from umwelt.behaviours import DQN, Curious, ModelFree, ModelPredictive
from umwelt.core import Objective
from umwelt.curiosity import Counts
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Lifelong
from umwelt.models import Ensemble, Wished
from umwelt.models.linear import Encoder
from umwelt.models.wished import endless, worthless
from umwelt.planners import ICEM
from umwelt.teachers import Blocks

NETWORKS = Ensemble(units=128, members=3, propagation="mean", noisy=False, beta=1.0)
"""Squared errors, because contacts are rare and great."""
SMALL = replace(NETWORKS, units=64)
"""The same, for worlds of few numbers."""
WHOLE = Lifelong(bytes=4_000_000)
"""Room for all that such a life meets."""
FREE = (((2, 4),) * 3, ((3, 5),) * 3)
"""Speed and push along x, and along y: how a point in a maze moves, wherever it is."""
WALLS = (((0,), (1,), (2, 4)), ((0,), (1,), (3, 5)))
"""The same, and where it is."""
ROOMS = Encoder(grids=12, bins=5, groups=FREE + WALLS + WALLS)
"""Features that can tell where walls are."""


def knowing(world: Any, horizon: int, model: Any, memory: Any = None, batch: int = 256) -> ModelPredictive:
    """Make an agent that knows the reward of a world that announces its task, and has to learn the rest."""
    return ModelPredictive(
        model=Wished(model=replace(model, reward=worthless, continues=endless), world=world),
        planner=ICEM(samples=64, horizon=horizon, iterations=3, elites=8),
        objective=Objective(doubt=0.3),
        examined=Objective(),
        memory=memory,
        batch=batch,
    )


def shown(model: Any, memory: Any, horizon: int = 15) -> ModelPredictive:
    """Make an agent that reads its task in what it observes, and learns the reward too."""
    return ModelPredictive(
        model=model,
        planner=ICEM(samples=64, horizon=horizon, iterations=3, elites=8),
        memory=memory,
        objective=Objective(doubt=0.3),
        examined=Objective(),
        batch=256,
    )


def counting(keep: Any, bytes: int, ahead: int = 5) -> Curious:
    """Make an agent that seeks what is new, learns the value of every choice, and keeps its past by `keep`."""
    learner = DQN(learning_rate=5e-4, discount=0.98, ema_rate=0.005, final_epsilon=0.05, temperature=0.02, epsilon_updates=5000)
    agent = ModelFree(learner=learner, memory=Lifelong(bytes=bytes, length=ahead, keep=keep), batch=160, steps=ahead)
    counts = Counts(of="bits", episodic=True)
    return Curious(agent=agent, curiosity=counts, weight=0.5, scale=10.0, tells=True, normalised=False)


def in_turn(world: Any, agent: Any, names: tuple[str, ...], steps: int, **rhythm: Any) -> Life:
    """Make a life of one lesson after the other; all tasks are examined after each. rhythm: fields of `Rhythm`."""
    return Life(
        world=world, agent=agent, teacher=Blocks(names=names, steps=steps), rhythm=Rhythm(**{"probe_every": steps, **rhythm})
    )
