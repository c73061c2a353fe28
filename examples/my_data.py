"""Learning from data before acting, in one file: a random agent's episodes become a Minari data set, and another studies it.

    python examples/my_data.py

The second agent takes no decision of its own. It learns a linear model of a pendulum from the data. A probe compares planning in
that model with planning in a model that has seen nothing.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import jax

import umwelt
from umwelt.behaviours import RandomAgent
from umwelt.check import source
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Minari
from umwelt.recipes.losse_mpc import losse_mpc
from umwelt.recipes.variation import varied
from umwelt.worlds import Pendulum


def mean_return(name: str, home: Path) -> float:
    """Examine the last save of a life: its mean return."""
    (found,) = umwelt.probe(name, episodes=4, lives=home)[0]
    return sum(found.returns) / len(found.returns)


def main(home: Path, decisions: int = 600) -> tuple[float, float]:
    """Record, show and examine in `home`; the mean returns without and with the data."""
    world = Pendulum(time_limit=100)
    recorder = umwelt.Life(
        world=world, agent=RandomAgent(), teacher=umwelt.teachers.Blocks(), rhythm=Rhythm(random=decisions), keep_episodes=True
    )
    umwelt.live(recorder, steps=decisions, name="recorder", lives=home)
    data = Minari(path=str(home / "recorder" / "episodes"))
    source(data, world.spec, jax.random.key(0)).raise_if_broken()

    offline = varied(losse_mpc(world), {"rhythm": Rhythm(study=1, random=0, probe_episodes=1), "agent.planner.samples": 64})
    umwelt.live(offline, steps=0, name="without", lives=home)
    umwelt.live(replace(offline, shown=(data,)), steps=0, name="with", lives=home)
    return mean_return("without", home), mean_return("with", home)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        before, after = main(Path(folder))
    print(f"mean return without data {before:.0f}, with data {after:.0f}")
    raise SystemExit(0 if after > before else 1)
