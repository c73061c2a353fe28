"""What curiosity costs: a decision of an agent that wears a signal, as a share of one without; and what a teacher costs.

python -m benchmarks.signals
"""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax

from umwelt import check, curiosity, teachers
from umwelt.behaviours import DQN, SAC, Curious, ModelFree, Rewarded
from umwelt.core import capability
from umwelt.life.composition import Life
from umwelt.life.engine import Engine
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.dqn import dqn
from umwelt.worlds import Cartpole, Pendulum

DECISIONS, TURNS = 400, 6
LIVED = ("Counts", "Elliptic")
"""Signals that are paid when a transition is remembered, as episodic ones are; the others are paid at each lesson."""
STUDENTS: dict[str, tuple[Any, Any]] = {"sac": (SAC, Pendulum()), "dqn": (DQN, Cartpole())}


def spent(lives: Mapping[str, Life]) -> dict[str, float]:
    """Milliseconds of a decision of each life, taken in turns: the least of all turns."""
    engines = {name: Engine(life) for name, life in lives.items()}
    values = {name: engine.advance(engine.begin(), lives[name].rhythm.segment(0, 10**6))[0] for name, engine in engines.items()}
    least = dict.fromkeys(lives, float("inf"))
    for turn in range(TURNS + 1):
        for name, engine in engines.items():
            began = time.perf_counter()
            values[name], _ = engine.advance(values[name], lives[name].rhythm.segment(20, 10**6))
            jax.block_until_ready(values[name])
            if turn:  # the first one compiles
                least[name] = min(least[name], (time.perf_counter() - began) / DECISIONS * 1e3)
    return least


def signals() -> dict[str, dict[str, Any]]:
    """The share that each signal adds to a decision and its lesson."""
    rhythm = Rhythm(random=20, learn_every=1, updates=1, chunk=DECISIONS)
    found = {}
    for student, (learner, world) in STUDENTS.items():
        lives = {"plain": _life(world, ModelFree(learner=learner(), memory=Ring()), rhythm)}
        for name in sorted(set(curiosity.__all__)):
            signal = getattr(curiosity, name)
            if not (hasattr(signal, "bonus") and _simple(signal)):
                continue  # a search, or a signal that needs to know its world
            if name in LIVED or capability(signal(), "begin") is not None:
                agent: Any = Curious(agent=ModelFree(learner=learner(), memory=Ring()), curiosity=signal())
            else:
                agent = ModelFree(learner=Rewarded(learner=learner(), curiosity=signal()), memory=Ring())
            lives[name] = _life(world, agent, rhythm)
        least = spent(lives)
        plain = least.pop("plain")
        for name, value in least.items():
            note = f"{plain:.3f} ms without it, {value:.3f} ms with it; one update of 256 a decision"
            found[f"{name} on {student}"] = {"value": value / plain - 1.0, "unit": "of a decision more", "note": note}
    return found


def teaching() -> dict[str, dict[str, Any]]:
    """The share that a teacher adds to a decision of the recipe dqn."""
    base = dqn(Cartpole())
    base = _life(Cartpole(), base.agent, Rhythm(random=20, learn_every=1, updates=1, chunk=DECISIONS))
    named = {"Uniform": teachers.Uniform(), "Mixture": teachers.Mixture(), "Regions": teachers.Regions()}
    least = spent({"plain": base} | {name: replace(base, teacher=teacher) for name, teacher in named.items()})
    plain = least.pop("plain")
    return {
        f"teacher {name}": {"value": value / plain - 1.0, "unit": "of a decision more", "note": f"{plain:.3f} ms without it"}
        for name, value in least.items()
    }


def _simple(signal: Any) -> bool:
    """Whether it keeps the contract of a signal, and needs nothing to be made."""
    try:
        return bool(check.curiosity(signal(), depth="shapes"))
    except TypeError:
        return False


def _life(world: Any, agent: Any, rhythm: Rhythm) -> Life:
    return Life(world=world, agent=agent, teacher=teachers.Blocks(), rhythm=rhythm)


def run() -> dict[str, dict[str, Any]]:
    """Both."""
    return signals() | teaching()


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
