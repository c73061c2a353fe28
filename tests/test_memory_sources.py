"""Sources of shown experience: what they yield against what was written or played, and against hand-worked cases."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from umwelt.check.source import source
from umwelt.core import (
    FIRST,
    LIVED,
    MID,
    SHOWN,
    TERMINATED,
    TRUNCATED,
    WATCHED,
    Box,
    Discrete,
    Experience,
    TimeStep,
    WorldSpec,
    part,
    spaces,
)
from umwelt.memory import Minari, Played
from umwelt.memory.episodes import transitions
from umwelt.memory.minari import write
from umwelt.memory.pieces import lay, to_come
from umwelt.worlds import Pendulum

minari = pytest.importorskip("minari")
pytest.importorskip("h5py")

KEY = jax.random.key(0)
SPEC = WorldSpec(
    name="two numbers",
    observation={"at": Box(shape=(2,))},
    action={"turn": Discrete(n=3), "push": Box(shape=(1,), low=-2.0, high=2.0)},
    task={"size": Box()},
    batch=3,
)


def episode(number: int, length: int, end: int = TERMINATED, task: bool = True) -> Experience:
    """An episode [length] in which every observation names its episode and its step."""
    random = np.random.default_rng(number)
    kind = np.array([FIRST] + [MID] * (length - 1) + [end], np.int8)
    at = np.stack([np.full(length + 1, number), np.arange(length + 1)], -1).astype(np.float32)
    reward = np.where(kind == FIRST, 0.0, random.normal(size=length + 1)).astype(np.float32)
    push = random.uniform(-2, 2, (length, 1)).astype(np.float32)
    action = {"turn": random.integers(0, 3, length).astype(np.int32), "push": push}
    named = {"size": np.full(length, number, np.float32)} if task else None
    return transitions(TimeStep(kind=kind, observation={"at": at}, reward=reward), action, named, LIVED)


def whole(pieces: Iterator[Experience]) -> Experience:
    """The streams of all pieces, [T, B]."""
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *pieces)


def found_in(streams: Experience) -> list[Experience]:
    """The episodes of streams, cut where a step ends, by the number that the observations name."""
    found = []
    for row in range(streams.origin.shape[1]):
        stream = jax.tree.map(lambda leaf: leaf[:, row], streams)  # noqa: B023 - used at once
        begins = np.flatnonzero(np.asarray(stream.valid) & (stream.step.kind == FIRST))
        for begin in begins:
            end = begin + int(np.argmax(stream.next.kind[begin:] >= TERMINATED)) + 1
            found.append(jax.tree.map(lambda leaf: leaf[begin:end], stream))  # noqa: B023 - used at once
    return sorted(found, key=lambda one: int(one.step.observation["at"][0, 0]))


def assert_same(found: Experience, wanted: Experience, origin: int = SHOWN) -> None:
    """Everything bit for bit, but for the origin and the rewards to come."""
    assert set(found.origin.tolist()) == {origin}
    same = replace(found, origin=wanted.origin, to_come=None)
    jax.tree.map(np.testing.assert_array_equal, same, wanted)


def test_rewards_to_come_are_summed_to_the_end_of_the_episode() -> None:
    np.testing.assert_allclose(to_come(np.float32([1.0, -2.0, 0.5, 4.0])), [3.5, 2.5, 4.5, 4.0])


def test_three_episodes_in_two_rows_by_hand() -> None:
    """Lengths 2, 1 and 2: the first goes to row 0, the second to row 1 and, as it is shorter there, so does the third."""
    (piece,) = lay([episode(number, length) for number, length in enumerate((2, 1, 2))].__getitem__, (2, 1, 2), 2)
    at, after = (leaf["at"].tolist() for leaf in (piece.step.observation, piece.next.observation))
    assert [row[0] for row in at] == [[0, 0], [0, 1], [0, 2], [0, 2]]
    assert [row[1] for row in at] == [[1, 0], [1, 1], [2, 0], [2, 1]]
    assert [row[1] for row in after] == [[1, 1], [2, 0], [2, 1], [2, 2]]
    assert np.asarray(piece.valid).T.tolist() == [[True, True, False, False], [True, False, True, True]]
    reward = [one.next.reward for one in (episode(0, 2), episode(1, 1), episode(2, 2))]
    np.testing.assert_allclose(piece.to_come[:, 0], [reward[0].sum(), reward[0][1], 0, 0], rtol=1e-6)
    np.testing.assert_allclose(piece.to_come[:, 1], [reward[1][0], 0, reward[2].sum(), reward[2][1]], rtol=1e-6)
    assert piece.action["turn"][1, 1] == 0, "a seam has no action"


@settings(max_examples=60, deadline=None)
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=12), rows=st.integers(1, 4), most=st.integers(1, 30))
def test_every_episode_stands_once_in_pieces_of_any_size(lengths: list[int], rows: int, most: int) -> None:
    episodes = [episode(number, length, (TERMINATED, TRUNCATED)[number % 2]) for number, length in enumerate(lengths)]
    pieces = list(lay(episodes.__getitem__, lengths, rows, most))
    assert len({piece.origin.shape for piece in pieces}) == 1
    assert pieces[0].origin.shape[1] == rows
    assert pieces[0].origin.shape[0] <= most
    streams = whole(iter(pieces))
    assert int(np.sum(streams.valid)) == sum(lengths)
    assert len(streams.origin) < sum(lengths) / rows + 2 * max(lengths) + 1 + len(lengths) + len(pieces), "rows are even"
    for found, wanted in zip(found_in(streams), episodes, strict=True):
        assert_same(found, wanted, LIVED)
        np.testing.assert_allclose(found.to_come[0], wanted.next.reward.sum(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("actions", [True, False])
def test_a_minari_dataset_is_shown_whole(tmp_path: Any, actions: bool) -> None:
    lengths = [5, 1, 8, 3, 2, 7, 4]
    written = [episode(number, length, (TERMINATED, TRUNCATED)[number % 2]) for number, length in enumerate(lengths)]
    write(written, tmp_path, SPEC)
    shown = Minari(path=str(tmp_path), actions=actions)
    source(shown, SPEC).raise_if_broken()
    found = found_in(whole(shown.read(KEY, SPEC)))
    for one, wanted in zip(found, written, strict=True):
        blind = wanted if actions else replace(wanted, action=jax.tree.map(np.zeros_like, wanted.action))
        assert_same(one, blind, SHOWN if actions else WATCHED)
    first = found_in(whole(Minari(path=str(tmp_path), episodes=2).read(KEY, SPEC)))
    assert [one.origin.size for one in first] == [5, 1]


def test_a_dataset_of_another_library_takes_the_dtypes_of_the_world(tmp_path: Any, monkeypatch: Any) -> None:
    """float64 observations, choices that begin at 1, no flag at the end; found by its id, as Minari's own loader finds it."""
    from gymnasium import spaces as gym

    path = tmp_path / "other" / "walk-v0" / "data"
    observation, action = gym.Box(-np.inf, np.inf, (2,), np.float64), gym.Discrete(3, start=1)
    path.mkdir(parents=True)
    storage = minari.dataset.minari_storage.MinariStorage.new(path, observation, action)
    storage.update_metadata({"dataset_id": "other/walk-v0", "minari_version": minari.__version__})
    buffer = minari.data_collector.EpisodeBuffer(
        observations=np.arange(8.0).reshape(4, 2), actions=np.array([1, 3, 2]), rewards=np.array([1.0, 2.0, 3.0]),
        terminations=[False] * 3, truncations=[False] * 3,
    )  # fmt: skip
    storage.update_episodes([buffer])
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    spec = WorldSpec(name="walk", observation=Box(shape=(2,)), action=Discrete(n=3), task=Box())
    shown = Minari(path="other/walk-v0")
    source(shown, spec).raise_if_broken()
    (piece,) = shown.read(KEY, spec)
    assert piece.step.observation.dtype == np.float32
    assert piece.action[:, 0].tolist() == [0, 2, 1]
    assert piece.action.dtype == np.int32
    assert piece.next.kind[:, 0].tolist() == [MID, MID, TRUNCATED]
    assert piece.to_come[:, 0].tolist() == [6.0, 5.0, 3.0]


@pytest.mark.parametrize(
    ("changes", "mend"),
    [
        (
            {"observation": {"at": Box(shape=(3,))}},
            r"its observation space is not that of two numbers: it\['at'\] is float32\[2\]",
        ),
        ({"observation": {"at": Box(shape=(2,)), "eye": Box()}}, r"has the parts \['at'\], where \['at', 'eye'\] are asked for"),
        ({"action": {**SPEC.action, "turn": Discrete(n=4)}}, r"it\['turn'\] has 3 choices, where 4 are asked for"),
        (
            {"action": {**SPEC.action, "push": Box(shape=(1,), low=-1, high=1)}},
            r"lies in \[-2, 2\], where \[-1, 1\] is asked for",
        ),
        ({"action": Discrete(n=3)}, "where Discrete"),
    ],
)
def test_a_dataset_of_another_world_is_refused(tmp_path: Any, changes: dict[str, Any], mend: str) -> None:
    write([episode(0, 3)], tmp_path, SPEC)
    with pytest.raises(ValueError, match=mend):
        list(Minari(path=str(tmp_path)).read(KEY, replace(SPEC, **changes)))


def test_a_dataset_that_is_not_there_is_refused(tmp_path: Any) -> None:
    with pytest.raises(ValueError, match="no folder with a Minari dataset"):
        list(Minari(path=str(tmp_path / "nothing-v0")).read(KEY, SPEC))
    write([episode(0, 3)], tmp_path, SPEC)
    with pytest.raises(ValueError, match=r"episodes=2, where path=.* holds 1"):
        list(Minari(path=str(tmp_path), episodes=2).read(KEY, SPEC))


WORLD = Pendulum(batch=3, time_limit=6)


def test_played_episodes_keep_the_contract_and_are_as_many_as_asked_for() -> None:
    played = Played(world=WORLD, episodes=7, batch=4)
    source(played, WORLD.spec).raise_if_broken()
    streams = whole(played.read(KEY, WORLD.spec))
    assert int(np.sum(streams.valid)) == 7 * 6
    valid = np.asarray(streams.valid)
    states, done = streams.step.observation[valid], streams.action[valid]
    np.testing.assert_allclose(done, WORLD.expert(KEY, jnp.asarray(states)), rtol=1e-4, atol=1e-4)
    other = whole(played.read(jax.random.key(1), WORLD.spec))
    assert not np.array_equal(other.step.observation, streams.step.observation), "another seed is shown other episodes"


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_a_mixture_has_its_share_of_expert_episodes_in_every_task(share: float) -> None:
    how = {0.0: "random", 1.0: "expert"}.get(share, f"mixed-{share}")
    played = Played(world=WORLD, how=how, episodes=20, batch=5, tasks=("earth", "moon"))
    streams = whole(played.read(KEY, WORLD.spec))
    valid = np.asarray(streams.valid)
    rows = jax.tree.map(lambda leaf: leaf[valid], streams)
    wanted = WORLD.expert(KEY, jnp.asarray(rows.step.observation), jax.tree.map(jnp.asarray, rows.task))
    by_expert = np.isclose(rows.action, wanted, atol=1e-4)[:, 0]
    for gravity in (10.0, 1.62):
        mine = np.isclose(rows.task.gravity, gravity)
        assert mine.sum() == 10 * 6
        assert by_expert[mine].sum() == pytest.approx(round(share * 10) * 6, abs=1)


def test_noise_is_as_wide_as_it_says_and_stays_inside() -> None:
    world = Pendulum(time_limit=50, max_torque=1e3)
    played = Played(world=world, noise=0.1, episodes=40)
    streams = whole(played.read(KEY, world.spec))
    rows = jax.tree.map(lambda leaf: leaf[np.asarray(streams.valid)], streams)
    wanted = np.asarray(world.expert(KEY, jnp.asarray(rows.step.observation)))
    assert spaces.contains(world.spec.action, rows.action) == ""
    inside = np.abs(wanted) < 500
    assert np.std((rows.action - wanted)[inside]) == pytest.approx(0.1 * 1e3, rel=0.05)


def test_watched_episodes_hide_the_actions_alone() -> None:
    seen, hidden = (whole(Played(world=WORLD, episodes=3, actions=actions).read(KEY, WORLD.spec)) for actions in (True, False))
    assert not np.any(hidden.action)
    assert np.any(seen.action)
    assert set(np.unique(hidden.origin)) == {WATCHED}
    jax.tree.map(np.testing.assert_array_equal, seen.step, hidden.step)


@part
class Doors:
    """A pure world of one decision whose observation says which choices are open."""

    batch: int = 1

    @property
    def spec(self) -> WorldSpec:
        observation = {"open": Box(shape=(4,), low=0, high=1, dtype="uint8")}
        return WorldSpec(name="doors", observation=observation, action=Discrete(n=4), task=Box(), batch=self.batch)

    def tasks(self) -> dict[str, Any]:
        return {"door": np.float32(0)}

    def init(self, key: Any, task: Any) -> Any:
        return jnp.zeros(self.batch), self._step(key, FIRST)

    def step(self, key: Any, state: Any, action: Any, next_task: Any) -> Any:
        after = self._step(key, FIRST)
        ended = state == 0
        kind = jnp.where(ended, jnp.int8(TERMINATED), jnp.int8(FIRST))
        return 1.0 - state, replace(after, kind=kind)

    def _step(self, key: Any, kind: int) -> TimeStep:
        open = jax.random.bernoulli(key, 0.5, (self.batch, 4)).astype(jnp.uint8).at[:, 0].set(1)
        return TimeStep(kind=jnp.full(self.batch, kind, jnp.int8), observation={"open": open}, reward=jnp.zeros(self.batch))


def test_random_play_takes_open_choices_evenly() -> None:
    streams = whole(Played(world=Doors(), how="random", episodes=400).read(KEY, Doors().spec))
    rows = jax.tree.map(lambda leaf: leaf[np.asarray(streams.valid)], streams)
    open = rows.step.observation["open"]
    assert np.all(open[np.arange(400), rows.action] == 1)
    expected = (open / open.sum(axis=1, keepdims=True)).sum(axis=0)
    np.testing.assert_allclose(np.bincount(rows.action, minlength=4), expected, atol=4 * np.sqrt(100))


@pytest.mark.parametrize(
    ("played", "mend"),
    [
        (Played(world=WORLD, how="mixed-2"), "how='mixed-2': the number behind 'mixed' lies between 0 and 1"),
        (Played(world=WORLD, how="best"), "how='best'"),
        (Played(world=WORLD, episodes=0), "episodes=0 must be at least 1"),
        (Played(world=WORLD, tasks=("mars",)), r"pendulum has no \['mars'\]"),
        (Played(world=Pendulum(max_torque=1.0)), "give Played the world of the life"),
        (Played(world=Doors()), "give Played the world of the life"),
    ],
)
def test_settings_that_cannot_be_played_are_refused(played: Played, mend: str) -> None:
    with pytest.raises(ValueError, match=mend):
        list(played.read(KEY, WORLD.spec))


def test_a_source_can_be_checked_without_reading_it(tmp_path: Any) -> None:
    write([episode(0, 3)], tmp_path, SPEC)
    Minari(path=str(tmp_path)).check(SPEC)
    Played(world=WORLD).check(WORLD.spec)
    for faulty in (Minari(path=str(tmp_path / "none")), Minari(path=str(tmp_path), episodes=2), Played(world=WORLD)):
        with pytest.raises(ValueError):  # noqa: PT011 - the sentences are tested above
            faulty.check(SPEC)


def test_a_world_without_an_expert_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="how='expert': Doors has no `expert`"):
        list(Played(world=Doors()).read(KEY, Doors().spec))


@part
class Spoiled:
    """A good source whose pieces are spoiled."""

    spoil: Any

    def read(self, key: Any, spec: WorldSpec) -> Iterator[Experience]:
        episodes = [episode(number, 4) for number in range(4)]
        shown = [replace(one, origin=np.full_like(one.origin, SHOWN)) for one in episodes]
        for piece in lay(shown.__getitem__, [4] * 4, 3, most=4):
            yield self.spoil(piece)


def changed(**fields: Any) -> Spoiled:
    return Spoiled(spoil=lambda piece: replace(piece, **{name: change(piece) for name, change in fields.items()}))


def kinds(step: str, change: Any) -> Spoiled:
    """A source that changes the kinds of the steps before or after."""
    return changed(**{step: lambda piece: replace(getattr(piece, step), kind=change(getattr(piece, step).kind))})


FAULTS = {
    "one row": (Spoiled(spoil=lambda piece: jax.tree.map(lambda leaf: leaf[:, :1], piece)), "B = 3 is asked for"),
    "no sums": (changed(to_come=lambda piece: None), "to_come is None"),
    "double actions": (changed(action=lambda piece: {**piece.action, "push": np.float64(piece.action["push"])}), "float64"),
    "lived": (changed(origin=lambda piece: np.full_like(piece.origin, LIVED)), "neither SHOWN nor WATCHED"),
    "watched with actions": (changed(origin=lambda piece: np.full_like(piece.origin, WATCHED)), "a WATCHED row has an action"),
    "sums of the window": (
        changed(to_come=lambda piece: np.cumsum(piece.next.reward[::-1], axis=0)[::-1]), "`to_come` is"),
    "out of bounds": (changed(action=lambda piece: {**piece.action, "push": 3 * piece.action["push"]}), "action does not fit"),
    "lost ends": (kinds("next", lambda kind: np.where(kind >= TERMINATED, MID, kind).astype(np.int8)), "does not continue"),
    "lost steps": (Spoiled(spoil=lambda piece: jax.tree.map(lambda leaf: leaf[::2], piece)), "does not continue its rows"),
    "the middle": (Spoiled(spoil=lambda piece: jax.tree.map(lambda leaf: leaf[1:], piece)), "begins in the middle"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(FAULTS))
def test_the_checker_names_a_faulty_source(name: str) -> None:
    faulty, sentence = FAULTS[name]
    report = source(faulty, SPEC)
    assert any(sentence in fault.sentence for fault in report.faults), str(report)


def test_the_checker_passes_a_sound_source_at_either_depth() -> None:
    sound = Spoiled(spoil=lambda piece: piece)
    for depth in ("shapes", "values"):
        source(sound, SPEC, depth=depth).raise_if_broken()
    assert "parameter names" in {fault.rule for fault in source(object(), SPEC).faults}
