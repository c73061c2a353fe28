"""The command line as a user meets it: good input, bad input, and what is left behind."""

import contextlib
import csv
import dataclasses
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from umwelt.cli.list import contents
from umwelt.cli.live import read
from umwelt.cli.main import VERBS, main
from umwelt.cli.options import UsageError, field_help, is_part
from umwelt.cli.parts import library, snake
from umwelt.cli.summary import summary_of
from umwelt.core import part
from umwelt.planners import CEM
from umwelt.recipes import ALL, varied

LOG = ["--log", "tensorboard"]
SHORT = ["--steps", "60", "--rhythm.probe-episodes", "1", "--quiet"]


def umwelt(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process, which need not import JAX again."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(list(words))
        except SystemExit as exit:
            code = int(exit.code or 0)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def program(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
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
        (["live", "--recipe", "pets", "--recipe.planner", "icme"], "icem"),
        (["live", "--recipe", "pets", "--recipe.planner"], "needs the name of a part"),
        (["live", "--recipe", "pets", "--recipe.model", "cem"], "no model called 'cem'"),
        (["live", "--recipe", "pets", "--recipe.planner", "nowhere:Mine"], "nowhere"),
        (["live", "--recipe", "pets", "--recipe.model", "wished"], "--recipe.model.world VALUE"),
        (["live", "--recipe", "pets", "--teacher", "drit"], "drift"),
        (["live", "--recipe", "pets", "--shown", "nowhere", "--steps", "10"], "nowhere"),
        (["cite", "pet"], "pets"),
        (["cite"], "umwelt cite pets"),
        (["record", "no_life", "--episodes", "1"], "umwelt live"),
        (["live", "--recipe", "pets", "--recipe.size", "1M"], "one size"),
        (["live", "--world", "pendulum", "--teacher.names", "mars"], "moon"),
        (["live", "--world", "gymnasium:Pendulum-v1", "--recipe", "random", "--seeds", "2", "--keep-episodes"], "--seeds"),
        (["live", "--world", "pendulum", "--recipe", "random", "--log", "tensorbord"], "there are tensorboard"),
        (["live", "--world", "pendulum", "--wrap", "pictures"], "pictured"),
        (["live", "--world", "pendulum", "--wrap", "sticky=often"], "no number"),
        (["live", "--world", "gymnasium:Pendulum-v1", "--wrap", "limited=20"], "max_episode_steps"),
        (["live", "--world", "pendulum", "--wrap", "sticky=3"], "0 .. 1"),
        (["live", "--world", "pendulum", "--recipe", "dqn"], "recipes that fit: "),
        (["live", "--world", "cartpole", "--wrap", "pictured", "--recipe", "tdmpc2"], "dreamer_v3"),
        (["resume", "no_life"], "umwelt live"),
        (["probe", "no_life"], "umwelt live"),
        (["hash", "no_life"], "umwelt live"),
        (["export", "no_life"], "umwelt live"),
        (["live", "--name", "../out", "--world", "pendulum", "--recipe", "random"], "name"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_sentence_with_a_hint_and_exit_2(
    words: list[str], hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exit:
        main(words)
    assert exit.value.code == 2
    assert hint in capsys.readouterr().err
    assert not list(tmp_path.rglob("recipe.json"))


def test_a_fault_of_the_user_has_no_traceback(tmp_path: Path) -> None:
    done = program("live", "--world", "pendulim", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("umwelt: there is no world called 'pendulim'; did you mean pendulum?")
    assert len(done.stderr.splitlines()) == 1


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
    life, _, _ = read(["--world", "dm_control:cartpole-swingup", *words])
    assert life.world.repeat == repeat  # type: ignore[attr-defined]


@pytest.mark.parametrize(("words", "updates", "batch"), [((), 2, 64), (("--recipe.size", "1M"), 1, 256)])
def test_a_size_brings_its_own_rhythm_unless_it_is_said(words: tuple[str, ...], updates: int, batch: int) -> None:
    life, _, _ = read(["--world", "pendulum", "--recipe", "tdmpc2", *words])
    assert (life.rhythm.updates, life.agent.batch) == (updates, batch)  # type: ignore[attr-defined]
    streamed, _, _ = read(["--stream", "physics:tiny", "--recipe", "tdmpc2", *words])
    assert streamed.rhythm.updates == updates
    stated, _, _ = read(["--world", "pendulum", "--recipe", "tdmpc2", *words, "--rhythm.updates", "3"])
    assert stated.rhythm.updates == 3


def agent_of(words: str) -> Any:
    return read(words.split())[0].agent


def test_a_part_is_replaced_by_its_name_and_its_fields_follow() -> None:
    agent = agent_of("--recipe pets --recipe.planner icem --recipe.planner.samples 7 --recipe.model.units 8")
    assert (type(agent.planner).__name__, agent.planner.samples, agent.planner.horizon) == ("ICEM", 7, 12)
    assert agent.model.units == 8
    assert agent.batch == ALL["pets"].agent.batch  # type: ignore[attr-defined]
    early = agent_of("--recipe.model.protection.strength 5 --recipe.model.protection=elastic --recipe pets")
    assert (type(early.model.protection).__name__, early.model.protection.strength) == ("Elastic", 5.0)
    assert agent_of("--recipe pets --agent.planner.samples 7") == agent_of("--recipe pets --recipe.planner.samples 7")
    assert agent_of("--recipe losse_mpc --recipe.memory none").memory is None
    assert agent_of("--recipe dreamer_v3 --recipe.policy.lambda 0.5").policy.lambda_ == 0.5


def test_a_wrapper_takes_in_the_part_that_stood_there() -> None:
    agent = agent_of("--recipe pets --recipe.model doubted --recipe.model.members 3")
    assert (type(agent.model).__name__, agent.model.members) == ("Doubted", 3)
    assert agent.model.model == ALL["pets"].agent.model  # type: ignore[attr-defined]
    wrapped = agent_of("--recipe pets --recipe.model doubted --recipe.model.model implicit --recipe.memory trajectories")
    assert type(wrapped.model.model).__name__ == "Implicit"


def test_the_teacher_is_chosen_and_keeps_the_lessons_of_a_stream() -> None:
    life, _, _ = read(
        [
            "--recipe",
            "random",
            "--world",
            "pendulum",
            "--teacher",
            "drift",
            "--teacher.names",
            "earth",
            "moon",
            "--teacher.steps",
            "7",
        ]
    )
    assert repr(life.teacher) == "Drift(names=('earth', 'moon'), steps=7)"
    streams = [
        read(["--stream", "physics:tiny", "--recipe", "random", *more])[0].teacher for more in ([], ["--teacher", "drift"])
    ]
    assert [type(teacher).__name__ for teacher in streams] == ["Blocks", "Drift"]
    assert vars(streams[0]) == vars(streams[1])


def test_a_recipe_is_made_for_the_world_as_its_agent_sees_it() -> None:
    assert type(agent_of("--world cartpole --recipe losse_dyna").learner).__name__ == "DQN"
    assert type(agent_of("--world pendulum --recipe losse_dyna").learner).__name__ == "SAC"
    life, command, stem = read(
        ["--world", "pendulum", "--world.time-limit", "30", "--wrap", "pictured", "--announced", "--recipe", "dreamer_v3"]
    )
    assert command.world.time_limit == 30  # type: ignore[attr-defined]
    assert set(life.world.spec.observation) == {"seen", "task"}
    assert life.world.spec.observation["seen"].shape == (64, 64, 1)
    assert stem == "pendulum-dreamer_v3"


def test_a_life_without_arguments_is_a_pendulum_that_changes_and_returns() -> None:
    life, command, stem = read([])
    assert (command.steps, stem) == (3200, "first-life")
    assert life.teacher.names == ("earth", "moon", "long", "earth")  # type: ignore[attr-defined]
    assert (life.rhythm.probe_every, life.rhythm.learn_every) == (800, ALL["losse_mpc"].rhythm.learn_every)
    assert "task" in life.world.spec.observation


@part
class MySource:
    """A source of a module of the user's."""

    def read(self, key: Any, spec: Any) -> Any:
        """Yield nothing."""
        return iter(())


def test_no_decision_needs_something_to_study() -> None:
    life, command, _ = read(
        [
            "--world",
            "pendulum",
            "--recipe",
            "sac",
            "--steps",
            "0",
            "--rhythm.study",
            "20",
            "--shown",
            "test_cli:MySource",
            "--voice",
            "test_cli:MySource",
        ]
    )
    assert (command.steps, life.rhythm.study, life.shown, life.voice) == (0, 20, (MySource(),), MySource())
    with pytest.raises(UsageError, match="--steps must be at least 1"):
        read(["--world", "pendulum", "--recipe", "sac", "--steps", "0"])


@part
class MyPlanner:
    """A planner of a module of the user's."""

    samples: int = 3
    """How many plans."""
    init = CEM.init
    plan = CEM.plan
    forget = CEM.forget


def test_parts_of_other_packages_and_modules_are_named_and_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "guest_parts-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: guest-parts\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        "[umwelt.planners]\nguest = test_cli:MyPlanner\ncem = test_cli:MyPlanner\n"
        "[umwelt.worlds]\nmeadow = umwelt.worlds:MountainCar\nbroken = nowhere:World\n"
        "[umwelt.recipes]\nspoilt = nowhere:recipe\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    library.cache_clear()
    try:
        guest = agent_of("--recipe pets --recipe.planner guest --recipe.planner.samples 4")
        assert guest == varied(ALL["pets"].agent, {"planner": MyPlanner(samples=4)})
        assert type(agent_of("--recipe pets --recipe.planner cem").planner) is CEM
        assert agent_of("--recipe pets --recipe.planner test_cli:MyPlanner").planner == MyPlanner()
        assert read(["--world", "meadow", "--recipe", "random"])[0].world.spec.name == "mountain_car"
        shelves = contents()
    finally:
        library.cache_clear()
    assert shelves["planners"]["guest"] == "A planner of a module of the user's. [from guest-parts]"
    assert "taken by the library" in shelves["planners"]["cem (guest-parts)"]
    assert shelves["worlds"]["meadow"].endswith("[from guest-parts]")
    assert shelves["worlds"]["broken"].startswith("cannot be loaded")
    assert shelves["recipes"]["spoilt"].startswith("cannot be loaded")


def test_a_class_name_is_spelt_in_snake_case() -> None:
    spelt = ("ICEM", "LowRank", "PageHinkley", "SAC", "ModelPredictive", "Losse")
    assert [snake(name) for name in spelt] == ["icem", "low_rank", "page_hinkley", "sac", "model_predictive", "losse"]


def test_a_life_is_not_begun_twice_nor_read_where_it_is_foreign(home: Path) -> None:
    again = umwelt("live", "--world", "pendulum", "--recipe", "random", "--name", "one", *SHORT, cwd=home)
    assert again.returncode == 2
    assert "umwelt resume" in again.stderr
    (home / "lives" / "other").mkdir()
    (home / "lives" / "other" / "note").write_text("mine")
    for verb in ("resume", "probe", "hash"):
        assert umwelt(verb, "lives/other", cwd=home).returncode == 2
    assert [path.name for path in (home / "lives" / "other").iterdir()] == ["note"]


def files_of(folder: Path) -> dict[Path, bytes]:
    """All files but the scratch files that SQLite keeps while a process reads."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal"))]
    return {path: path.read_bytes() for path in files}


def test_probe_and_hash_read_and_do_not_touch(home: Path) -> None:
    before = files_of(home / "lives" / "one")
    probed = umwelt("probe", "lives/one", "--episodes", "2", "--tasks", "earth", "moon", "--json", cwd=home)
    rows = json.loads(probed.stdout, parse_constant=pytest.fail)["probes"]["0"]
    assert set(rows) == {"earth", "moon"}
    assert len(rows["moon"]["returns"]) == 2
    refused = umwelt("probe", "lives/one", "--model", cwd=home)
    assert (refused.returncode, "no world model" in refused.stderr) == (2, True), refused.stderr
    first, second = (json.loads(umwelt("hash", "one", "--json", cwd=home).stdout) for _ in range(2))
    assert first == second
    assert first["clock"] == 60
    assert files_of(home / "lives" / "one") == before


def test_a_life_lives_on_past_its_end_and_lists_who_resumed_it(home: Path) -> None:
    done = umwelt("resume", "one", "--steps", "90", "--json", "--quiet", cwd=home)
    summary = json.loads(done.stdout)
    assert summary["clock"] == 90
    assert [event["name"] for event in summary["events"]] == ["resumed"], "nor did its log fail"


def test_a_resumed_life_is_logged_where_it_was_logged_before(home: Path) -> None:
    memory = home / "lives" / "one" / "logs" / "tensorboard.json"
    clock = json.loads(umwelt("hash", "one", "--json", cwd=home).stdout)["clock"]
    assert json.loads(memory.read_text())["offset"] == {"clock": clock, "probe": clock}
    done = umwelt("resume", "one", "--steps", str(clock + 30), "--quiet", "--json", "--log", "none", cwd=home)
    assert done.returncode == 0, done.stderr
    assert json.loads(memory.read_text())["offset"] == {"clock": clock, "probe": clock}


def test_a_life_of_several_tasks_is_probed_for_what_it_kept_and_what_its_model_knows(tmp_path: Path, home: Path) -> None:
    tasks = [
        "--teacher.names",
        "earth",
        "moon",
        "--teacher.steps",
        "75",
        "--rhythm.probe-every",
        "75",
        "--world.time-limit",
        "14",
    ]
    small = ["--recipe.planner", "shooting", "--recipe.planner.samples", "24", "--rhythm.random", "100"]
    words = ["--world", "pendulum", "--recipe", "losse_mpc", "--name", "two", *SHORT[2:], "--steps", "150", *tasks, *small]
    lived = umwelt("live", *words, cwd=tmp_path)
    assert lived.returncode == 0, lived.stderr
    assert "kept on the mean" in lived.stderr
    kept = json.loads(umwelt("probe", "two", "--lifelong", "--json", cwd=tmp_path).stdout)["lifelong"]
    assert [(lesson["task"], lesson["end"]) for lesson in kept["lessons"]] == [("earth", 75), ("moon", 150)]
    assert umwelt("probe", "one", "--lifelong", cwd=home).stdout.startswith("this life has met one task only")
    summary = summary_of(tmp_path / "lives" / "two")
    learned = {task["task"]: task["after"]["clock"] for task in summary["tasks"]}
    assert learned == {"earth": 75, "moon": 150}, "the probe nearest to the end of the first lesson on the task"
    probed = umwelt("probe", "two", "--model", "--episodes", "2", "--json", cwd=tmp_path)
    assert probed.returncode == 0, probed.stderr
    assert json.loads(probed.stdout)["observation_names"] == ["cos angle", "sin angle", "speed"]
    known = json.loads(probed.stdout)["model"]["0"]["earth"]
    assert np.mean(known["by_number"]) == pytest.approx(known["error"][0]), "one scale for each number and for all"
    assert known["horizons"] == [1, 5, 15, 50]
    assert known["compared"] == "observation"
    assert known["error"][0] < 1.0, "150 steps teach the linear model more than the mean change"
    assert -1.0 <= known["doubt_rank"] <= 1.0
    assert known["decisions"] > 0


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["list", "--json"],
        ["hash", "one"],
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
    done = program("check", "mine:World", cwd=tmp_path)
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


def test_list_names_everything_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    shelves = json.loads(capsys.readouterr().out)
    assert {"pendulum", "point_maze"} <= set(shelves["worlds"])
    assert set(ALL) == set(shelves["recipes"])
    assert {"Ensemble", "Losse"} <= set(shelves["models"])
    assert {"curiosity", "teachers", "memory", "planners", "retention", "behaviours"} <= set(shelves)
    assert all(line for shelf in shelves.values() for line in shelf.values())


def test_what_a_life_does_is_recorded_and_another_studies_it_without_a_decision(home: Path) -> None:
    pytest.importorskip("minari", reason="needs the minari extra")
    made = umwelt("record", "one", "--episodes", "2", "--out", "shown", "--mode", "random", "--json", cwd=home)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["episodes"] == 2
    words = ["--world", "pendulum", "--recipe", "sac", "--recipe.batch", "8", "--shown", "shown", "--name", "pupil"]
    done = umwelt(
        "live", *words, "--steps", "0", "--rhythm.study", "20", "--rhythm.probe-episodes", "0", "--json", "--quiet", cwd=home
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["clock"], summary["decisions"]) == (20, 0)


def test_cite_prints_the_entries_of_a_recipe_and_its_parts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cite", "bmpc", "random"]) == 0
    printed = capsys.readouterr().out
    assert "% random: nothing to cite" in printed
    assert "Bootstrapped Model Predictive Control" in printed
    assert main(["cite", "bmpc", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["recipes"]["bmpc"][0] == "bmpc_2025"
    assert all(found["entries"][key] in printed for key in found["recipes"]["bmpc"])


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_verb_teaches(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main([verb, "--help"])
    assert exit.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_help_of_the_program_needs_no_jax(tmp_path: Path) -> None:
    program = (
        "import sys, umwelt; from umwelt.cli.main import main; main(['--help']); early = 'jax' in sys.modules; "
        "print(early, umwelt.retention.Elastic().strength > 0, set(umwelt.__all__) <= set(dir(umwelt)), umwelt.Life.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.stdout.splitlines()[-1] == "False True True Life", done.stderr
    assert "umwelt live" in done.stdout


def test_help_lists_every_field_of_every_part(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["live", "--world", "cartpole_swingup", "--recipe", "pets", "--help"])
    shown = capsys.readouterr().out
    for option in (
        "--recipe.planner.samples",
        "--recipe.model.members",
        "--recipe.memory.bytes",
        "--world.batch",
        "--teacher.steps",
        "--recipe.model.protection",
    ):
        assert option in shown
    assert "icem, informative, mppi, shooting" in " ".join(shown.split())


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
    life, _, _ = read(["--world", "plants_of_mine:Plant", "--world.simulator.options", '{"port": 3}', "--recipe", "random"])
    assert life.world.spec.action.shape == (1,)


def test_a_full_disk_stops_the_life_with_3_and_the_last_save_lives_on(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the full disk: the system refuses the write in the same way."""
    limit = "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY)); "
    command = [sys.executable, "-c", limit + "runpy.run_module('umwelt', run_name='__main__')"]
    command += ["live", "--world", "pendulum", "--recipe", "random", "--name", "full", "--quiet", "--steps", "400000"]
    command += ["--rhythm.record-every", "1", "--rhythm.save-seconds", "0", "--rhythm.probe-episodes", "0"]
    full = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=200)
    assert full.returncode == 3, full.stderr
    assert "free" in full.stderr
    assert "Traceback" not in full.stderr
    saved = json.loads(umwelt("hash", "full", "--json", cwd=tmp_path).stdout)["clock"]
    assert saved > 0
    onward = umwelt("resume", "full", "--steps", str(saved + 200), "--quiet", "--json", cwd=tmp_path)
    assert json.loads(onward.stdout)["clock"] == saved + 200
