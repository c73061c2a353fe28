"""Recordings for Rerun, read back by the package's own reader."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from rerun.chunk import RrdReader

from umwelt.core import Metric
from umwelt.export.exported import export
from umwelt.export.extras import ExportError
from umwelt.export.moving_picture import FOOT, GAP, SIDE, spread, write_moving_picture
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.composition import Life
from umwelt.life.folder import expression
from umwelt.life.folder.folder import Folder
from umwelt.memory import minari
from umwelt.memory.episodes import collect
from umwelt.recipes import ALL
from umwelt.teachers import Blocks
from umwelt.worlds import Pendulum, pictured
from umwelt.worlds.stream import rows

WORLD = Pendulum(time_limit=5)
REWARD = Metric(name="mean reward", unit="points", meaning="how good", better="up")


def stream(world: Pendulum, ticks: int) -> tuple[Any, Any, Any]:
    """Steps [ticks, 1], actions and tasks of a life that turns the pendulum to the right."""
    task = rows(next(iter(world.tasks().values())), 1)
    state, step = world.init(jax.random.key(0), task)
    found, move, action = [], jax.jit(world.step), jnp.full((1, 1), 2.0)
    for tick in range(ticks):
        found.append((step, action, task))
        state, step = move(jax.random.fold_in(jax.random.key(1), tick), state, action, task)
    return jax.tree.map(lambda *leaves: np.stack(leaves), *found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    """A life of 17 ticks in which three episodes of five decisions ended, two of them kept before the last save."""
    life = Life(world=WORLD, agent=ALL["random"].agent, teacher=Blocks(), keep_episodes=True)
    home = tmp_path_factory.mktemp("home")
    with Folder.create("one", {"life": expression.write(life)}, lives=home) as made:
        _, episodes = collect(None, *stream(WORLD, 17))
        minari.write(episodes[:2], made.episodes, WORLD.spec, name="one")
        with Chronicle(made.chronicle) as chronicle:
            chronicle.declare([REWARD])
            chronicle.write(0, [5, 10, 17], {"mean reward": [0.1, 1 / 3, -2e10]})
            ends = np.array([5, 11, 17])
            chronicle.write_episodes({"seed": 0, "row": 0, "begin": ends - 5, "end": ends, "task": ["a", "b", "a"],
                                      "return": [1.0, 2.0, 3.0], "length": 5, "end_kind": "truncated",
                                      "surprise": 0.0, "doubt": 0.0})  # fmt: skip
            chronicle.write_probe(0, 17, "1,2 / 3", "probe", [4.0], mean=4, low=3, high=5, model_error=np.nan, length=5)
            chronicle.event(0, 11, "expert", "turned to 2")
        film = {"real": np.eye(3, dtype="f4")[None, None], "imagined": np.ones((1, 1, 3, 3), "f4")}
        np.savez(made.path / "foresight.npz", tasks=np.array(["a"]), dimensions=np.arange(3), **film)
        yield made


@pytest.fixture(scope="module")
def read(folder: Folder) -> dict[str, dict[str, Any]]:
    """place -> its columns as they stand in the file, the short name of a component for each."""
    export(folder, folder.path.parent / "out", "rerun")
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for chunk in RrdReader(str(folder.path.parent / "out" / "one.rrd")).stream():
        batch = chunk.to_record_batch()
        for field, column in zip(batch.schema, batch.columns, strict=True):
            name = field.name.split(":")[-1]
            found[chunk.entity_path][name] = found[chunk.entity_path].get(name, []) + column.to_pylist()
    return found


def points(place: dict[str, Any], timeline: str = "clock") -> list[tuple[int, list[float]]]:
    return sorted(zip(place[timeline], place["scalars"], strict=True))


def test_metrics_are_exact_and_have_unit_and_meaning(read) -> None:
    place = read[r"/seed-0/metrics/mean\ reward"]
    assert points(place) == [(5, [0.1]), (10, [1 / 3]), (17, [-2e10])]
    assert (place["unit"], place["meaning"]) == ([["points"]], [["how good"]])


def test_episodes_probes_and_events_stand_on_the_clock(read) -> None:
    assert points(read["/seed-0/episode/return"]) == [(5, [1.0]), (11, [2.0]), (17, [3.0])]
    assert list(zip(read["/seed-0/episode/task"]["clock"], read["/seed-0/episode/task"]["state"], strict=True)) == [
        (0, ["a"]),
        (6, ["b"]),
        (12, ["a"]),
    ]
    probes = [place for place in read if place.startswith("/seed-0/probe/") and place.endswith("/mean")]
    assert probes == [r"/seed-0/probe/1\,2\ \/\ 3/mean"], "one task, whatever its name"
    assert points(read[probes[0]]) == [(17, [4.0])]
    assert "scalars" not in read[probes[0].replace("/mean", "/model_error")]
    assert read["/seed-0/events"]["text"] == [["expert: turned to 2"]]
    assert read["/seed-0/events"]["clock"] == [11]


def test_imagined_and_observed_stretches_stand_beside_each_other(read) -> None:
    assert points(read["/foresight/real"], "ahead") == [(0, [1.0, 0, 0]), (1, [0, 1.0, 0]), (2, [0, 0, 1.0])]
    assert points(read["/foresight/imagined"], "ahead") == [(tick, [1.0] * 3) for tick in range(3)]


def test_kept_episodes_are_trajectories_with_frames(read) -> None:
    """Frames are compared with those of the same life in a world that shows pictures."""
    steps = stream(WORLD, 12)[0]
    seen = points(read["/seed-0/row-0/observation"])
    assert [clock for clock, _ in seen] == list(range(12))
    np.testing.assert_array_equal(np.array([numbers for _, numbers in seen], "f4"), steps.observation[:, 0])
    assert [clock for clock, _ in points(read["/seed-0/row-0/action"])] == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]
    assert {number for _, (number,) in points(read["/seed-0/row-0/action"])} == {2.0}
    rewards = dict(points(read["/seed-0/row-0/reward"]))
    assert rewards == {tick: [float(steps.reward[tick, 0])] for tick in (1, 2, 3, 4, 5, 7, 8, 9, 10, 11)}
    place = read["/seed-0/row-0/frame"]
    frames = np.array([bytes_ for (bytes_,) in place["buffer"]], np.uint8).reshape(-1, 64, 64)[np.argsort(place["clock"])]
    expected = stream(pictured(WORLD), 12)[0].observation[:, 0, :, :, 0]
    assert np.abs(frames.astype(int) - expected.astype(int)).max() <= 1
    assert expected.max() > 200


def test_a_moving_picture_has_the_first_episode_and_the_last_side_by_side(folder: Folder, tmp_path: Path) -> None:
    count = write_moving_picture(folder, tmp_path / "life.gif")
    with Image.open(tmp_path / "life.gif") as film:
        assert film.n_frames == count == 6  # five decisions and what was there before them
        assert film.info["duration"] * count == pytest.approx(10_000, abs=10 * count)  # hundredths of a second
        film.seek(3)
        shown = np.asarray(film.convert("L"))
    assert shown.shape == (SIDE + FOOT, 2 * SIDE + GAP)
    expected = stream(pictured(WORLD), 12)[0].observation[[3, 9], 0, :, :, 0]  # step 3 of both episodes
    for column, frame in enumerate(expected):
        panel = shown[:SIDE, column * (SIDE + GAP) :][:, :SIDE]
        wanted = np.asarray(Image.fromarray(frame).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
        assert np.mean(np.abs(panel.astype(int) - wanted)) < 8  # of 255, in eight shades
    assert spread(15) == [0, 5, 9, 14]
    assert spread(2) == [0, 1]


def test_only_so_many_of_the_newest_episodes_are_shown(folder: Folder, tmp_path: Path) -> None:
    for episodes, first in ((1, 6), (0, None)):
        export(folder, tmp_path / str(episodes), "rerun", episodes=episodes)
        clocks = [
            min(chunk.to_record_batch().column("clock").to_pylist())
            for chunk in RrdReader(str(tmp_path / str(episodes) / "one.rrd")).stream()
            if chunk.entity_path == "/seed-0/row-0/observation"
        ]
        assert clocks == ([] if first is None else [first])


def test_episodes_that_do_not_fit_leave_no_file(folder: Folder, tmp_path: Path) -> None:
    with Folder.create("other", folder.description, lives=tmp_path) as other:
        minari.write(collect(None, *stream(WORLD, 7))[1], other.episodes, WORLD.spec, name="other")
        with Chronicle(other.chronicle) as chronicle:
            chronicle.write_episodes({"seed": 0, "row": 0, "begin": 0, "end": 4, "task": "a", "return": 0.0, "length": 4,
                                      "end_kind": "truncated", "surprise": 0.0, "doubt": 0.0})  # fmt: skip
        with pytest.raises(ExportError, match=r"does not fit to the chronicle .* --episodes 0 leaves it out"):
            export(other, tmp_path / "out", "rerun")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other"]
