"""`umwelt.life.exams.recorder`: what a save does, as a dataset for other lives."""

from pathlib import Path

import numpy as np
import pytest

from umwelt.behaviours import RandomAgent
from umwelt.core import SHOWN, TRUNCATED
from umwelt.life.composition import BadLife, Life
from umwelt.life.engine import Engine
from umwelt.life.exams.recorder import record
from umwelt.life.folder import expression
from umwelt.life.folder.folder import Folder
from umwelt.life.saves.saver import Saver
from umwelt.teachers import Blocks
from umwelt.worlds import Pendulum


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The folder of a life that was saved before its first decision."""
    pytest.importorskip("h5py", reason="recording episodes needs the minari extra")
    life = Life(world=Pendulum(time_limit=9, batch=2), agent=RandomAgent(), teacher=Blocks(names=("earth", "moon"), steps=5))
    with Folder.create("acts", {"life": expression.write(life)}, lives=tmp_path) as folder:
        engine = Engine(life)
        Saver(folder.checkpoints, engine).save(0, engine.begin())
        return folder.path


def test_recorded_episodes_are_whole_and_obey_the_world(saved: Path, tmp_path: Path) -> None:
    from umwelt.memory.minari import read

    found = record(saved, episodes=5, out=tmp_path / "data", noise=0.1)
    episodes = read(tmp_path / "data", Pendulum().spec)
    assert (found["episodes"], found["steps"], found["tasks"]) == (5, 45, ["earth", "moon"])
    assert found["mean_return"] == pytest.approx(np.mean([episode.next.reward.sum() for episode in episodes]), rel=1e-6)
    gravity = [float(episode.task.gravity[0]) for episode in episodes]
    assert np.allclose(gravity, [10.0, 1.62, 10.0, 1.62, 10.0])
    for episode in episodes:
        assert (len(episode.origin), int(episode.next.kind[-1])) == (9, TRUNCATED)
        assert (episode.origin == SHOWN).all()
        # by the equation of the pendulum: the recorded action is the one that the world took
        (cosine, sine, speed), (_, _, after) = episode.step.observation.T, episode.next.observation.T
        pull = 3.0 * episode.task.gravity / 2.0 * sine + 3.0 * episode.action[:, 0]
        assert np.allclose(after, np.clip(speed + 0.05 * pull, -8.0, 8.0), atol=1e-3)
        assert np.allclose(cosine**2 + sine**2, 1.0, atol=1e-5)


def test_what_cannot_be_recorded_is_refused(saved: Path, tmp_path: Path) -> None:
    for options, hint in (
        ({"episodes": 0}, "episodes: 0"),
        ({"mode": "sideways"}, "mode: 'sideways'"),
        ({"noise": -1.0}, "noise"),
    ):
        with pytest.raises(BadLife, match=hint):
            record(saved, **{"episodes": 1, "out": tmp_path / "none", **options})
    record(saved, episodes=1, out=tmp_path / "taken", mode="random")
    with pytest.raises(BadLife, match="holds 1 episodes already; choose another folder"):
        record(saved, episodes=1, out=tmp_path / "taken")
    assert not (tmp_path / "none").exists()
