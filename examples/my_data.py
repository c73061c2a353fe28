"""Learning from data before acting, in one file: a random agent's episodes become a Minari data set, and another studies it.

    python examples/my_data.py

The second agent takes no decision of its own. It learns a linear model of a pendulum from the data. A probe compares planning in
that model with the random agent that recorded them.
"""

import tempfile
from pathlib import Path

import umwelt
from umwelt.behaviours import RandomAgent
from umwelt.check import source
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Minari
from umwelt.recipes.losse_mpc import losse_mpc
from umwelt.recipes.variation import varied
from umwelt.teachers import Blocks
from umwelt.worlds import Pendulum


def last_probe(name: str, home: Path) -> float:
    """Read the mean return of the last probe of a life."""
    with Chronicle.read(home / name / "chronicle.db") as chronicle:
        return float(chronicle.probes()["mean"][-1])


def main(home: Path, decisions: int = 600) -> tuple[float, float]:
    """Record, show and examine in `home`; the mean returns of the recorder and of the agent that was shown its data."""
    world = Pendulum(time_limit=50)
    rhythm = Rhythm(random=decisions, chunk=decisions, probe_episodes=4)
    recorder = umwelt.Life(world=world, agent=RandomAgent(), teacher=Blocks(), rhythm=rhythm, keep_episodes=True)
    umwelt.live(recorder, steps=decisions, name="recorder", lives=home)
    data = Minari(path=str(home / "recorder" / "episodes"))
    source(data, world.spec, depth="shapes").raise_if_broken()

    search = {"agent.planner.samples": 32, "agent.planner.iterations": 2, "agent.planner.elites": 8}
    rhythm = Rhythm(study=1, random=0, probe_episodes=4)
    student = varied(losse_mpc(world), {"shown": (data,), "rhythm": rhythm, **search})
    umwelt.live(student, steps=0, name="student", lives=home)
    return last_probe("recorder", home), last_probe("student", home)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        recorded, planned = main(Path(folder))
    print(f"mean return of the recorder {recorded:.0f}, of the agent that was shown its data {planned:.0f}")
    raise SystemExit(0 if planned > recorded else 1)
