"""Episodes on disk, read back here and by Minari's own loader; episodes cut out of the chunks of a life."""

import json
import os
import shutil
import sys
from dataclasses import replace
from itertools import pairwise

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from umwelt.core import (
    BROKEN,
    FIRST,
    LIVED,
    MID,
    SHOWN,
    TERMINATED,
    TRUNCATED,
    Box,
    Discrete,
    Experience,
    TimeStep,
    WorldSpec,
    spaces,
    struct,
)
from umwelt.memory import episodes as cutting
from umwelt.memory.minari import read, write

minari = pytest.importorskip("minari")
pytest.importorskip("h5py")


@struct
class Senses:
    """A space, or a value of it."""

    touch: object
    camera: object


SPEC = WorldSpec(
    name="Two Arms, one camera",
    observation=Senses(touch=Box(shape=(3,)), camera=Box(shape=(32, 32), low=0, high=255, dtype="uint8")),
    action={"grip": Discrete(n=4), "arm": (Box(shape=(2,), low=-1, high=1), Box(dtype="float16", low=-1, high=1))},
    task={"gravity": Box(low=-10, high=0), "goals": (Discrete(n=3), Box(shape=(2,)))},
)


def episode(seed: int, length: int, end: int = TERMINATED, spec: WorldSpec = SPEC) -> Experience:
    """An episode of random values, whose camera is noise that JPEG would spoil."""
    key = jax.random.key(seed)
    kind = np.array([FIRST] + [MID] * (length - 1) + [end], np.int8)
    reward = np.float32(np.random.default_rng(seed).normal(size=length + 1))
    reward[0] = 0
    draw = (spaces.sample(key, space, 9) for space in (spec.observation, spec.action, spec.task))
    observation, action, task = (jax.tree.map(lambda leaf: np.asarray(leaf)[: length + 1], value) for value in draw)
    steps = TimeStep(kind=kind, observation=observation, reward=reward)
    action, task = jax.tree.map(lambda leaf: leaf[:-1], (action, task))
    return cutting.transitions(steps, action, task, LIVED)


def assert_shown(found: Experience, wanted: Experience) -> None:
    """Everything bit for bit, and the origin SHOWN."""
    wanted = replace(wanted, origin=np.full_like(wanted.origin, SHOWN))
    assert jax.tree.structure(found) == jax.tree.structure(wanted)
    for (path, one), other in zip(jax.tree.leaves_with_path(found), jax.tree.leaves(wanted), strict=True):
        assert one.dtype == other.dtype, path
        np.testing.assert_array_equal(one, other)


def test_what_was_written_in_several_calls_is_read_back_bit_for_bit(tmp_path):
    written = [episode(0, 5), episode(1, 1, TRUNCATED), episode(2, 8, TRUNCATED), episode(3, 3)]
    folder = tmp_path / "lives" / "first" / "episodes"
    assert write(written[:2], folder, SPEC) == 2
    assert write([], folder, SPEC) == 2
    assert write(written[2:3], folder, SPEC) == 3
    assert write(written[3:], folder, SPEC) == 4
    for found, wanted in zip(read(folder, SPEC), written, strict=True):
        assert_shown(found, wanted)
    assert write(read(folder, SPEC), tmp_path / "copy", SPEC) == 4
    for found, wanted in zip(read(tmp_path / "copy", SPEC), written, strict=True):
        assert_shown(found, wanted)


def test_without_a_spec_the_structure_is_that_of_the_disk(tmp_path):
    write([episode(0, 5)], tmp_path, SPEC)
    (found,) = read(tmp_path)
    assert set(found.step.observation) == {"touch", "camera"}
    np.testing.assert_array_equal(found.action["arm"][1], episode(0, 5).action["arm"][1])
    np.testing.assert_array_equal(found.task["goals"][0], episode(0, 5).task["goals"][0])


def test_minaris_own_loader_finds_an_ordinary_dataset(tmp_path, monkeypatch):
    written = [episode(0, 5), episode(1, 7, TRUNCATED), episode(2, 2)]
    first = tmp_path / "elsewhere"
    write(written[:1], first, SPEC)
    write(written[1:], first, SPEC)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    shutil.move(first, tmp_path / "umwelt" / "two-arms-one-camera-v0" / "data")
    dataset = minari.load_dataset("umwelt/two-arms-one-camera-v0")
    assert (dataset.total_episodes, dataset.total_steps) == (3, 14)
    assert dataset.observation_space == spaces.to_gymnasium(SPEC.observation)
    assert dataset.action_space == spaces.to_gymnasium(SPEC.action)
    assert [data["id"] for data in dataset.storage.get_episode_metadata(range(3))] == [0, 1, 2]
    for number, (data, wanted) in enumerate(zip(dataset.iterate_episodes(), written, strict=True)):
        assert (data.id, len(data)) == (number, wanted.origin.size)
        assert len(data.observations["touch"]) == len(data) + 1
        np.testing.assert_array_equal(data.observations["camera"][:-1], wanted.step.observation.camera)
        np.testing.assert_array_equal(data.observations["camera"][1:], wanted.next.observation.camera)
        np.testing.assert_array_equal(data.actions["arm"][0], wanted.action["arm"][0])
        np.testing.assert_array_equal(data.rewards, wanted.next.reward)
        np.testing.assert_array_equal(data.terminations, wanted.next.kind == TERMINATED)
        np.testing.assert_array_equal(data.truncations, wanted.next.kind == TRUNCATED)
        np.testing.assert_array_equal(data.infos["task"]["gravity"][1:], wanted.task["gravity"])


def test_a_dataset_that_minari_made_is_read(tmp_path):
    """As Minari's own collector writes it: rewards in float64, actions in int64, no infos."""
    storage = minari.dataset.minari_storage.MinariStorage.new(
        tmp_path / "other", spaces.to_gymnasium(Box(shape=(2,))), spaces.to_gymnasium(Discrete(n=3))
    )
    seen, done, got = np.arange(8, dtype=np.float32).reshape(4, 2), np.array([0, 2, 1]), np.array([0.5, 1.5, 2.5])
    for flags in ([False, False, True], [False] * 3):
        buffer = minari.data_collector.EpisodeBuffer(
            observations=seen, actions=done, rewards=got, terminations=flags, truncations=[False] * 3
        )
        storage.update_episodes([buffer])
    ended, cut = read(tmp_path / "other")
    assert ended.step.kind.tolist() + ended.next.kind.tolist() == [FIRST, MID, MID, MID, MID, TERMINATED]
    assert cut.next.kind.tolist() == [MID, MID, TRUNCATED]
    np.testing.assert_array_equal(ended.next.observation, seen[1:])
    np.testing.assert_array_equal(ended.step.reward, np.float32([0, 0.5, 1.5]))
    np.testing.assert_array_equal(ended.action, done)
    assert ended.task is None


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_call_that_is_killed_leaves_what_was_there(tmp_path, monkeypatch, stop):
    """The three files of a call appear one by one; it is killed before the first, second or third."""
    written = [episode(seed, 3) for seed in range(3)]
    write(written[:1], tmp_path, SPEC)
    rename, moves = os.replace, []

    def killed(source, target):
        moves.append(target)
        if len(moves) == stop:
            raise KeyboardInterrupt
        rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            write(written[1:], tmp_path, SPEC)
    (found,) = read(tmp_path, SPEC)
    assert_shown(found, written[0])
    assert minari.MinariDataset(tmp_path).total_steps == 3
    assert write(written[2:], tmp_path, SPEC) == 2
    for found, wanted in zip(read(tmp_path, SPEC), (written[0], written[2]), strict=True):
        assert_shown(found, wanted)
    assert minari.MinariDataset(tmp_path).total_steps == 6
    assert not list(tmp_path.glob(".*"))


def test_a_resumed_life_writes_its_last_episodes_again(tmp_path):
    written = [episode(seed, 2 + seed) for seed in range(6)]
    write(written[:2], tmp_path, SPEC)
    write(written[2:4], tmp_path, SPEC)
    assert write([], tmp_path, SPEC, after=3) == 3
    assert write(written[4:], tmp_path, SPEC, after=1) == 3
    for found, wanted in zip(read(tmp_path, SPEC), (written[0], *written[4:]), strict=True):
        assert_shown(found, wanted)
    assert json.loads((tmp_path / "metadata.json").read_text())["total_steps"] == 2 + 6 + 7
    with pytest.raises(ValueError, match=r"after=4, where .* holds 3 episodes"):
        write(written, tmp_path, SPEC, after=4)


def test_what_is_wrong_is_named_before_anything_is_written(tmp_path):
    whole = episode(0, 4)
    write([whole], tmp_path, SPEC)
    part = jax.tree.map(lambda leaf: leaf[1:], whole)
    with pytest.raises(ValueError, match=r"episodes\[1\] is no whole episode"):
        write([whole, part], tmp_path, SPEC)
    wide = replace(whole, action={**whole.action, "grip": whole.action["grip"].astype(np.int64)})
    with pytest.raises(ValueError, match=r"action.grip is int64\[\], where spec has int32\[\]"):
        write([wide], tmp_path, SPEC)
    other = replace(SPEC, observation=replace(SPEC.observation, touch=Box(shape=(3,), low=-1)))
    with pytest.raises(ValueError, match="another observation space"):
        write([whole], tmp_path, other)
    assert len(read(tmp_path)) == 1


def test_the_extra_is_named_where_minari_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "minari", None)
    with pytest.raises(ImportError, match=r"pip install 'umwelt\[minari\]'"):
        read(tmp_path)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_chunks_of_a_life_give_whole_episodes_in_the_order_of_their_ends(data):
    rows, ticks = 3, 40
    wanted, kind = [], np.full((ticks, rows), MID, np.int8)
    for row in range(rows):
        # The life may be joined in the middle of an episode, which is then left out.
        tick = data.draw(st.integers(0, 3))
        while tick < ticks:
            kind[tick, row] = FIRST
            end = tick + data.draw(st.integers(1, 15))
            if end < ticks:
                kind[end, row] = data.draw(st.sampled_from([TERMINATED, TRUNCATED]))
                wanted.append((end, row, tick))
            tick = end + 1
    tick, row = np.meshgrid(np.arange(ticks), np.arange(rows), indexing="ij")
    steps = TimeStep(kind=kind, observation={"at": np.stack([tick, row], -1)}, reward=np.float32(tick))
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, ticks), max_size=6))), ticks]
    pending, found = None, []
    for start, stop in pairwise(cuts):
        chunk = jax.tree.map(lambda leaf, start=start, stop=stop: leaf[start:stop], (steps, tick, {"row": row}))
        pending, ended = cutting.collect(pending, *chunk)
        found += ended
    assert len(found) == len(wanted)
    for one, (end, row_of, start) in zip(found, sorted(wanted), strict=True):
        span = np.arange(start, end)
        np.testing.assert_array_equal(one.step.observation["at"], np.stack([span, np.full_like(span, row_of)], -1))
        np.testing.assert_array_equal(one.next.observation["at"][:, 0], span + 1)
        np.testing.assert_array_equal(one.action, span)
        np.testing.assert_array_equal(one.task["row"], row_of)
        np.testing.assert_array_equal(one.step.kind, kind[start:end, row_of])
        np.testing.assert_array_equal(one.next.kind, kind[start + 1 : end + 1, row_of])
        assert set(one.origin.tolist()) == {LIVED}


def test_an_episode_that_broke_ends_where_it_was_last_whole():
    kind = np.array([[FIRST], [MID], [MID], [BROKEN], [FIRST], [BROKEN], [FIRST], [TERMINATED]], np.int8)
    steps = TimeStep(kind=kind, observation=np.arange(8)[:, None], reward=np.ones((8, 1), np.float32))
    _, found = cutting.collect(None, steps, np.arange(8)[:, None])
    assert [one.step.observation.tolist() for one in found] == [[0, 1], [6]]
    assert [one.next.kind.tolist() for one in found] == [[MID, TRUNCATED], [TERMINATED]]
    assert [one.action.tolist() for one in found] == [[0, 1], [6]]


def test_an_episode_left_without_an_end_is_dropped():
    """As where a simulator was reset in the middle of an episode."""
    kind = np.array([[FIRST], [MID], [FIRST], [MID], [TERMINATED]], np.int8)
    steps = TimeStep(kind=kind, observation=np.arange(5)[:, None], reward=np.zeros((5, 1), np.float32))
    pending, (one,) = cutting.collect(None, steps, np.arange(5)[:, None])
    assert one.step.observation.tolist() == [2, 3]
    assert pending[0].step.kind.size == 0
    with pytest.raises(ValueError, match="begin again with pending=None"):
        cutting.collect((*pending, *pending), steps, np.arange(5)[:, None])
