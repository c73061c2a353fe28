"""The command line as a user meets it: good input, bad input, and what is left behind."""

import csv
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from umwelt.cli.live import read
from umwelt.cli.main import VERBS
from umwelt.cli.options import field_help, is_part
from umwelt.recipes import ALL

LOG = ["--log", "tensorboard"]
SHORT = ["--steps", "60", "--rhythm.probe-episodes", "1", "--quiet"]


def umwelt(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "umwelt", *words], capture_output=True, text=True, cwd=cwd, timeout=120)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one short life in it, called `one`."""
    home = tmp_path_factory.mktemp("home")
    lived = umwelt("live", "--world", "pendulum", "--recipe", "random", "--name", "one", "--json", *SHORT, *LOG, cwd=home)
    assert lived.returncode == 0, lived.stderr
    summary = json.loads(lived.stdout)
    assert summary["decisions"] == summary["frames"] == 60
    assert (home / summary["picture"]).stat().st_size > 10_000
    return home


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["liv"], "live"),
        (["live", "--world", "pendulim"], "pendulum"),
        (["live", "--recipe", "pet"], "pets"),
        (["live", "--recipe", "pets", "--recipe.planner.sample", "5"], "--recipe.planner.samples"),
        (["live", "--recipe", "pets", "--recipe.planner.samples", "many"], "--recipe.planner.samples"),
        (["live", "--world", "gymnasium:Pendulam-v1"], "Pendulum-v1"),
        (["live", "--world", "nowhere:Env"], "nowhere"),
        (["live", "--steps", "0"], "--steps"),
        (["live", "--recipe", "tdmpc2", "--recipe.size", "smal"], "small"),
        (["live", "--recipe", "pets", "--recipe.size", "1M"], "one size"),
        (["live", "--world", "pendulum", "--teacher.names", "mars"], "moon"),
        (["live", "--world", "gymnasium:Pendulum-v1", "--recipe", "random", "--seeds", "2"], "seeds"),
        (["live", "--world", "pendulum", "--recipe", "random", "--log", "tensorbord"], "there are tensorboard"),
        (["live", "--world", "pendulum", "--wrap", "pictures"], "pictured"),
        (["live", "--world", "pendulum", "--wrap", "sticky=often"], "no number"),
        (["live", "--world", "gymnasium:Pendulum-v1", "--wrap", "limited=20"], "max_episode_steps"),
        (["live", "--world", "pendulum", "--wrap", "sticky=3"], "0 .. 1"),
        (["live", "--world", "pendulum", "--recipe", "losse_dyna"], "boxes"),
        (["live", "--world", "pendulum", "--recipe", "dqn"], "SAC"),
        (["live", "--world", "cartpole", "--wrap", "pictured", "--recipe", "tdmpc2"], "dreamer_v3"),
        (["resume", "nobody"], "umwelt live"),
        (["probe", "nobody"], "umwelt live"),
        (["hash", "nobody"], "umwelt live"),
        (["export", "nobody"], "umwelt live"),
        (["live", "--name", "../out", "--world", "pendulum", "--recipe", "random"], "name"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_sentence_with_a_hint_and_exit_2(words: list[str], hint: str, tmp_path: Path) -> None:
    done = umwelt(*words, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert hint in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("recipe.json"))


@pytest.mark.parametrize(
    ("words", "repeat"),
    [
        (("--recipe", "tdmpc2"), 2),
        (("--recipe", "bmpc", "--world.repeat", "1"), 1),
        (("--recipe", "pets"), 1),
    ],
)
def test_a_recipe_says_how_long_a_decision_lasts_unless_it_is_said(words: tuple[str, ...], repeat: int) -> None:
    pytest.importorskip("dm_control", reason="needs the dmcontrol extra")
    command, _, _ = read(["--world", "dm_control:cartpole-swingup", *words])
    assert command.world.repeat == repeat  # type: ignore[attr-defined]


@pytest.mark.parametrize(("words", "updates", "batch"), [((), 2, 64), (("--recipe.size", "1M"), 1, 256)])
def test_a_size_brings_its_own_rhythm_unless_it_is_said(words: tuple[str, ...], updates: int, batch: int) -> None:
    command, _, _ = read(["--world", "pendulum", "--recipe", "tdmpc2", *words])
    assert (command.rhythm.updates, command.recipe.batch) == (updates, batch)  # type: ignore[attr-defined]
    streamed, _, _ = read(["--stream", "physics:tiny", "--recipe", "tdmpc2", *words])
    assert streamed.rhythm.updates == updates
    said, _, _ = read(["--world", "pendulum", "--recipe", "tdmpc2", *words, "--rhythm.updates", "3"])
    assert said.rhythm.updates == 3


def test_a_life_is_not_begun_twice_nor_read_where_it_is_foreign(home: Path) -> None:
    again = umwelt("live", "--world", "pendulum", "--recipe", "random", "--name", "one", *SHORT, cwd=home)
    assert again.returncode == 2
    assert "umwelt resume" in again.stderr
    (home / "lives" / "other").mkdir()
    (home / "lives" / "other" / "note").write_text("mine")
    for verb in ("resume", "probe", "hash"):
        assert umwelt(verb, "lives/other", cwd=home).returncode == 2
    assert [path.name for path in (home / "lives" / "other").iterdir()] == ["note"]


def contents(folder: Path) -> dict[Path, bytes]:
    """All files but the scratch files that SQLite keeps while somebody reads."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal"))]
    return {path: path.read_bytes() for path in files}


def test_probe_and_hash_read_and_do_not_touch(home: Path) -> None:
    before = contents(home / "lives" / "one")
    probed = umwelt("probe", "lives/one", "--episodes", "2", "--tasks", "earth", "moon", "--json", cwd=home)
    rows = json.loads(probed.stdout, parse_constant=pytest.fail)["probes"]["0"]
    assert set(rows) == {"earth", "moon"}
    assert len(rows["moon"]["returns"]) == 2
    refused = umwelt("probe", "lives/one", "--model", cwd=home)
    assert (refused.returncode, "no world model" in refused.stderr) == (2, True), refused.stderr
    first, second = (json.loads(umwelt("hash", "one", "--json", cwd=home).stdout) for _ in range(2))
    assert first == second
    assert first["clock"] == 60
    assert contents(home / "lives" / "one") == before


def test_a_life_lives_on_past_its_end_and_lists_who_resumed_it(home: Path) -> None:
    done = umwelt("resume", "one", "--steps", "90", "--json", "--quiet", cwd=home)
    summary = json.loads(done.stdout)
    assert summary["clock"] == 90
    assert [event["name"] for event in summary["events"]] == ["resumed"], "nor did its log fail"


def test_a_resumed_life_is_logged_where_it_was_logged_before(home: Path) -> None:
    memory = home / "lives" / "one" / "logs" / "tensorboard.json"
    clock = json.loads(umwelt("hash", "one", "--json", cwd=home).stdout)["clock"]
    assert json.loads(memory.read_text())["position"] == {"lived": clock, "probed": clock}
    done = umwelt("resume", "one", "--steps", str(clock + 30), "--quiet", "--json", "--log", "none", cwd=home)
    assert done.returncode == 0, done.stderr
    assert json.loads(memory.read_text())["position"] == {"lived": clock, "probed": clock}


def test_a_life_of_several_tasks_tells_what_it_kept(tmp_path: Path, home: Path) -> None:
    words = [
        "--teacher.names",
        "earth",
        "moon",
        "--teacher.steps",
        "30",
        "--rhythm.probe-every",
        "30",
        "--world.time-limit",
        "14",
    ]
    lived = umwelt("live", "--world", "pendulum", "--recipe", "random", "--name", "two", *SHORT, *words, cwd=tmp_path)
    assert lived.returncode == 0, lived.stderr
    assert "kept on the mean" in lived.stderr
    kept = json.loads(umwelt("probe", "two", "--lifelong", "--json", cwd=tmp_path).stdout)["lifelong"]
    assert [(lesson["task"], lesson["end"]) for lesson in kept["lessons"]] == [("earth", 29), ("moon", 60)]
    assert umwelt("probe", "one", "--lifelong", cwd=home).stdout.startswith("this life has met one task only")


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["list", "--json"],
        ["hash", "one"],
        ["probe", "one", "--episodes", "1", "--json"],
        ["export", "one"],
    ],
    ids=" ".join,
)
def test_a_reader_that_has_gone_ends_the_command_quietly(words: list[str], home: Path) -> None:
    """The other end of a real pipe is closed before anything is printed, as that of `head` is after ten letters."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "umwelt", *words]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, cwd=home, timeout=120)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_pipe_that_is_not_that_of_the_reader_breaks_aloud(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("raise BrokenPipeError('the simulator is gone')")
    done = umwelt("check", "mine:World", cwd=tmp_path)
    assert done.returncode == 1
    assert "the simulator is gone" in done.stderr


def test_a_life_is_exported_into_a_folder_of_tables(home: Path) -> None:
    done = umwelt("export", "one", "--out", "tables", "--json", cwd=home)
    assert done.returncode == 0, done.stderr
    files = json.loads(done.stdout)["files"]
    with (home / "tables" / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == files["metrics.csv"] > 0
    assert {"reward"} <= {row["name"] for row in rows}
    refused = umwelt("export", "one", "--out", "lives", cwd=home)
    assert (refused.returncode, "give the name of a new folder" in refused.stderr) == (2, True), refused.stderr


def test_check_explains_each_fault_and_exits_with_1(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import dataclasses\nfrom umwelt.worlds import Pendulum\n"
        "class Late(Pendulum):\n    def step(self, key, state, action, task):\n"
        "        return Pendulum.step(self, key, state, action, task)\n"
    )
    broken = umwelt("check", "mine:Late", cwd=tmp_path)
    assert broken.returncode == 1
    assert "next_task" in broken.stdout
    whole = umwelt("check", "Pendulum-v1", "--json", cwd=tmp_path)
    assert whole.returncode == 0
    assert json.loads(whole.stdout)["faults"] == []


def test_list_names_everything_with_one_line(tmp_path: Path) -> None:
    shelves = json.loads(umwelt("list", "--json", cwd=tmp_path).stdout)
    assert {"pendulum", "point_maze"} <= set(shelves["worlds"])
    assert {"pets", "losse_mpc", "random"} <= set(shelves["recipes"])
    assert {"Ensemble", "Losse"} <= set(shelves["models"])
    assert all(line for shelf in shelves.values() for line in shelf.values())


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_verb_teaches(verb: str, tmp_path: Path) -> None:
    shown = umwelt(verb, "--help", cwd=tmp_path)
    assert shown.returncode == 0
    assert "--json" in shown.stdout


def test_help_lists_every_field_of_every_part(tmp_path: Path) -> None:
    shown = umwelt("live", "--world", "cartpole_swingup", "--recipe", "pets", "--help", cwd=tmp_path).stdout
    for option in (
        "--recipe.planner.samples",
        "--recipe.model.members",
        "--recipe.memory.bytes",
        "--world.batch",
        "--teacher.steps",
    ):
        assert option in shown


@pytest.mark.parametrize("name", list(ALL))
def test_every_option_of_every_recipe_is_explained(name: str) -> None:
    def unexplained(made: Any) -> list[str]:
        helps = field_help(type(made))
        inner = [getattr(made, field.name) for field in dataclasses.fields(made)]
        missing = [f"{type(made).__name__}.{field.name}" for field in dataclasses.fields(made) if field.name not in helps]
        return missing + [each for value in inner if is_part(value) for each in unexplained(value)]

    assert unexplained(ALL[name].agent) == []


def test_an_environment_is_not_made_before_its_options_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plants_of_mine.py").write_text(
        "import gymnasium\n"
        "class Plant(gymnasium.Wrapper):\n"
        "    def __init__(self, port):\n"
        "        super().__init__(gymnasium.make('Pendulum-v1', g=port))\n"
    )
    monkeypatch.chdir(tmp_path)
    command, _, _ = read(["--world", "plants_of_mine:Plant", "--world.options", '{"port": 3}', "--recipe", "random"])
    assert command.world.spec.action.shape == (1,)


def test_a_full_disk_stops_the_life_with_3_and_the_last_save_lives_on(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the full disk: the system refuses the write in the same way."""
    limit = "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, resource.RLIM_INFINITY)); "
    command = [sys.executable, "-c", limit + "runpy.run_module('umwelt', run_name='__main__')"]
    command += ["live", "--world", "pendulum", "--recipe", "random", "--name", "full", "--quiet", "--steps", "400000"]
    command += ["--rhythm.record-every", "1", "--rhythm.save-seconds", "0", "--rhythm.probe-episodes", "1"]
    full = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=200)
    assert full.returncode == 3, full.stderr
    assert "free" in full.stderr
    assert "Traceback" not in full.stderr
    saved = json.loads(umwelt("hash", "full", "--json", cwd=tmp_path).stdout)["clock"]
    assert saved > 0
    onward = umwelt("resume", "full", "--steps", str(saved + 200), "--quiet", "--json", cwd=tmp_path)
    assert json.loads(onward.stdout)["clock"] == saved + 200


def test_a_probe_tells_what_the_world_model_knows(tmp_path: Path) -> None:
    small = ["--recipe.planner.samples", "24", "--recipe.planner.iterations", "1", "--rhythm.random", "100"]
    lived = umwelt(
        *("live", "--world", "pendulum", "--recipe", "losse_mpc", "--steps", "150", "--name", "one", "--quiet"),
        *("--rhythm.probe-episodes", "1", *small),
        cwd=tmp_path,
    )
    assert lived.returncode == 0, lived.stderr
    probed = umwelt("probe", "one", "--model", "--episodes", "2", "--json", cwd=tmp_path)
    assert probed.returncode == 0, probed.stderr
    known = json.loads(probed.stdout)["model"]["0"]["earth"]
    assert known["horizons"] == [1, 5, 15, 50]
    assert known["compared"] == "observation"
    assert known["error"][0] < 1.0, "150 steps teach the linear model more than the mean change"
    assert -1.0 <= known["doubt_rank"] <= 1.0
    assert known["decisions"] > 0
