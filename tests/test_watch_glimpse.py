"""What a life writes for viewers: its positions, the present episode, and the plan beside what happened."""

import sqlite3
from dataclasses import replace
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours import RandomAgent
from umwelt.core import FIRST, MID, TRUNCATED, Box, Prediction, TimeStep, WorldSpec, part, struct
from umwelt.life import session as living
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.chronicle.columns import trail_columns
from umwelt.life.composition import Life
from umwelt.life.engine import Engine
from umwelt.life.exams.preview import AHEAD, PATH, Glimpses, imagined
from umwelt.life.folder.folder import Folder
from umwelt.life.rhythm import Rhythm
from umwelt.life.saves.digest import digest
from umwelt.teachers import Blocks
from umwelt.worlds import Cartpole, Pendulum, PointMaze
from umwelt.worlds.position import frame_of

RHYTHM = Rhythm(random=0, learn_every=20, updates=0, chunk=20, record_every=10, probe_episodes=1)


def life(world, seeds=1):
    return Life(world=world, agent=RandomAgent(), teacher=Blocks(), rhythm=RHYTHM, seeds=seeds)


@struct
class EchoState:
    """seen: float32 [B, 2]."""

    seen: jax.Array


@part
class Echo:
    """Acts by half of the observation, and predicts that the world adds the action."""

    def see(self, key, state, step):
        return EchoState(seen=step.observation), {}

    def act(self, key, state, mode):
        return state, state.seen / 2

    def imagine(self, key, state, actions):
        """actions [1, B, 2]."""
        expected = state.seen[None] + actions
        return Prediction(observation=expected, reward=0.0, continues=1.0, doubt=0.0)


def test_the_plan_is_the_agents_own_choices_carried_on_in_its_own_imagination():
    plain = SimpleNamespace(spec=WorldSpec(name="plain", observation=Box(shape=(2,)), action=Box(shape=(2,)), task=(), batch=3))
    body = SimpleNamespace(world=plain, agent=Echo())
    seen = jnp.array([[1.0, -4.0], [5.0, 5.0], [6.0, 6.0]])
    mind = SimpleNamespace(
        key=jax.random.key(0),
        agent=EchoState(seen=seen),
        decision=SimpleNamespace(action=seen / 2),
        step=TimeStep(kind=jnp.ones(3, jnp.int8), observation=seen, reward=jnp.zeros(3)),
    )
    plan = imagined(body, mind)
    expected = 1.5 ** np.arange(1, AHEAD + 1)[:, None] * np.array([1.0, -4.0])
    assert np.allclose(plan["plan"], expected)
    assert np.allclose(plan["plan_positions"], expected)


def test_an_agent_without_a_model_has_no_plan():
    engine = Engine(life(Cartpole()))
    assert imagined(engine.body, engine.begin()[1]) == {}


def made(kinds, rows, clock):
    """Records of one seed and one row: kinds [T], what was seen [T, 1]."""
    shape = (1, len(kinds), 1)
    return SimpleNamespace(
        kind=np.array(kinds, np.int8).reshape(shape),
        seen=np.array(rows, np.float32).reshape(*shape, 1),
        position=None,
        task={"gravity": np.full(shape, 9.0)},
    ), clock


def test_a_glimpse_shows_the_plan_over_what_then_happened_and_stops_where_the_episode_stops():
    glimpses = Glimpses(Engine(life(Cartpole())), after=0.0, enough=0.0)
    plan = np.arange(AHEAD, dtype=np.float32)[:, None]
    ready = SimpleNamespace(done=lambda: True, exception=lambda: None, result=lambda: {"plan": lambda mind: {"plan": plan}})
    glimpses._compiling = ready
    glimpses.take(*made([MID, TRUNCATED, FIRST, MID], [1, 2, 3, 4], 4))
    (now,) = glimpses.look((None, None), 0.0)  # the plan is imagined here, at clock 4
    assert (now.name, now.clock, now.begin) == ("now", 4, 3)
    assert now.arrays["seen"].ravel().tolist() == [3, 4]
    glimpses.take(*made([MID] * 5, range(5, 10), 9))
    assert [found.name for found in glimpses.look((None, None), 0.0)] == []
    glimpses.take(*made([MID, TRUNCATED, FIRST], [10, 11, 12], 12))
    (plan_,) = glimpses.look((None, None), 0.0)
    assert (plan_.name, plan_.clock, plan_.begin) == ("plan", 4, 3)
    assert plan_.arrays["seen"].ravel().tolist() == list(range(3, 12))
    assert plan_.arrays["plan"] is plan


def test_a_path_has_a_greatest_length_and_a_gap_starts_a_new_one():
    glimpses = Glimpses(Engine(life(Cartpole())), after=0.0, enough=1.0)
    for clock in range(0, 3 * PATH, 50):
        glimpses.take(*made([MID] * 50, range(clock + 1, clock + 51), clock + 50))
    (now,) = glimpses.look((None, None), 0.0)
    assert now.begin == 2 * PATH + 1
    assert now.arrays["seen"].ravel().tolist() == list(range(2 * PATH + 1, 3 * PATH + 1))
    glimpses.take(*made([MID] * 2, [8, 9], 5000))
    assert glimpses._episode(5000)[0] == 4999


def test_glimpses_change_no_bit_of_a_life():
    ends = []
    for looks in (False, True):
        engine = Engine(life(Pendulum(batch=2), seeds=2))
        value, seen = engine.begin(), []
        glimpses = Glimpses(engine, after=0.0, enough=0.0)
        for clock in range(0, 100, 20):
            value, (records, _) = engine.advance(value, RHYTHM.segment(clock, 100))
            glimpses.take(records, clock + 20)
            seen += glimpses.look(value, 1.0) if looks else []
            if glimpses._compiling:
                glimpses._compiling.result()
            glimpses._next["now"] = 0.0
        ends.append(digest(value))
    assert ends[0] == ends[1]
    frame = seen[-1].arrays["frame"]
    expected = frame_of(Pendulum(batch=2))(jax.tree.map(lambda leaf: leaf[0], value[0]), value[1].step)
    assert frame.shape == (64, 64, 1)
    assert np.array_equal(frame, expected)
    assert frame.max() == 255


def test_a_plan_that_does_not_compile_is_an_event_and_the_life_goes_on(tmp_path, monkeypatch):
    def broken(body, mind):
        raise TypeError("a state that changes its shape")

    monkeypatch.setattr("umwelt.life.exams.preview.imagined", broken)
    monkeypatch.setattr(living, "Glimpses", lambda engine: Glimpses(engine, after=0.0, enough=0.0))
    with Folder.create("eager", {}, lives=tmp_path) as folder:
        lives = living.Living(life(PointMaze()), folder, end=60)
        value = lives.engine.begin()
        for clock in (0, 20):
            value, _ = lives.chunk(value, clock)
            lives.write(value, clock + 20)
            assert lives.glimpses._compiling.exception()
        events = lives.chronicle.events()
        lives.close(value)
    assert events["message"].tolist() == ["its imagination cannot be shown: TypeError: a state that changes its shape"]


@pytest.mark.parametrize("seeds", [1, 2])
def test_a_life_writes_its_positions_and_a_short_one_compiles_nothing_for_viewers(tmp_path, seeds):
    world = PointMaze(batch=2)
    with Folder.create("short", {}, lives=tmp_path) as folder:
        lives = living.Living(replace(life(world, seeds), seed=3), folder, end=40)
        value = lives.engine.begin()
        for clock in (0, 20):
            value, _ = lives.chunk(value, clock)
        lives.write(value, 40)
        lives.close(value)
    assert lives.glimpses._compiling is None
    with Chronicle.read(folder.chronicle) as chronicle:
        trail, glimpses = chronicle.trail(), chronicle.glimpses()
        assert chronicle.trail(seed=9)["x"].size == 0
    assert glimpses["name"].size == 0
    assert trail["seed"].tolist() == [seed for seed in range(3, 3 + seeds) for _ in range(4)]
    assert trail["clock"].tolist() == [10, 20, 30, 40] * seeds
    assert set(trail["task"]) == {"far"}
    assert np.isnan(trail["z"]).all()
    last = np.asarray(value[0].body.position).reshape(seeds, 2, 2)[:, 0] * [1, -1] + [0, 9]
    assert np.allclose(np.stack([trail["x"], trail["y"]], axis=1)[3::4], last)


def test_a_trail_has_the_position_at_the_end_of_each_window_and_the_mean_doubt_of_its_row():
    record = SimpleNamespace(
        kind=np.ones((5, 2)),
        position=np.arange(15.0).reshape(5, 1, 3),
        doubt=np.array([[1, 9], [2, 9], [np.nan, 9], [4, 9], [6, 9]], float),
        task=np.array([[0, 7], [0, 7], [0, 7], [1, 7], [1, 7]]),
    )
    columns = trail_columns(record, np.array([0, 3]), np.array([13, 15]), SimpleNamespace(of=lambda task: f"t{task}"))
    assert (columns["x"].tolist(), columns["y"].tolist(), columns["z"].tolist()) == ([6, 12], [7, 13], [8, 14])
    assert columns["doubt"].tolist() == [1.5, 5.0]
    assert columns["task"] == ["t0", "t1"]


def test_a_chronicle_of_an_earlier_version_has_no_trail_until_it_is_written_to(tmp_path):
    path = tmp_path / "old.db"
    Chronicle(path).close()
    link = sqlite3.connect(path)
    link.executescript("DROP TABLE trail; DROP TABLE glimpses;")
    link.close()
    with Chronicle.read(path) as reader:
        assert reader.trail()["x"].size == 0
        assert reader.glimpses()["content"].size == 0
    with Chronicle(path) as writer:
        before = writer.digest()
        for clock in (10, 20):
            writer.write_trail({"seed": 0, "clock": clock, "task": "t", "x": 1.0, "y": 2.0, "z": np.nan, "doubt": 0.5})
            writer.write_glimpse(0, "now", clock, "t", clock, {"seen": np.full((2, 3), clock, np.float32)})
        assert writer.glimpses()["clock"].tolist() == [20]
        assert writer.glimpses()["content"][0]["seen"].tolist() == [[20.0] * 3] * 2
        writer.rewind(10)
        assert writer.trail()["clock"].tolist() == [10]
        assert writer.glimpses()["name"].size == 0
        assert writer.digest() == before
