"""Tables of logged decisions as experience, by hand-made files; and a life that studies one without a world."""

from pathlib import Path

import jax
import numpy as np
import pytest

import umwelt
from umwelt import check
from umwelt.cli.live import read
from umwelt.cli.options import UsageError
from umwelt.cli.summary import summary_of, summary_tables
from umwelt.core import FIRST, MID, SHOWN, TERMINATED, TRUNCATED, WATCHED, Discrete, innermost
from umwelt.life.api import live
from umwelt.memory import Logged
from umwelt.worlds import Absent, Pendulum

HEAD = "run,heat,flow,valve,paid,over,late"
ROWS = """
1,20,0.5,0.1,0,0,0
1,21,0.6,0.2,1,0,0
1,23,0.7,0.0,2,1,0
2,20,0.5,0.3,3,0,0
2,22,0.4,0.4,4,0,1
3,19,0.1,0.5,5,0,0
"""
NAMES = {"observation": ("heat", "flow"), "action": ("valve",), "reward": "paid", "done": "over", "cut": "late"}


def table(folder: Path, rows: str = ROWS, head: str = HEAD, **more: object) -> Logged:
    path = folder / "plant.csv"
    path.write_text(f"{head}\n{rows.strip()}\n")
    return Logged(path=str(path), **{**NAMES, **more})


def test_rows_become_transitions_and_an_end_needs_no_row_after_it(tmp_path: Path) -> None:
    over, cut = table(tmp_path).episodes()
    np.testing.assert_array_equal(over.step.observation[:, 0], [20, 21, 23])
    np.testing.assert_array_equal(over.next.observation[:, 0], [21, 23, 23])
    np.testing.assert_array_equal(over.next.kind, [MID, MID, TERMINATED])
    np.testing.assert_array_equal(over.step.kind, [FIRST, MID, MID])
    np.testing.assert_array_equal(over.next.reward, [0, 1, 2])
    np.testing.assert_array_equal(over.action[:, 0], np.array([0.1, 0.2, 0.0], np.float32))
    # the last row of an episode that was cut off only shows what came of the row before; run 3 has no transition at all
    np.testing.assert_array_equal(cut.step.observation[:, 0], [20])
    np.testing.assert_array_equal(cut.next.observation[:, 0], [22])
    np.testing.assert_array_equal(cut.next.kind, [TRUNCATED])
    assert set(over.origin) == {SHOWN}


def test_a_column_may_number_the_episodes_and_actions_may_be_choices_or_unknown(tmp_path: Path) -> None:
    numbered = table(tmp_path, done="", cut="", episode="run").episodes()
    assert [len(each.origin) for each in numbered] == [2, 1]
    chosen = table(tmp_path, action=(), choice="paid")
    assert chosen.spec().action == Discrete(n=6)
    assert chosen.episodes()[0].action.dtype == np.int32
    watched = table(tmp_path, action=()).episodes()[0]
    assert set(watched.origin) == {WATCHED}
    assert not watched.action.any()


def test_it_keeps_the_contract_of_sources_and_parquet_reads_the_same(tmp_path: Path) -> None:
    source = table(tmp_path)
    check.source(source, source.spec()).raise_if_broken()
    read_csv = pytest.importorskip("pyarrow.csv", reason="the parquet extra is not installed").read_csv
    pytest.importorskip("pyarrow.parquet").write_table(read_csv(source.path), tmp_path / "plant.parquet")
    same = Logged(path=str(tmp_path / "plant.parquet"), **NAMES)
    jax.tree.map(np.testing.assert_array_equal, same.episodes(), source.episodes())


@pytest.mark.parametrize(
    ("more", "rows", "said"),
    [
        ({"reward": "gain"}, ROWS, "there is no column gain; it has run, heat, flow, valve, paid, over, late"),
        ({}, ROWS.replace("0.7", "wet"), "row 3 has 'wet' in flow, and a number is asked for"),
        ({}, ROWS.replace("0.7", ""), "row 3 has no number in flow"),
        ({}, ROWS.replace("0.7", "nan"), "row 3 has no number in flow"),
        ({}, "1,20,0.5,0.1,0,0,0", "1 rows are too few"),
        ({}, "", "0 rows are too few"),
        ({"action": (), "choice": "valve"}, ROWS, "whole numbers from 0 on are choices"),
        ({"choice": "paid"}, ROWS, "give it or action="),
    ],
)
def test_what_is_wrong_with_a_table_is_a_sentence(more: dict, rows: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        table(tmp_path, rows, **more).spec()


def test_files_that_are_no_tables_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no such file"):
        Logged(path=str(tmp_path / "none.csv"), **NAMES).spec()
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(ValueError, match=r"no Parquet file, or a damaged one"):
        Logged(path=str(tmp_path / "broken.parquet"), **NAMES).spec()


def test_a_table_that_does_not_fit_the_world_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="its observation has 2 columns, and there are 3 numbers in that of pendulum"):
        table(tmp_path).check(Pendulum().spec)
    three = table(tmp_path, ROWS.replace("0.5,0.3", "0.5,7.5"), observation=("heat", "flow", "run"))
    with pytest.raises(ValueError, match=r"row 4 has valve=7.5, outside of -2 to 2 of pendulum"):
        three.check(Pendulum().spec)


def test_without_a_world_a_life_studies_the_table_and_its_policy_acts(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    values = np.random.default_rng(0).uniform(-1, 1, (120, 4))
    np.savetxt(path, values, fmt="%.4f", delimiter=",", header="a,b,u,r", comments="")
    words = ["--shown", str(path), "--columns", "obs=a,b", "action=u", "reward=r", "--recipe", "losse_mpc"]
    small = ["--recipe.model.encoder.grids", "4", "--recipe.planner.samples", "8", "--recipe.planner.elites", "4"]
    small += ["--recipe.planner.horizon", "4"]
    study = ["--rhythm.study", "3", "--steps", "0"]
    made, command, stem = read([*words, *small, *study])
    assert isinstance(innermost(made.world), Absent)
    assert stem.startswith("log-")
    live(made, steps=command.steps, name="one", lives=tmp_path)
    said = summary_tables(summary_of(tmp_path / "one"))
    assert said[0] == "nothing was probed: there is no world to examine it in, only a record"
    policy = umwelt.load(tmp_path / "one")
    policy.reset()
    assert np.all(np.abs(policy(np.zeros(2, np.float32))) <= 1.0)
    with pytest.raises(UsageError, match="no world to act in"):
        read([*words, "--steps", "50"])
    with pytest.raises(UsageError, match="say what its columns are"):
        read(["--shown", str(path)])
    with pytest.raises(UsageError, match="--columns gain=r: write KEY=NAME"):
        read(["--shown", str(path), "--columns", "obs=a,b", "gain=r"])


def test_an_absent_world_keeps_the_contract() -> None:
    space = Pendulum().spec
    check.world(Absent(observation=space.observation, action=space.action), steps=20).raise_if_broken()
