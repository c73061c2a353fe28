"""What a data set is worth, by hand and by counting."""

import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from umwelt.cli.main import main
from umwelt.evaluation import data_sets
from umwelt.memory import Logged, minari
from umwelt.memory.played import Played
from umwelt.worlds import Pendulum

COLUMNS = ["--columns", "obs=heat,flow", "action=valve", "reward=paid", "done=over"]
TABLE = "heat,flow,valve,paid,over\n20,1,0.1,0,0\n21,1,0.2,1,0\n23,1,0.0,2,1\n20,1,0.1,0,0\n22,1,0.5,1,1\n"


def test_quality_and_coverage_by_hand() -> None:
    assert data_sets.trajectory_quality(-150.0, chance=-900.0, best=-100.0) == pytest.approx(0.9375)
    assert np.isnan(data_sets.trajectory_quality(1.0, chance=2.0, best=2.0))
    # four states of a table and two choices: five distinct pairs, of which the other set has three
    one_hot = np.eye(4)
    states, choices = np.array([0, 0, 1, 2, 3, 3, 0]), np.array([0, 1, 0, 0, 1, 1, 0])
    reference = one_hot[states], np.eye(2)[choices]
    some = one_hot[[0, 1, 1, 3]], np.eye(2)[[0, 0, 0, 1]]
    assert data_sets.distinct(*reference, (np.zeros(6), np.ones(6))) == 5
    assert data_sets.coverage(some, reference) == pytest.approx(3 / 5)


def test_pairs_of_a_box_are_counted_in_equal_bins_of_its_range() -> None:
    values = np.linspace(0.0, 1.0, 1001)[:, None]
    assert data_sets.distinct(values, np.zeros((1001, 1)), (np.zeros(2), np.ones(2)), bins=10) == 10
    with_edge = np.array([[0.0], [0.0999], [0.1], [1.0]])
    assert data_sets.distinct(with_edge, np.zeros((4, 1)), (np.zeros(2), np.ones(2)), bins=10) == 3


def test_a_column_with_gaps_is_measured_on_what_is_there() -> None:
    found = data_sets.column("heat", [1.0, np.nan, 3.0, np.inf])
    assert (found.least, found.mean, found.greatest, found.deviation, found.missing) == (1.0, 2.0, 3.0, 1.0, 2)
    assert data_sets.column("heat", [np.nan]).missing == 1


def card_of(words: list[str], capsys: Any) -> dict[str, Any]:
    assert main(["data", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_card_of_a_table_is_that_of_its_episodes(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "plant.csv"
    path.write_text(TABLE)
    found = card_of([str(path), *COLUMNS], capsys)
    assert (found["episodes"], found["transitions"], found["terminated"], found["unknown"]) == (2, 5, 2, 0)
    assert found["returns"] == [1.0, 2.0, 3.0]
    assert found["lengths"] == [2, 2.5, 3]
    assert [one["name"] for one in found["columns"]] == ["heat", "flow", "valve"]
    assert found["columns"][1]["deviation"] == 0.0
    assert main(["data", str(path), *COLUMNS]) == 0
    assert "never changes" in capsys.readouterr().out


def test_the_card_counts_whole_episodes_however_a_source_is_cut() -> None:
    world = Pendulum(time_limit=20)
    flat = lambda observation, action: (observation, action)  # noqa: E731
    found = {}
    for batch in (1, 3):
        spec = Pendulum(time_limit=20, batch=batch).spec
        source = Played(world=world, how="random", episodes=5, batch=5)
        pieces = [jax.tree.map(np.asarray, piece) for piece in source.read(jax.random.key(0), spec)]
        found[batch] = data_sets.card(pieces, (("a", "b", "c"), ("d",)), flat)
    assert found[1].episodes == found[3].episodes == 5
    assert found[1].transitions == 100
    np.testing.assert_allclose(found[1].returns, found[3].returns, rtol=1e-5)
    assert found[1].pairs == found[3].pairs


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Three episodes of a table in a folder of Minari."""
    pytest.importorskip("minari")
    (tmp_path / "plant.csv").write_text(TABLE)
    source = Logged(path=str(tmp_path / "plant.csv"), observation=("heat", "flow"), action=("valve",), reward="paid", done="over")
    minari.write(source.episodes(), tmp_path / "plant", source.spec())
    return tmp_path / "plant"


def test_a_recorded_set_says_its_own_spaces_and_is_studied_without_a_world(
    recorded: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert card_of([str(recorded)], capsys)["returns"] == [1.0, 2.0, 3.0]
    words = ["live", "--shown", str(recorded), "--recipe", "cloning", "--study", "20", "--steps", "0", "--name", "plant"]
    assert main([*words, "--recipe.batch", "8", "--recipe.learner.learner.learner.units", "8"]) == 0
    assert "20 lessons of study" in capsys.readouterr().out


def test_quality_is_measured_against_chance_and_the_expert_of_a_world(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    text = "from umwelt.memory import Played\nfrom umwelt.worlds import Cartpole\n"
    (tmp_path / "shown_by_chance.py").write_text(f"{text}source = Played(world=Cartpole(), how='random', episodes=50)\n")
    found = card_of(["shown_by_chance:source", "--world", "cartpole", "--reference", "shown_by_chance:source"], capsys)
    assert found["quality"] == pytest.approx(0.0, abs=0.1)
    assert found["expert"] > 5 * found["chance"]
    assert found["coverage"] == 1.0
    with pytest.raises(SystemExit):
        main(["data", "shown_by_chance:source"])
    assert "name the world" in capsys.readouterr().err
