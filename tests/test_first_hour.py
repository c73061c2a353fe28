"""What a newcomer meets in the first hour, walked command by command as they would."""

import contextlib
import importlib
import io
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from umwelt import check
from umwelt.check import hosted_world
from umwelt.cli.live import read
from umwelt.cli.main import main
from umwelt.life.api import burden, shortfall
from umwelt.worlds.adapters import gymnasium as gymnasium_world

MINE = """
import gymnasium, numpy as np
from umwelt.recipes.random import random
from umwelt.recipes.recipe import recipe
from umwelt.worlds import Stream, tasks_of


class Fine(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (SIZE,))
    action_space = gymnasium.spaces.Box(-1, 1, (1,))

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.taken = 0
        return np.zeros(SIZE, np.float32), {}

    def step(self, action):
        self.taken += 1
        return np.full(SIZE, 0.1, np.float32), 1.0, False, self.taken >= 100, {}


class Named(Fine):
    observation_names = ["level", "wish", "power"]


class Breaks(Fine):
    def step(self, action):
        seen, *rest = super().step(action)
        return np.full(SIZE, np.nan if self.taken == 57 else 0.1, np.float32), *rest


class Raises(Fine):
    def step(self, action):
        if self.taken == 20:
            raise RuntimeError("the motor is lost")
        return super().step(action)


class Scored(Fine):
    def step(self, action):
        seen, _, *over, info = super().step(action)
        self.taken += 4
        return seen, float(action[0] > 0), *over, {"success": bool(action[0] > 0)}


def scored():
    return Stream(world=tasks_of({"left": Scored, "right": Scored}), names=("left", "right"), steps=60)


def twins():
    return Stream(world=tasks_of({"one": Fine, "two": Raises}), names=("one", "two"), steps=60)


@recipe(summary="my own", family="model-free", needs=("boxes",))
def own(world):
    return random(world)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a module of one's own, and a short life in a world that breaks."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "mine.py").write_text(MINE.replace("SIZE", "3"))
    said = umwelt(folder, "live", "--world", "mine:Raises", "--recipe", "random", "--steps", "130", "--name", "broken", "--json")
    assert said.returncode == 0, said.stderr
    (folder / "broken.json").write_text(said.stdout)
    return folder


def umwelt(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run one command in a folder, in this process, which reads the folder's module again for each."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.chdir(folder)
        patch.setattr(sys, "path", [str(folder), *sys.path])
        patch.setattr(sys, "dont_write_bytecode", True)  # a file of the same second and size is taken for the one compiled
        patch.delitem(sys.modules, "mine", raising=False)
        importlib.invalidate_caches()
        try:
            code = main(list(words))
        except SystemExit as exit:
            code = int(exit.code or 0)
        finally:
            sys.modules.pop("mine", None)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


@pytest.mark.parametrize(
    ("world", "said"),
    [
        ("Breaks", "broke, the first after 57 steps: world_not_finite"),
        ("Raises", "the motor is lost"),
    ],
)
def test_the_check_says_that_a_world_breaks(home: Path, world: str, said: str) -> None:
    done = umwelt(home, "check", f"mine:{world}")
    assert done.returncode == 1
    assert "episodes last" in done.stdout
    assert said in done.stdout


class Slow(gymnasium.Env):
    """An environment that takes a while to begin an episode."""

    observation_space = gymnasium.spaces.Box(-1, 1, (2,))
    action_space = gymnasium.spaces.Box(-1, 1, (1,))

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        time.sleep(0.06)
        self.taken = 0
        return np.zeros(2, np.float32), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.taken += 1
        return np.zeros(2, np.float32), 0.0, False, self.taken >= 100, {}


def test_the_check_remarks_that_a_world_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosted_world, "PATIENT", 0.05)
    found = check.world(gymnasium_world(f"{__name__}:Slow"))
    assert not found.faults
    assert found.notes == ["it takes 0.1 s to begin an episode; 1,000 of them take 1 minutes"]


def test_broken_episodes_count_in_no_return(home: Path) -> None:
    summary = json.loads((home / "broken.json").read_text())
    assert summary["broken"] == {"episodes": 5, "of_episodes": 5, "probes": 6, "of_probes": 6}
    assert summary["tasks"][0]["end"]["mean"] is None
    found = json.loads(umwelt(home, "probe", "broken", "--episodes", "2", "--json").stdout)["probes"]["0"]["mine:Raises"]
    assert found["broken"] == 2
    assert found["returns"] == [None, None]
    assert umwelt(home, "report", "broken").returncode == 0
    assert "In 5 of its 5 episodes the world failed" in (home / "report" / "index.html").read_text()


def test_the_check_shows_the_names_of_numbers(home: Path) -> None:
    assert "an observation has 3 numbers: level, wish, power" in umwelt(home, "check", "mine:Named").stdout


def test_a_recipe_of_ones_own_is_found_by_every_verb(home: Path) -> None:
    done = umwelt(home, "live", "--world", "mine:Fine", "--recipe", "mine:own", "--steps", "120", "--name", "own", "--quiet")
    assert done.returncode == 0, done.stderr
    assert umwelt(home, "hash", "own").returncode == 0
    (home / "mine.py").write_text(MINE.replace("SIZE", "4"))
    command = [sys.executable, "-m", "umwelt", "probe", "own"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=home, timeout=120, check=False)
    assert done.returncode == 2
    assert "its world, a part or the version has changed" in done.stderr
    assert "Traceback" not in done.stderr
    (home / "mine.py").write_text(MINE.replace("SIZE", "3"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--recipe pets --steps 120", "all 120 decisions of each row are random (rhythm.random=200)"),
        ("--recipe pets --steps 300 --rhythm.warm 150", "it ends before its first lesson (rhythm.warm=150)"),
        (
            "--recipe pets --steps 300 --rhythm.learn-every 101 --rhythm.first-updates 0",
            "it ends before its first lesson (rhythm.learn_every=101)",
        ),
        ("--recipe pets --steps 300", ""),
        ("--recipe random --steps 120", ""),
    ],
)
def test_a_life_that_ends_before_it_learns_says_so(words: str, said: str) -> None:
    life, command, _ = read(["--world", "pendulum", *words.split()])
    found = shortfall(life, command.steps)
    assert found.startswith(said)
    assert bool(found) == bool(said)


def test_a_model_that_is_too_wide_says_so_with_bytes_and_seconds_before_it_begins() -> None:
    usual, _, _ = read(["--world", "pendulum", "--recipe", "losse_mpc"])
    wide, _, _ = read(["--world", "pendulum", "--recipe", "losse_mpc", "--recipe.model.encoder.grids", "108"])
    assert burden(usual) == ""
    assert burden(wide).startswith("the model is 0.8 GB")  # 6,912 features: sums and inverse of 382 MB each
    assert "0.08 s" in burden(wide)


def test_a_life_without_a_good_save_is_explained_without_a_traceback(home: Path) -> None:
    for path in (home / "lives" / "broken" / "checkpoints").rglob("*"):
        if path.is_file():
            path.write_bytes(os.urandom(50))
    for verb in ("probe", "resume"):
        done = umwelt(home, verb, "broken")
        assert done.returncode == 2
        assert "no checkpoint" in done.stderr
        assert "is whole" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_signal_is_acknowledged_at_once_and_a_second_one_ends_the_process(tmp_path: Path) -> None:
    """The thread that listens does not wait for the program that the main thread is in."""
    script = """
import hashlib
from umwelt.life.signals import Signals
Signals.insists = True
with Signals(lambda number: print("heard", number, flush=True)):
    print("ready", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)  # one call that lasts, and lets other threads run, as a compiled program does
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == f"heard {int(signal.SIGINT)}\n"
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert time.monotonic() - began < 5


def test_recipes_that_fit_are_named_in_the_order_to_try_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recommend", "gymnasium:CartPole-v1", "--json"]) == 0
    names = [each["recipe"] for each in json.loads(capsys.readouterr().out)["recipes"]]
    assert names[0] == "pets"
    assert names[-1] == "random"
    assert names.index("tdmpc2") < names.index("bmpc")
    assert "dqn" in names
    assert main(["recommend", "pendulum"]) == 0
    said = capsys.readouterr().out
    assert "umwelt live --world pendulum --recipe pets --steps 2000" in said
    assert "dqn" not in said


def test_the_claims_of_a_recipe_are_shown_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "mbpo", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"mbpo_hopper"}


def test_a_stream_of_ones_own_tasks_is_lived_through(home: Path) -> None:
    done = umwelt(home, "live", "--stream", "mine:twins", "--recipe", "random", "--name", "twins", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["decisions"] == 120
    assert [task["task"] for task in summary["tasks"]] == ["one", "two"]
    assert summary["tasks"][0]["end"]["mean"] == 100.0
    assert summary["tasks"][1]["end"]["mean"] is None


def test_a_number_that_the_simulator_names_is_followed_from_the_episodes_to_what_was_kept(home: Path) -> None:
    words = ("live", "--stream", "mine:scored", "--world.record", "success", "--recipe", "random", "--name", "scored")
    done = umwelt(home, *words, "--json")
    assert done.returncode == 0, done.stderr
    assert 0.0 <= json.loads(done.stdout)["tasks"][0]["end"]["named"]["success"] <= 1.0
    found = json.loads(umwelt(home, "probe", "scored", "--episodes", "3", "--json").stdout)["probes"]["0"]["left"]["named"]
    assert set(found["success"]["values"]) <= {0.0, 1.0}
    assert found["success"]["mean"] == pytest.approx(np.mean(found["success"]["values"]))
    kept = umwelt(home, "probe", "scored", "--lifelong", "--measure", "success", "--best", "1")
    assert "success of each task after each lesson" in " ".join(kept.stdout.split())
    assert "regret: how far that lies below 1" in kept.stdout
    wrong = umwelt(home, "probe", "scored", "--lifelong", "--measure", "sucess")
    assert wrong.returncode == 2
    assert "this life has return, success" in wrong.stderr


def test_seeds_of_a_simulator_are_lives_of_their_own_and_a_hint_can_be_pasted(home: Path) -> None:
    words = ("live", "--world", "mine:Fine", "--recipe", "random", "--steps", "200", "--seeds", "2", "--lives", "my lives")
    done = umwelt(home, *words, "--name", "two")
    assert done.returncode == 0, done.stderr
    assert len(list((home / "my lives" / "two" / "lives").glob("*/seeds-*/chronicle.db"))) == 2
    repeated = done.stdout.split("repeat:")[1].strip()
    assert "--lives 'my lives'" in repeated
    assert shlex.split(repeated)[1:] == [*words, "--name", "two"]
