"""Killed at any moment, a life goes on as if nothing had been. More kills of more lives: `umwelt show kills_scan`."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from umwelt.claims.studies.kills import OFTEN
from umwelt.cli.main import main
from umwelt.life.api import fingerprints

LIGHT = ("--recipe", "sac", "--recipe.learner.units", "16", "--recipe.batch", "16")
LIVES = {
    "pendulum": (*LIGHT, "--teacher.names", "earth", "moon", "--teacher.steps", "80"),
    "gymnasium:Hopper-v5": LIGHT,
}


@pytest.mark.parametrize("world", LIVES)
def test_a_killed_life_becomes_what_it_would_have_become(world: str, tmp_path: Path) -> None:
    """The one that is killed is a process of its own; it goes on from its folder in this one."""
    if "Hopper" in world:
        pytest.importorskip("mujoco", reason="Hopper-v5 needs the mujoco extra")
    common = ["--world", world, *LIVES[world], *OFTEN, "--steps", "160", "--lives", str(tmp_path), "--quiet"]
    assert main(["live", *common, "--name", "whole"]) == 0
    process = subprocess.Popen([sys.executable, "-m", "umwelt", "live", *common, "--name", "killed"], stdout=subprocess.DEVNULL)
    while not list((tmp_path / "killed" / "checkpoints").glob("0*")) and process.poll() is None:
        time.sleep(0.02)
    time.sleep(0.1)
    process.kill()
    assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
    assert fingerprints("killed", lives=tmp_path)["clock"] < 160
    assert main(["resume", "killed", "--lives", str(tmp_path), "--quiet"]) == 0
    whole, killed = (fingerprints(name, lives=tmp_path) for name in ("whole", "killed"))
    assert whole["clock"] == 160
    assert killed == whole


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_ends_with_its_code(number: int, code: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "umwelt", "live", "--world", "gymnasium:Pendulum-v1", "--recipe", "random"]
    command += ["--steps", "1000000", *OFTEN[:4], "--lives", str(tmp_path), "--name", "long"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "long" / "checkpoints").glob("0*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert "umwelt resume" in errors
    saved = fingerprints("long", lives=tmp_path)["clock"]
    assert saved > 0


def test_kept_episodes_go_on_where_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one process: what goes on is read from the folder all the same."""
    pytest.importorskip("h5py", reason="keeping episodes needs the minari extra")
    from umwelt.memory.minari import read

    monkeypatch.chdir(tmp_path)
    common = "--world gymnasium:Pendulum-v1 --recipe random --keep-episodes --rhythm.probe-episodes 1 --quiet"
    for words in (
        f"live {common} --steps 250 --name broken",
        "resume broken --steps 450 --quiet",
        f"live {common} --steps 450 --name whole",
    ):
        assert main(words.split()) == 0
    broken, whole = (read(tmp_path / "lives" / name / "episodes") for name in ("broken", "whole"))
    assert [len(episode.action) for episode in broken] == [200] * 2
    for one, other in zip(broken, whole, strict=True):
        assert (one.action == other.action).all()
        assert (one.next.observation == other.next.observation).all()
