"""`umwelt sweep`: recipes times worlds times seeds, one table and one report."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from umwelt.claims.grid_of_lives import Row, figures, plain, words
from umwelt.cli.main import main
from umwelt.cli.sweep import Command, _lives
from umwelt.life.folder.folder import Folder

SMALL = ["--steps", "40", "--rhythm.probe-episodes", "1", "--out", "all"]


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit, match="2"):
        main(["sweep", *arguments])
    return capsys.readouterr().err


def test_a_sweep_runs_what_is_missing_and_reports_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["sweep", "--recipes", "random", "--worlds", "pendulum", *SMALL]
    assert main([*command, "--seeds", "3", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    (cell,) = said["cells"]
    assert (cell["recipe"], cell["world"], said["seeds"]) == ("random", "pendulum", [0, 1, 2])
    low, high = stats.ttest_1samp(cell["final_return"]["seeds"], 0.0).confidence_interval(0.95)
    assert (cell["final_return"]["low"], cell["final_return"]["high"]) == pytest.approx((low, high))
    assert cell["model_error"]["mean"] is None, "random has no model"
    assert cell["seconds"] > 0
    life = Path(cell["lives"][0])
    assert Folder.read(life).description["life"]["fields"]["rhythm"]["fields"]["probe_episodes"] == 1
    assert json.loads((tmp_path / "all/sweep.json").read_text())["cells"] == said["cells"]
    assert "side by side" in (tmp_path / "all/report/index.html").read_text() or life.name in Path(said["report"]).read_text()
    began = (life / "chronicle.db").stat().st_mtime_ns
    assert main([*command, "--seeds", "3"]) == 0
    table = capsys.readouterr().out
    assert f"[{low:.4g}, {high:.4g}]" in " ".join(table.split())
    assert (life / "chronicle.db").stat().st_mtime_ns == began, "what has ended is not run again"
    assert "repeat:   umwelt sweep --recipes random" in table


def test_what_does_not_fit_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    said = refused(["--recipes", "random", "dqn", "--worlds", "pendulum", "cartpole", *SMALL], capsys)
    assert "dqn in pendulum: --recipe dqn: it needs actions that are choices" in said
    assert "cartpole" not in said.split("recipes that fit")[0]
    assert "no recipe called 'randon'; did you mean random" in refused(["--recipes", "randon"], capsys)
    assert "--steps must be at least 1" in refused(["--recipes", "random", "--steps", "0"], capsys)
    assert "random is there twice" in refused(["--recipes", "random", "random"], capsys)
    assert "--recipes: name at least one" in refused([], capsys)
    assert "--together must be at least 1" in refused(["--recipes", "random", "--together", "-1"], capsys)
    assert "--gpus 1: Ray hands them out" in refused(["--recipes", "random", "--gpus", "1"], capsys)
    assert "--name is for one life" in refused(["--recipes", "random", "--name", "a"], capsys)
    assert "there is no option called '--recipe.horizon'" in refused(["--recipes", "random", "--recipe.horizon", "3"], capsys)
    assert list(tmp_path.iterdir()) == []


def test_options_of_a_life_hold_for_all_cells() -> None:
    command = Command(recipes=("losse_mpc", "random"), worlds=("pendulum", "cartpole"), steps=50)
    lives = _lives(command, ["--rhythm.chunk", "7"])
    assert list(lives) == [(recipe, world) for recipe in command.recipes for world in command.worlds]
    assert {life.rhythm.chunk for life in lives.values()} == {7}
    assert {life.seeds for life in lives.values()} == {1}


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["sweep", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    options = ["--recipes", "--worlds", "--seeds", "--jobs", "--ray", "--gpus", "--together"]
    for word in (*options, "Ctrl-C saves", "--rhythm.probe-every 500"):
        assert word in said


def test_figures_have_intervals_from_three_seeds_on() -> None:
    two, none = figures(np.array([1.0, 2.0])), figures(np.array([np.nan] * 3))
    assert two == {"mean": 1.5, "low": None, "high": None}
    assert none == {"mean": None, "low": None, "high": None}
    assert (words(np.array([1.0, 2.0])), words(np.array([np.nan] * 3))) == ("1.5", "-")
    low, high = stats.ttest_1samp([1.0, 2.0, 6.0], 0.0).confidence_interval(0.95)
    assert words(np.array([1.0, 2.0, 6.0])) == f"3 [{low:.4g}, {high:.4g}]"
    row = Row(recipe="a", world="b", values={"final_return": np.array([1.0, np.nan])}, seconds=1.26, lives=(Path("x"),))
    assert json.loads(json.dumps(plain([row], (0, 1), "c"), allow_nan=False))["cells"][0]["final_return"]["seeds"] == [1.0, None]
