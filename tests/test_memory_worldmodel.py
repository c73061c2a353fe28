"""Tables of stable-worldmodel as experience: one that its own writer wrote, and tables with one fault each.

`tests/worldmodel_write.py` says how the zip file was made, and what stands in it.
"""

import sys
import zipfile
from pathlib import Path

import jax
import numpy as np
import pytest
import worldmodel_write as made

from umwelt import check
from umwelt.cli import data
from umwelt.cli.names import source_of
from umwelt.core import FIRST, MID, SHOWN, TERMINATED, TRUNCATED, WATCHED, Box, WorldSpec
from umwelt.memory import WorldModel

lance = pytest.importorskip("lance", reason="the worldmodel extra is not installed")
BOTH = ("observation", "goal_place")
STEPS = [(0, step) for step in range(4)] + [(1, 0), (1, 1)]
LATER = [(episode, step + 1) for episode, step in STEPS]


def unpacked(folder: Path) -> str:
    """The table of the zip file, in a folder of its own."""
    with zipfile.ZipFile(Path(__file__).parent / "worldmodel.zip") as file:
        file.extractall(folder)
    return str(folder / "reach.lance")


def other(folder: Path, **columns: object) -> str:
    """A table with other columns in place of some of the same name; None leaves one out."""
    import pyarrow

    table = lance.dataset(unpacked(folder)).to_table()
    for name, values in columns.items():
        at, kind = table.schema.names.index(name), table.schema.field(name).type
        table = table.remove_column(at) if values is None else table.set_column(at, name, pyarrow.array(values, kind))
    lance.write_dataset(table, str(folder / "other.lance"))
    return str(folder / "other.lance")


def test_a_row_is_a_step_and_its_reward_came_with_it(tmp_path: Path) -> None:
    source = WorldModel(path=unpacked(tmp_path), observation=BOTH)
    spec = source.spec()
    (piece,) = source.read(jax.random.key(0), spec)
    found = jax.tree.map(lambda leaf: np.asarray(leaf)[np.asarray(piece.valid)], piece)
    for rows, step in ((STEPS, found.step), (LATER, found.next)):
        wanted = [np.append(made.numbers(*row)["observation"], made.numbers(*row)["goal.place"]) for row in rows]
        np.testing.assert_array_equal(step.observation, wanted)
    np.testing.assert_array_equal(found.action, [made.numbers(*row)["action"] for row in STEPS])
    np.testing.assert_array_equal(found.next.reward, [made.numbers(*row)["reward"] for row in LATER])
    np.testing.assert_array_equal(found.step.kind, [FIRST, MID, MID, MID, FIRST, MID])
    np.testing.assert_array_equal(found.next.kind, [MID, MID, MID, TERMINATED, MID, TRUNCATED])
    assert set(found.origin) == {SHOWN}
    # the last action of an episode, 0.04 and 0.12, means nothing
    np.testing.assert_allclose(spec.action.bounds, [[0.0, -0.11, 0.5], [0.11, 0.0, 0.5]], atol=1e-7)
    check.source(source, spec).raise_if_broken()


def test_pictures_are_bytes_of_the_right_row(tmp_path: Path) -> None:
    source = WorldModel(path=unpacked(tmp_path), observation=("observation", "pixels"), action="")
    spec = source.spec()
    (piece,) = source.read(jax.random.key(0), spec)
    seen = piece.next.observation["pixels"][np.asarray(piece.valid)].astype(int)
    assert np.abs(seen - [made.picture(*row).astype(int) for row in LATER]).max() <= 2
    assert spec.observation["pixels"] == Box(shape=(16, 16, 3), low=0.0, high=255.0, dtype="uint8")
    assert set(piece.origin[np.asarray(piece.valid)]) == {WATCHED}
    check.source(source, spec).raise_if_broken()


def test_what_no_transition_reads_may_be_absent(tmp_path: Path) -> None:
    nothing = [float("nan")]
    action = [*[[0.5] * 3] * 4, nothing * 3, *[[0.5] * 3] * 2, nothing * 3]
    reward = [nothing, *[[1.0]] * 4, nothing, *[[1.0]] * 2]
    source = WorldModel(path=other(tmp_path, action=action, reward=reward))
    check.source(source, source.spec()).raise_if_broken()


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"reward": [None, None, *[[1.0]] * 6]}, "row 2 has no number in reward; leave its episode out"),
        ({"observation": [[float("nan")] * 2, *[[1.0] * 2] * 7]}, "row 1 has no number in observation"),
        ({"step_idx": None}, "there is no column step_idx; it has episode_idx"),
        ({"step_idx": [0, 1, 2, 3, 3, 0, 1, 2]}, "not in the order of episode_idx and step_idx"),
        ({"episode_idx": [1, 1, 1, 1, 1, 0, 0, 0]}, "not in the order of episode_idx and step_idx"),
        ({"episode_idx": list(range(8)), "step_idx": [0] * 8}, "it holds no transition"),
        ({"terminated": [[1.0]] * 8}, "row 1 has done='terminated' before its episode ends; give another column, or done=''"),
        ({"action": None}, "there is no action='action'; it has observation, .*; name one of these, or action=''"),
    ],
)
def test_what_is_wrong_with_a_table_is_a_sentence(columns: dict, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        WorldModel(path=other(tmp_path, **columns)).spec()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"observation": ()}, "observation: name the columns of what was seen"),
        ({"observation": ("goal.place",)}, "there is no observation='goal.place'; it has observation, goal_place"),
        ({"action": "pixels"}, "action='pixels' is of pictures, and numbers are asked for"),
        ({"reward": "action"}, "reward='action' has 3 numbers, and one is asked for"),
        ({"episodes": 3}, "episodes=3, where path=.* holds 2"),
    ],
)
def test_what_is_asked_of_it_and_not_there_is_a_sentence(more: dict, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        WorldModel(path=unpacked(tmp_path), **more).spec()


def test_files_that_are_no_table_are_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"no table of stable-worldmodel; give one folder \*.lance"):
        WorldModel(path=str(tmp_path / "none.lance")).spec()
    path = Path(unpacked(tmp_path))
    (file,) = (path / "data").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"a file of it is damaged or absent .*; copy it again"):
        WorldModel(path=str(path)).spec()
    (tmp_path / "empty.lance").mkdir()
    with pytest.raises(ValueError, match="it is no Lance table, or a damaged one"):
        WorldModel(path=str(tmp_path / "empty.lance")).spec()
    monkeypatch.setitem(sys.modules, "lance", None)
    with pytest.raises(ValueError, match=r"tables of stable-worldmodel need pip install 'umwelt\[worldmodel\]'"):
        WorldModel(path=str(path)).spec()


def test_what_does_not_fit_the_world_is_refused(tmp_path: Path) -> None:
    source = WorldModel(path=unpacked(tmp_path))
    arm = {"name": "arm", "observation": Box(shape=(2,)), "task": Box()}
    source.check(WorldSpec(action=Box(shape=(3,), low=-1.0, high=1.0), **arm))
    with pytest.raises(ValueError, match="its action space is not that of arm"):
        source.check(WorldSpec(action=Box(shape=(2,), low=-1.0, high=1.0), **arm))
    with pytest.raises(ValueError, match=r"it has 0.5 in action\[2\], outside of -0.2 to 0.2 of arm"):
        source.check(WorldSpec(action=Box(shape=(3,), low=-0.2, high=0.2), **arm))


def test_the_command_line_knows_the_table(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = unpacked(tmp_path)
    assert source_of(path) == WorldModel(path=path)
    assert source_of(str(tmp_path)) == WorldModel(path=str(tmp_path))
    assert source_of(path, ("obs=observation,goal_place", "done=terminated")).observation == BOTH
    assert data.run([path]) == 0
    said = capsys.readouterr().out
    assert "2 episodes, 6 transitions" in said
    assert "1 terminated, 1 cut off" in said
    assert source_of(other(tmp_path, reward=None)).reward == ""
