"""The stream convention around Gymnasium environments: tickets, seeds, partial resets, spaces, variants."""

import itertools
import sys

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from adapters_worlds import Walk

from umwelt import check
from umwelt.behaviours import RandomAgent
from umwelt.core import FIRST, MID, TERMINATED, TRUNCATED, Box, Discrete, host_scan, part, spaces
from umwelt.life.composition import Life
from umwelt.life.engine import Engine
from umwelt.life.rhythm import Rhythm
from umwelt.worlds import adapters
from umwelt.worlds.adapters import Posed, StaleTicket, Variant, from_name

WALK = "adapters_worlds:Walk"


def key(number):
    return np.array([7, number], np.uint32)


def task(batch, index=0):
    return Variant(index=np.full(batch, index, np.int32))


def live(world, steps, action=0.25, start=0):
    """The time steps of a life with one action."""
    state, step = world.init(key(start), task(world.batch))
    seen = [step]
    lead = np.full((world.batch, *world.spec.action.shape), action, world.spec.action.dtype)
    for number in range(steps):
        state, step = world.step(key(start + 1 + number), state, lead, task(world.batch))
        seen.append(step)
    return state, seen


def test_a_first_step_follows_each_last_one_and_ignores_the_action():
    _, seen = live(adapters.gymnasium(id=WALK), 14)
    assert [int(step.kind[0]) for step in seen] == [FIRST, *[MID] * 4, TRUNCATED] * 2 + [FIRST, MID, MID]
    for before, after in itertools.pairwise(seen):
        x, y = float(before.observation[0, 0]), float(after.observation[0, 0])
        if after.first[0]:
            assert after.reward[0] == 0
        else:
            assert y == pytest.approx(x + 0.25, abs=1e-6)
            assert after.reward[0] == pytest.approx(y, abs=1e-6)
    starts = [float(step.observation[0, 0]) for step in seen if step.first[0]]
    assert len(set(starts)) == 3


def test_dtypes_shapes_and_spec_agree():
    world = adapters.gymnasium(id="Pendulum-v1", batch=2)
    _, seen = live(world, 3)
    spec = world.spec
    assert (spec.hosted, spec.batch, spec.repeat, spec.name) == (True, 2, 1, "Pendulum-v1")
    assert spec.observation == Box(shape=(3,), low=(-1.0, -1.0, -8.0), high=(1.0, 1.0, 8.0))
    assert spec.action == Box(shape=(1,), low=-2.0, high=2.0)
    for step in seen:
        assert (step.kind.dtype, step.reward.dtype, step.observation.dtype) == (np.int8, np.float32, np.float32)
        assert step.kind.shape == step.reward.shape == (2,)
        assert spaces.contains(spec.observation, step.observation) == ""


def test_an_episode_equals_the_environment_itself_from_the_recorded_seed():
    world = adapters.gymnasium(id="CartPole-v1", batch=3)
    rng = np.random.default_rng(0)
    state, step = world.init(jax.random.key(3), task(3))
    plain = []
    for row, seed in enumerate(world.save(state)["seed"]):
        plain.append(gymnasium.make("CartPole-v1"))
        np.testing.assert_array_equal(step.observation[row], plain[row].reset(seed=int(seed))[0])
    ended = np.zeros(3, bool)
    while not ended.all():
        action = rng.integers(0, 2, 3).astype(np.int32)
        state, step = world.step(key(0), state, action, task(3))
        for row in np.flatnonzero(~ended):
            observation, reward, terminated, _, _ = plain[row].step(int(action[row]))
            np.testing.assert_array_equal(step.observation[row], observation)
            assert step.reward[row] == reward
            assert step.kind[row] == (TERMINATED if terminated else MID)
            ended[row] = terminated


def test_only_the_rows_that_ended_begin_again():
    world = adapters.gymnasium(id=WALK, options='{"length": 0}', batch=3)
    _, seen = live(world, 40)
    ages = np.array([step.observation[:, 1] for step in seen])
    kinds = np.array([step.kind for step in seen])
    ends = [tuple(np.flatnonzero(kinds[:, row] == TRUNCATED)) for row in range(3)]
    assert len(set(ends)) == 3
    for row in range(3):
        for before, after in zip(range(40), range(1, 41), strict=True):
            ended = kinds[before, row] == TRUNCATED
            assert (kinds[after, row] == FIRST) == ended
            assert ages[after, row] == (0 if ended else ages[before, row] + 1)


def test_the_key_decides_typed_or_raw_and_rows_differ():
    world = adapters.gymnasium(id=WALK, batch=2)
    typed = jax.random.key(5)
    one, two, raw = (world.init(k, task(2))[1].observation for k in (typed, jax.random.key(6), jax.random.key_data(typed)))
    words = world.init(np.asarray(jax.random.key_data(typed)), task(2))[1].observation
    np.testing.assert_array_equal(one, raw)
    np.testing.assert_array_equal(one, words)
    assert len({float(x) for x in (*one[:, 0], *two[:, 0])}) == 4


def test_a_ticket_is_good_for_one_step():
    world = adapters.gymnasium(id=WALK)
    action = np.zeros((1, 1), np.float32)
    first, _ = world.init(key(0), task(1))
    second, _ = world.step(key(1), first, action, task(1))
    with pytest.raises(StaleTicket, match="ticket 1 was already used, the world is at 2"):
        world.step(key(2), first, action, task(1))
    with pytest.raises(StaleTicket):
        world.save(first)
    again = jax.tree.map(lambda leaf: leaf, second)
    third, _ = world.step(key(2), again, action, task(1))
    world.close(third)
    world.close(third)
    with pytest.raises(StaleTicket, match="closed"):
        world.step(key(3), third, action, task(1))


def test_time_steps_are_not_written_over():
    _, seen = live(adapters.gymnasium(id="adapters_worlds:Overwriting"), 4)
    assert [float(step.observation[0, 1]) for step in seen] == [0, 1, 2, 3, 4]


def test_it_runs_under_the_host_driver():
    world = adapters.gymnasium(id=WALK, batch=2)
    action = np.zeros((2, 1), np.float32)

    def body(carry, words):
        state, _ = carry
        state, step = world.step(words, state, action, task(2))
        return (state, step), step

    carry, steps = host_scan(body, world.init(key(0), task(2)), np.arange(24, dtype=np.uint32).reshape(12, 2))
    assert steps.observation.shape == (12, 2, 2)
    assert int(carry[0].serial) == 13


def test_repeat_sums_rewards_and_stops_with_the_episode():
    one, three = adapters.gymnasium(id=WALK), adapters.gymnasium(id=WALK, repeat=3)
    _, single = live(one, 5)
    _, triple = live(three, 2)
    rewards = [float(step.reward[0]) for step in single]
    assert three.spec.repeat == 3
    assert [int(step.kind[0]) for step in triple] == [FIRST, MID, TRUNCATED]
    assert float(triple[1].reward[0]) == pytest.approx(sum(rewards[1:4]), abs=1e-5)
    assert float(triple[2].reward[0]) == pytest.approx(sum(rewards[4:6]), abs=1e-5)
    np.testing.assert_array_equal(triple[2].observation, single[5].observation)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (np.zeros((2, 1), np.float32), "action has shape"),
        (np.full((1, 1), np.nan, np.float32), "diverged"),
    ],
)
def test_a_wrong_action_raises_and_leaves_the_ticket_good(action, words):
    world = adapters.gymnasium(id=WALK)
    state, _ = world.init(key(0), task(1))
    with pytest.raises(ValueError, match=words):
        world.step(key(1), state, action, task(1))
    world.step(key(1), state, np.zeros((1, 1), np.float32), task(1))


def test_variants_are_tasks_and_each_row_begins_on_its_own():
    world = adapters.gymnasium(id=WALK, options='[{"scale": 1.0}, {"scale": 10.0}]', batch=2)
    assert list(world.tasks()) == [f"{WALK} scale=1.0", f"{WALK} scale=10.0"]
    assert world.spec.task.index == Discrete(n=2)
    assert world.spec == adapters.gymnasium(id=world.simulator.id, options=world.simulator.options, batch=2).spec
    both = Variant(index=np.array([0, 1], np.int32))
    state, before = world.init(key(0), both)
    action = np.full((2, 1), 0.5, np.float32)
    state, after = world.step(key(1), state, action, both)
    np.testing.assert_allclose((after.observation - before.observation)[:, 0], [0.5, 5.0], rtol=1e-4)
    with pytest.raises(ValueError, match=r"variants 0 \.\. 1"):
        world.init(key(0), task(2, 2))


def test_options_change_the_physics_of_one_id():
    world = adapters.gymnasium(id="Pendulum-v1", options='[{"g": 9.8}, {"g": 3.0}]')
    speeds = []
    for index in range(2):
        state, before = world.init(key(0), task(1, index))
        _, after = world.step(key(1), state, np.zeros((1, 1), np.float32), task(1, index))
        speeds.append(float((after.observation - before.observation)[0, 2]) / float(before.observation[0, 1]))
    # One Euler step of 0.05 s: the speed grows by 3 g / 2 l sin(angle) dt.
    np.testing.assert_allclose(speeds, [1.5 * 9.8 * 0.05, 1.5 * 3.0 * 0.05], rtol=1e-4)


def test_several_ids_are_variants():
    world = adapters.gymnasium(id="adapters_worlds:Walk, adapters_worlds:Faulty")
    assert list(world.tasks()) == ["adapters_worlds:Walk", "adapters_worlds:Faulty"]
    with pytest.raises(ValueError, match="same spaces"):
        _ = adapters.gymnasium(id="CartPole-v1,Pendulum-v1").spec


def test_names():
    assert from_name("gymnasium:CartPole-v1") == adapters.gymnasium(id="CartPole-v1")
    assert from_name(WALK) == adapters.gymnasium(id=WALK)
    with pytest.raises(ValueError, match=r"nearest are .*Pendulum-v1"):
        from_name("gymnasium:Pendulun-v1")
    with pytest.raises(ValueError, match="must be gymnasium:ID"):
        from_name("Pendulum-v1")
    with pytest.raises(ModuleNotFoundError):
        from_name("no_such_module:make")
    with pytest.raises(TypeError, match=r"return a gymnasium\.Env"):
        _ = from_name("adapters_worlds:not_an_environment").spec


def test_a_callable_is_found_in_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "plant_of_mine.py").write_text(
        "from adapters_worlds import Walk\n\ndef make(**options):\n    return Walk(**options)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [entry for entry in sys.path if entry])
    _, seen = live(from_name("plant_of_mine:make"), 5)
    assert int(seen[-1].kind[0]) == TRUNCATED
    assert Walk.observation_space.shape == seen[0].observation.shape[1:]


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "dm_control", None)
    with pytest.raises(ImportError, match=r"pip install 'umwelt\[dmcontrol\]'"):
        adapters.dm_control(domain="walker", task="run").builds()
    for name in [name for name in sys.modules if name.startswith("gymnasium.envs.mujoco")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mujoco", None)
    with pytest.raises(ImportError, match=r"pip install 'umwelt\[mujoco\]'"):
        _ = adapters.gymnasium(id="Hopper-v5", batch=5).spec


def test_pictures_are_rendered_on_request():
    pytest.importorskip("pygame", reason="rendering classic control needs pygame (the classic extra)")
    world = adapters.gymnasium(id="CartPole-v1", pictures=True)
    state, _ = world.init(key(0), task(1))
    picture = world.render(state)
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    assert picture.std() > 0
    plain, _ = adapters.gymnasium(id="CartPole-v1").init(key(0), task(1))
    assert world.render(plain) is None


GOAL = '{"goal": {"low": [-3, 0], "high": [3, 2], "default": [1, 2]}, "speed": {"low": 0, "high": 4}}'


def test_a_task_can_set_what_an_episode_begins_with():
    world = adapters.gymnasium(id="adapters_worlds:Aimed", batch=2, posed=GOAL)
    assert world.spec.task.options == {
        "goal": Box(shape=(2,), low=(-3.0, 0.0), high=(3.0, 2.0)),
        "speed": Box(low=0.0, high=4.0),
    }
    (named,) = world.tasks().values()
    assert spaces.contains(world.spec.task, named) == ""
    np.testing.assert_array_equal(named.options["goal"], [1.0, 2.0])
    np.testing.assert_array_equal(named.options["speed"], 2.0)
    first, second = (
        Posed(
            index=np.zeros(2, np.int32),
            options={"goal": np.array(goals, np.float32), "speed": np.array([speed, speed], np.float32)},
        )
        for goals, speed in (([[-1, 0], [2, 1]], 1.0), ([[3, 2], [0, 0]], 3.0))
    )
    state, step = world.init(key(0), first)
    seen = [step.observation]
    for number in range(3):
        state, step = world.step(key(1 + number), state, np.zeros((2, 1), np.float32), second)
        seen.append(step.observation)
    # an episode of Aimed has two steps; its goal and its speed are what it shows
    assert [observation.tolist() for observation in seen[:3]] == [[[-1, 0, 1], [2, 1, 1]]] * 3
    assert seen[3].tolist() == [[3, 2, 3], [0, 0, 3]]
    check.world(world, steps=20).raise_if_broken()


@part
class Again:
    """A teacher that poses what an episode reached as the goal of the next; its state is the goals [2, 2]."""

    def init(self, key, task_space, named):
        return jnp.ones((2, 2))

    def ask(self, key, state, n):
        return state, Posed(index=jnp.zeros(n, jnp.int32), options={"goal": state})

    def tell(self, key, state, tasks, feedback):
        return jnp.where(feedback.finished[:, None], feedback.reached, state)

    def panel(self, named):
        return {}


def test_a_goal_environment_says_what_was_achieved_and_a_teacher_poses_it():
    world = adapters.gymnasium(
        id="adapters_worlds:Reaching", batch=2, posed='{"goal": {"low": [-5, -5], "high": [5, 5], "default": [1, 1]}}'
    )
    rhythm = Rhythm(random=0, chunk=1)
    engine = Engine(Life(world=world, agent=RandomAgent(), teacher=Again(), rhythm=rhythm))
    value = engine.begin()
    shown = [value[1].step]
    for clock in range(4):
        value, _ = engine.advance(value, rhythm.segment(clock, 4))
        shown.append(value[1].step)
    assert [int(step.kind[0]) for step in shown] == [FIRST, MID, MID, TRUNCATED, FIRST]
    # Gymnasium lays the entries of a Dict out by name: achieved goal, desired goal, observation
    seen = np.stack([np.asarray(step.observation) for step in shown])
    np.testing.assert_array_equal(world.achieved(seen[3]), seen[3, :, :2])
    assert np.all(seen[:4, :, 2:4] == 1.0)
    assert np.abs(seen[3, :, :2]).min() > 0.0
    np.testing.assert_array_equal(seen[4, :, 2:4], seen[3, :, :2])
    check.world(world, steps=20).raise_if_broken()
    assert adapters.gymnasium(id="adapters_worlds:Aimed", posed=GOAL).achieved is None


def test_what_an_episode_began_with_is_saved_and_replayed():
    world = adapters.gymnasium(id="adapters_worlds:Aimed", posed=GOAL, subprocesses=True)
    given = {"goal": np.array([[-2, 1]], np.float32), "speed": np.array([3], np.float32)}
    state, step = world.init(key(0), Posed(index=np.zeros(1, np.int32), options=given))
    saved = world.save(state)
    np.testing.assert_array_equal(saved["posed_goal"], given["goal"])
    other, again = world.restore(saved)
    assert world.drain(other) == []
    np.testing.assert_array_equal(again.observation, step.observation)
    world.close(state)
    world.close(other)


@pytest.mark.parametrize(
    ("world", "words"),
    [
        (adapters.gymnasium(id="adapters_worlds:Aimed", posed="goal"), "posed must be a JSON object"),
        (adapters.gymnasium(id="adapters_worlds:Aimed", posed='{"goal": {"low": 0}}'), "posed needs `low` and `high`"),
        (adapters.gymnasium(id="adapters_worlds:Aimed", posed='{"goal": {"low": 0, "high": [1]}}'), "of one shape"),
        (adapters.dm_control(posed=GOAL), "DmControl takes no options"),
    ],
)
def test_what_cannot_be_set_is_refused(world, words):
    with pytest.raises(ValueError, match=words):
        _ = world.spec
