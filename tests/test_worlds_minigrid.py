"""MiniGrid's levels as tasks of one world: what is seen of them, which levels they are, and that they can be resumed."""

import json
import sys

import gymnasium
import numpy as np
import pytest

import umwelt.check
from umwelt.cli.names import stream_of
from umwelt.cli.options import UsageError
from umwelt.core import FIRST, MID, TRUNCATED, Box
from umwelt.worlds import adapters, stream_named
from umwelt.worlds.adapters import Variant
from umwelt.worlds.streams import CROSSINGS

minigrid = pytest.importorskip("minigrid", reason="needs the minigrid extra")

LEFT, RIGHT, FORWARD, PICKUP, DROP, TOGGLE = range(6)


def key(number):
    return np.array([5, number], np.uint32)


def rows(*tasks):
    return Variant(index=np.array(tasks, np.int32))


def level(**options):
    from umwelt.worlds.adapters.minigrid import make

    return make(**options)


def words_of(vector):
    """The vector of a view in words: {(column, row): thing} and the direction."""
    from umwelt.worlds.adapters.minigrid import THINGS

    cells = vector[:392].reshape(7, 7, 8)
    assert cells.sum(-1).max() <= 1
    assert vector[392:396].sum() == 1
    return {(i, j): THINGS[k] for i, j, k in np.argwhere(cells)}, int(np.argmax(vector[392:396]))


def words_of_minigrid(environment):
    """The same, by MiniGrid's own decoder."""
    image = environment.gen_obs()["image"]
    grid, seen = minigrid.core.grid.Grid.decode(image)
    found = {}
    for i in range(7):
        for j in range(7):
            thing = grid.get(i, j)
            if not seen[i, j]:
                found[i, j] = "unseen"
            elif thing is not None and thing.type == "door":
                found[i, j] = f"{'open' if thing.is_open else 'locked' if thing.is_locked else 'closed'} door"
            elif thing is not None:
                found[i, j] = thing.type
    return found, environment.agent_dir


@pytest.mark.parametrize("name", ["doorkey", "lava", "simple", "rooms"])
def test_a_view_tells_what_minigrid_sees(name):
    environment, random = level(level=name), np.random.default_rng(0)
    for seed in range(5):
        seen, over = environment.reset(seed=seed)[0], False
        for _ in range(40):
            assert words_of(seen) == words_of_minigrid(environment.unwrapped)
            if over:
                break
            seen, _, terminated, truncated, _ = environment.step(int(random.integers(7)))
            over = terminated or truncated


def test_a_key_in_the_hand_and_an_open_door_are_seen():
    environment = level(level="doorkey", size=5)
    environment.reset(seed=0)
    plain = environment.unwrapped
    key_at, door_at = ((i, j) for kind in ("key", "door") for i in range(5) for j in range(5) if _kind(plain, i, j) == kind)
    plain.agent_pos, plain.agent_dir = _beside(plain, key_at)
    before = words_of(environment.look(plain.gen_obs()))[0]
    assert before[3, 5] == "key"
    assert (3, 6) not in before
    after = words_of(environment.step(PICKUP)[0])[0]
    assert after[3, 6] == "key", "it is carried where the agent stands"
    assert (3, 5) not in after
    plain.agent_pos, plain.agent_dir = (door_at[0] - 1, door_at[1]), 0
    assert words_of(environment.look(plain.gen_obs()))[0][3, 5] == "locked door"
    assert words_of(environment.step(TOGGLE)[0])[0][3, 5] == "open door"
    assert words_of(environment.step(TOGGLE)[0])[0][3, 5] == "closed door"


def _kind(plain, i, j):
    thing = plain.grid.get(i, j)
    return thing and thing.type


def _beside(plain, place):
    """A free cell next to a place, and the direction from there to it."""
    for direction, (x, y) in enumerate(((1, 0), (0, 1), (-1, 0), (0, -1))):
        cell = (place[0] - x, place[1] - y)
        if plain.grid.get(*cell) is None:
            return cell, direction
    raise AssertionError("the key is walled in")


@pytest.mark.parametrize(("name", "id"), [("lava", "MiniGrid-LavaCrossingS9N1-v0"), ("simple", "MiniGrid-SimpleCrossingS9N1-v0")])
def test_the_long_crossings_are_the_registered_ones(name, id):
    settings = dict(zip(CROSSINGS, json.loads(stream_named("minigrid:long").world.simulator.options), strict=True))[name]
    ours, theirs = level(**settings), gymnasium.make(id, disable_env_checker=True)
    for seed in range(5):
        ours.reset(seed=seed)
        theirs.reset(seed=seed)
        np.testing.assert_array_equal(ours.unwrapped.grid.encode(), theirs.unwrapped.grid.encode())
    assert ours.unwrapped.max_steps == 100


def test_the_long_door_is_nine_wide_and_rewards_are_minigrids_own():
    settings = json.loads(stream_named("minigrid:long").world.simulator.options)[0]
    environment = level(**settings)
    environment.reset(seed=1)
    plain = environment.unwrapped
    assert (plain.width, plain.height, plain.max_steps) == (9, 9, 100)
    plain.agent_pos, plain.agent_dir, plain.step_count = (7, 6), 1, 19
    _, reward, terminated, truncated, _ = environment.step(FORWARD)
    assert reward == pytest.approx(1 - 0.9 * 20 / 100)
    assert (terminated, truncated) == (True, False)


def test_a_goal_that_moves_stands_where_its_task_says_and_the_agent_sees_its_own_place():
    stream = stream_named("rooms:tiny")
    goals = []
    for settings in json.loads(stream.world.simulator.options):
        environment = level(**settings)
        seen, _ = environment.reset(seed=3)
        plain = environment.unwrapped
        column, row = seen[396:415], seen[415:]
        assert (int(np.argmax(column)), int(np.argmax(row))) == tuple(plain.agent_pos)
        assert column.sum() == row.sum() == 1
        goals += [(i, j) for i in range(19) for j in range(19) if _kind(plain, i, j) == "goal"]
    assert goals == [(4, 4), (14, 4), (14, 14), (4, 14)]


def test_rows_live_their_own_levels_and_change_them_between_episodes():
    options = json.dumps([{"level": name, "limit": 3} for name in CROSSINGS])
    world = adapters.gymnasium(id=".minigrid:make", options=options, titles="doorkey,lava,simple", batch=3)
    assert list(world.tasks()) == ["doorkey", "lava", "simple"]
    assert world.spec.observation == Box(shape=(396,), low=0.0, high=1.0, dtype="uint8")
    state, step = world.init(key(0), rows(0, 1, 2))
    kinds, levels = [], []
    for number in range(1, 6):
        state, step = world.step(key(number), state, np.full(3, LEFT, np.int32), rows(2, 2, 0))
        kinds.append(int(step.kind[0]))
        levels.append(world.save(state)["variant"].tolist())
    assert kinds == [MID, MID, TRUNCATED, FIRST, MID]
    assert levels == [[0, 1, 2]] * 3 + [[2, 2, 0]] * 2
    world.close(state)


def test_lava_ends_an_episode_without_a_reward():
    environment = level(level="lava")
    for seed in range(5):
        environment.reset(seed=seed)
        plain = environment.unwrapped
        plain.agent_pos, plain.agent_dir = next(
            _beside(plain, (i, j)) for i in range(1, 8) for j in range(1, 8) if _kind(plain, i, j) == "lava"
        )
        _, reward, terminated, _, _ = environment.step(FORWARD)
        assert (float(reward), terminated) == (0.0, True)


@pytest.mark.parametrize("name", ["minigrid:tiny", "rooms:tiny"])
def test_the_streams_keep_the_contract_of_a_hosted_world(name):
    umwelt.check.world(stream_named(name).world).raise_if_broken()


@pytest.mark.parametrize("subprocesses", [False, True])
def test_a_world_of_several_levels_goes_on_bit_for_bit_across_a_change_of_task(subprocesses):
    options = json.dumps([{"level": "doorkey", "size": 5, "limit": 7}, {"level": "lava", "limit": 9}])
    world = adapters.gymnasium(id=".minigrid:make", options=options, titles="doorkey,lava", batch=2, subprocesses=subprocesses)
    actions = np.random.default_rng(1).integers(0, 7, (60, 2)).astype(np.int32)
    state, _ = world.init(key(0), rows(0, 0))
    for number in range(30):
        state, step = world.step(key(1 + number), state, actions[number], rows(1, number % 2))
    saved = world.save(state)
    assert set(saved["variant"].tolist()) <= {0, 1}
    other, again = world.restore(saved)
    for number in range(30, 60):
        np.testing.assert_array_equal(step.observation, again.observation)
        np.testing.assert_array_equal(step.kind, again.kind)
        np.testing.assert_array_equal(step.reward, again.reward)
        state, step = world.step(key(1 + number), state, actions[number], rows(0, 1))
        other, again = world.step(key(1 + number), other, actions[number], rows(0, 1))
    assert world.drain(other) == []
    world.close(state)
    world.close(other)


@pytest.mark.parametrize("size", ["tiny", "short", "long"])
@pytest.mark.parametrize("name", ["minigrid", "rooms"])
def test_every_lesson_names_a_task_and_long_lives_keep_to_their_budget(name, size):
    stream = stream_named(f"{name}:{size}")
    assert set(stream.names) == set(stream.world.tasks())
    decisions = stream.whole * stream.world.batch
    assert decisions <= {"tiny": 500, "short": 350_000, "long": 1_600_000}[size]
    if (name, size) == ("minigrid", "long"):
        assert decisions == 750_000


def test_titles_must_be_as_many_as_variants():
    with pytest.raises(ValueError, match="titles gives 1 names for 2 variants"):
        adapters.gymnasium(id=".minigrid:make", options='[{"level": "lava"}, {"level": "simple"}]', titles="one").tasks()


def test_without_the_package_the_command_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "minigrid.envs", None)
    monkeypatch.setitem(sys.modules, "minigrid.core.world_object", None)
    # another number of rows, for a world that was looked at before is remembered
    with pytest.raises(ImportError, match=r"pip install 'umwelt\[minigrid\]'"):
        adapters.gymnasium(id=".minigrid:make", options="{}", batch=7).spec  # noqa: B018 - to look is to build
    from umwelt.worlds.adapters import hosted

    hosted.survey.cache_clear()
    with pytest.raises(UsageError, match="--stream minigrid:tiny: MiniGrid's levels need minigrid"):
        stream_of("minigrid:tiny")


def test_an_unknown_level_names_the_known_ones():
    with pytest.raises(ValueError, match="known: doorkey, lava, simple, rooms"):
        level(level="maze")


def test_an_end_differs_from_a_limit():
    environment = level(level="simple", limit=2)
    environment.reset(seed=0)
    assert environment.step(LEFT)[2:4] == (False, False)
    assert environment.step(LEFT)[2:4] == (False, True)
