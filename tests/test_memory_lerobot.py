"""LeRobot data sets as experience: two that LeRobot's own package wrote, and folders with one fault each.

`tests/lerobot_write.py` says how the zip files were made, and what stands in them.
"""

import json
import shutil
import sys
import zipfile
from pathlib import Path

import jax
import lerobot_write as made
import numpy as np
import pytest

from umwelt import check
from umwelt.cli import data
from umwelt.cli.names import source_of
from umwelt.cli.options import UsageError
from umwelt.core import FIRST, MID, SHOWN, TERMINATED, TRUNCATED, WATCHED, Box, Discrete, Experience, WorldSpec
from umwelt.memory import LeRobot

parquet = pytest.importorskip("pyarrow.parquet", reason="the lerobot extra is not installed")
LAYOUTS = ("v21", "v30")
BOTH = ("observation.state", "observation.environment_state")
TOP, HAND = "observation.images.top", "observation.images.hand"


def unpacked(folder: Path, layout: str = "v21") -> Path:
    """The data set of a layout, in a folder of its own."""
    with zipfile.ZipFile(Path(__file__).parent / f"lerobot_{layout}.zip") as file:
        file.extractall(folder / "reach")
    return folder / "reach"


def rows(source: LeRobot) -> tuple[WorldSpec, Experience]:
    """The transitions [n] of both episodes, without the seam between them."""
    spec = source.spec()
    (piece,) = source.read(jax.random.key(0), spec)
    return spec, jax.tree.map(lambda leaf: np.asarray(leaf)[np.asarray(piece.valid)], piece)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_frames_become_transitions_and_an_end_needs_no_frame_after_it(layout: str, tmp_path: Path) -> None:
    source = LeRobot(path=str(unpacked(tmp_path, layout)), observation=BOTH)
    spec, found = rows(source)
    frames = [(0, frame) for frame in range(5)] + [(1, 0), (1, 1)]
    later = [(0, 1), (0, 2), (0, 3), (0, 4), (0, 4), (1, 1), (1, 2)]
    seen = {each: np.concatenate([made.numbers(*each)[name].ravel() for name in BOTH]) for each in frames + later}
    np.testing.assert_array_equal(found.step.observation, [seen[each] for each in frames])
    np.testing.assert_array_equal(found.next.observation, [seen[each] for each in later])
    np.testing.assert_array_equal(found.action, [made.numbers(*each)["action"] for each in frames])
    np.testing.assert_array_equal(found.next.reward, [made.numbers(*each)["next.reward"][0] for each in frames])
    np.testing.assert_array_equal(found.next.kind, [MID, MID, MID, MID, TERMINATED, MID, TRUNCATED])
    np.testing.assert_array_equal(found.step.kind, [FIRST, MID, MID, MID, MID, FIRST, MID])
    assert set(found.origin) == {SHOWN}
    np.testing.assert_allclose(spec.action.bounds, [[0.0, -0.12, 0.5], [0.12, 0.0, 0.5]], atol=1e-7)
    assert spec.observation == Box(shape=(6,))
    check.source(source, spec).raise_if_broken()


def test_names_are_those_of_the_features(tmp_path: Path) -> None:
    path = str(unpacked(tmp_path))
    assert LeRobot(path=path).names == (made.JOINTS, made.MOTORS)
    many = LeRobot(path=path, observation=BOTH, action="").names
    assert many == (("state.shoulder", "state.elbow", *(f"observation.environment_state {n}" for n in range(4))), ())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pictures_are_bytes_of_the_right_frame(layout: str, tmp_path: Path) -> None:
    pytest.importorskip("av", reason="PyAV of the lerobot extra is not installed")
    path = str(unpacked(tmp_path, layout))
    source = LeRobot(path=path, observation=(HAND, "observation.state", TOP))
    spec, found = rows(source)
    seen = found.step.observation
    assert {name: space.shape for name, space in spec.observation.items()} == {
        "numbers": (2,),
        HAND: (4, 6, 3),
        TOP: (made.SIDE, made.SIDE, 3),
    }
    frames = [(0, frame) for frame in range(5)] + [(1, 0), (1, 1)]
    np.testing.assert_array_equal(seen[HAND], [made.hand(*each) for each in frames])
    levels = np.array([made.grey(*each) for each in frames])
    assert np.abs(seen[TOP].astype(int) - levels[:, None, None, None]).max() <= 4
    check.source(source, spec).raise_if_broken()
    alone = LeRobot(path=path, observation=(TOP,))
    assert alone.spec().observation == Box(shape=(made.SIDE, made.SIDE, 3), low=0.0, high=255.0, dtype="uint8")


def test_a_video_without_its_extra_is_a_sentence_and_numbers_need_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = unpacked(tmp_path)
    monkeypatch.setitem(sys.modules, "av", None)
    shutil.copytree(path, tmp_path / "numbers")
    shutil.rmtree(tmp_path / "numbers" / "videos")
    assert len(rows(LeRobot(path=str(tmp_path / "numbers")))[1].origin) == 7
    with pytest.raises(ValueError, match=r"videos need PyAV, pip install 'umwelt\[lerobot\]'"):
        LeRobot(path=str(path), observation=(TOP,)).spec()


def test_without_reward_end_and_action_it_is_watched_and_cut_off(tmp_path: Path) -> None:
    source = LeRobot(path=str(unpacked(tmp_path)), action="", reward="", done="", episodes=1)
    spec, found = rows(source)
    assert set(found.origin) == {WATCHED}
    assert not found.next.reward.any()
    np.testing.assert_array_equal(found.next.kind, [MID, MID, MID, TRUNCATED])
    check.source(source, spec).raise_if_broken()


def rewrite(file: Path, **columns: list) -> None:
    """Put other columns into a Parquet file, and leave the rest."""
    table = parquet.read_table(file)
    for name, values in columns.items():
        name = name.replace("__", ".")
        table = table.set_column(table.schema.names.index(name), name, [values])
    parquet.write_table(table, file)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def inform(root: Path, **more: object) -> None:
    file = root / "meta/info.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **more}))


FIRST_FILE = "data/chunk-000/episode_000000.parquet"
V3_FILE, V3_LIST = "data/chunk-000/file-000.parquet", "meta/episodes/chunk-000/file-000.parquet"
STATES = [[1.0, 2.0]] * 5


@pytest.mark.parametrize(
    ("layout", "spoil", "said"),
    [
        (
            "v21",
            lambda root: (root / "meta/info.json").unlink(),
            "no LeRobot data set; give the folder that holds meta/info.json",
        ),
        ("v21", lambda root: cut(root / "meta/info.json"), "meta/info.json is no JSON, or a damaged file"),
        ("v21", lambda root: inform(root, codebase_version="v1.6"), "codebase_version is 'v1.6'; convert it"),
        ("v21", lambda root: inform(root, features=3), "meta/info.json lacks .*items"),
        ("v30", lambda root: inform(root, total_episodes=3), "counts 3 episodes, and meta/episodes/.*parquet lists 2"),
        ("v21", lambda root: (root / FIRST_FILE).unlink(), f"there is no file {FIRST_FILE}; copy the whole folder"),
        ("v21", lambda root: cut(root / FIRST_FILE), f"{FIRST_FILE} is no Parquet file, or a damaged one"),
        ("v30", lambda root: cut(root / V3_FILE), f"{V3_FILE} is no Parquet file, or a damaged one"),
        ("v30", lambda root: cut(root / V3_LIST), f"{V3_LIST} is no Parquet file, or a damaged one"),
        ("v21", lambda root: cut(root / "meta/episodes.jsonl"), "counts 2 episodes, and meta/episodes.jsonl lists 1"),
        ("v21", lambda root: (root / "meta/episodes.jsonl").write_text("{"), "meta/episodes.jsonl is damaged"),
        ("v21", lambda root: rewrite(root / FIRST_FILE, action=[[0.0, 0.0]] * 5), r"action of another width than the \[3\]"),
        ("v21", lambda root: rewrite(root / FIRST_FILE, action=[[0.0, 0.0], [0.0] * 4, *[[0.0] * 3] * 3]), "another width"),
        ("v21", lambda root: rewrite(root / FIRST_FILE, action=["left"] * 5), "action as string, and numbers are asked for"),
        (
            "v21",
            lambda root: rewrite(root / FIRST_FILE, observation__state=[*STATES[:3], [1.0, float("nan")], STATES[0]]),
            "episode 0 has no number in observation.state at frame 3; leave that episode out",
        ),
        ("v30", lambda root: rewrite(root / V3_FILE, next__reward=[None, *[1.0] * 7]), "no number in next.reward at frame 0"),
        (
            "v30",
            lambda root: rewrite(root / V3_FILE, frame_index=[0, 1, 2, 3, 3, 0, 1, 2]),
            "holds 5 frames of episode 0, which has 5 in order",
        ),
        ("v30", lambda root: rewrite(root / V3_LIST, length=[5, 4]), "holds 3 frames of episode 1, which has 4 in order"),
        (
            "v21",
            lambda root: rewrite(root / FIRST_FILE, next__done=[False, True, False, False, True]),
            "episode 0 goes on after done='next.done' at frame 1; give another, or done=''",
        ),
    ],
)
def test_what_is_wrong_with_a_folder_is_a_sentence(layout: str, spoil: object, said: str, tmp_path: Path) -> None:
    root = unpacked(tmp_path, layout)
    spoil(root)  # type: ignore[operator]
    with pytest.raises(ValueError, match=said):
        LeRobot(path=str(root)).spec()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"observation": ()}, "observation: name the features of what was seen"),
        ({"observation": ("state",)}, "there is no observation='state'; it has observation.state, .*; name one of these"),
        ({"reward": "gain"}, "there is no reward='gain'; .*, or reward=''"),
        ({"reward": "action"}, "reward='action' has 3 numbers, and one is asked for"),
        ({"action": HAND}, "is of image, and numbers are asked for"),
        ({"episodes": 3}, "episodes=3, where path=.* holds 2"),
    ],
)
def test_what_is_asked_of_it_and_not_there_is_a_sentence(more: dict, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        LeRobot(path=str(unpacked(tmp_path)), **more).spec()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_video_that_is_cut_short_is_a_sentence(layout: str, tmp_path: Path) -> None:
    pytest.importorskip("av", reason="PyAV of the lerobot extra is not installed")
    root = unpacked(tmp_path, layout)
    source = LeRobot(path=str(root), observation=(TOP,))
    spec = source.spec()
    (file, *_) = sorted((root / "videos").rglob("*.mp4"))
    cut(file)
    with pytest.raises(ValueError, match=r"is no video, or a damaged one|frames of observation.images.top; copy it again"):
        list(source.read(jax.random.key(0), spec))
    file.unlink()
    with pytest.raises(ValueError, match=r"there is no video videos/.*; copy it too, or leave observation.images.top out"):
        source.check(spec)


def test_what_does_not_fit_the_world_is_refused(tmp_path: Path) -> None:
    source = LeRobot(path=str(unpacked(tmp_path)))
    arm = {"name": "arm", "observation": Box(shape=(2,)), "task": Box()}
    source.check(WorldSpec(action=Box(shape=(3,), low=-1.0, high=1.0), **arm))
    with pytest.raises(ValueError, match=r"its action space is not that of arm: it is float32\[3\], where float32\[2\]"):
        source.check(WorldSpec(action=Box(shape=(2,), low=-1.0, high=1.0), **arm))
    with pytest.raises(ValueError, match="its action space is not that of arm"):
        source.check(WorldSpec(action=Discrete(n=3), **arm))
    with pytest.raises(ValueError, match=r"episode 0 has 0.5 in action\[2\] at frame 0, outside of -0.2 to 0.2 of arm"):
        source.check(WorldSpec(action=Box(shape=(3,), low=-0.2, high=0.2), **arm))


def test_the_command_line_knows_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    root = unpacked(tmp_path, "v30")
    assert source_of(str(root)) == LeRobot(path=str(root))
    assert source_of(str(root), ("obs=observation.environment_state", "reward=index")) == LeRobot(
        path=str(root), observation=("observation.environment_state",), reward="index"
    )
    with pytest.raises(UsageError, match="--columns cut=late: write KEY=NAME, where KEY is one of obs, action, reward, done"):
        source_of(str(root), ("cut=late",))
    assert data.run([str(root)]) == 0
    said = capsys.readouterr().out
    assert "2 episodes, 7 transitions" in said
    assert "1 terminated, 1 cut off" in said
    assert "elbow_motor" in said
    # a set for imitation holds neither a reward nor an end
    held = json.loads((root / "meta/info.json").read_text())["features"]
    inform(root, features={name: each for name, each in held.items() if not name.startswith("next.")})
    assert source_of(str(root)) == LeRobot(path=str(root), reward="", done="")
