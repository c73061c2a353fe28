"""MiniGrid's three tasks one after the other: what each is worth at the end, and what was forgotten.

    python -m evidence.minigrid --seeds 1

DoorKey-9x9, LavaCrossingS9N1 and SimpleCrossingS9N1, episodes of 100 decisions, 150,000 decisions each, which is a fifth
of the published number; rewards are MiniGrid's own. Performance is the mean return of all three at the end, and
forgetting what they lost since their own last lesson, on the mean (Continual World's formulas). One control keeps the
newest moments of its life in as many bytes; the other, `joint`, meets all three tasks in turn, episode by episode. Every
agent and seed is a life of its own in `build/evidence`; one that was broken off is resumed. The result goes to
`evidence/results/minigrid.json`.
"""

import sys
from typing import Any

import numpy as np

from evidence.agents import Table
from evidence.curves import summed
from evidence.forgetting import controls_of, life_of, live_it
from evidence.seeds import each_seed
from umwelt.behaviours import DQN, Curious, ModelFree
from umwelt.curiosity import Counts
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.composition import Life
from umwelt.life.exams.scores import diary, ledgers
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Lifelong, Newest, Reservoir
from umwelt.worlds import stream_named

BYTES = 80_000_000
"""About 160,000 of the 450,000 transitions: a little more than one lesson."""
AHEAD = 5
"""Rewards that are summed before a value is asked."""
STREAM = stream_named("minigrid:long")
STEPS = 9_375
"""Decisions of one row in each lesson; there are 16 rows."""


def counting(keep: Any) -> Curious:
    """Make an agent that seeks what is new, learns the value of every choice, and keeps its past by `keep`."""
    learner = DQN(learning_rate=5e-4, discount=0.98, ema_rate=0.005, final_epsilon=0.05, temperature=0.02, epsilon_updates=5000)
    memory = Lifelong(bytes=BYTES, length=AHEAD, keep=keep)
    agent = ModelFree(learner=learner, memory=memory, batch=160, steps=AHEAD)
    counts = Counts(of="bits", episodic=True)
    return Curious(agent=agent, curiosity=counts, weight=0.5, scale=10.0, tells=True, normalised=False)


TABLE = Table(
    world=STREAM.world,
    tasks=STREAM.names,
    steps=STEPS,
    times=1,
    rhythm=Rhythm(random=500, updates=6, chunk=200, record_every=100, probe_every=3_125, probe_episodes=20, save_seconds=120.0),
    floor=0.0,
    agents={"reservoir": lambda: counting(Reservoir()), "newest": lambda: counting(Newest())},
    joint=lambda: counting(Reservoir()),
    episode=100,
)


def lived(seed: int) -> dict[str, Any]:
    """All lives of a seed."""
    lives = {agent: life_of(TABLE, agent, 0, seed) for agent in TABLE.agents} | controls_of(TABLE, "joint", 0, seed)
    return {"seed": seed, **{agent: figures(agent, seed, life) for agent, life in lives.items()}}


def figures(agent: str, seed: int, life: Life) -> dict[str, Any]:
    """One life, and what it came to."""
    path = live_it(TABLE, f"minigrid-{agent}-{seed}", life)
    with Chronicle.read(path / "chronicle.db") as chronicle:
        ledger, spent = ledgers(diary(chronicle))[seed], chronicle.timing()
    now, lost = ledger.now(), ledger.forgetting()
    tasks = {task: {"learned": round(now[task] + lost[task], 3), "at the end": round(now[task], 3)} for task in ledger.tasks}
    living = sum(summed(spent["seconds"][spent["part"] == part]) for part in set(spent["part"]))
    return {
        "performance": round(float(np.mean(list(now.values()))), 3),
        "forgetting": round(float(np.mean(list(lost.values()))), 3),
        "tasks": tasks,
        "minutes": round(living / 60, 1),
    }


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The means over seeds."""
    means = {
        agent: {name: round(float(np.mean([row[agent][name] for row in rows])), 3) for name in ("performance", "forgetting")}
        for agent in (*TABLE.agents, "joint")
    }
    decisions = STEPS * len(STREAM.names) * STREAM.world.batch
    return {"decisions": decisions, "bar": {"performance": 0.72, "forgetting": 0.05}, "means": means}


if __name__ == "__main__":
    sys.exit(each_seed("minigrid", __doc__ or "", 1, lived, summary))
