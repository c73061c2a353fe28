"""A life's last save as a policy: it acts as an exam does, writes nothing, and says what it expected."""

import shutil

import gymnasium
import jax
import numpy as np
import pytest
from policy_lives import Plain, planned, showing, valued

import umwelt
from umwelt.core import MID, TimeStep, keys
from umwelt.life.api import examination
from umwelt.life.composition import BadLife
from umwelt.life.folder.folder import Folder, FolderError
from umwelt.life.saves.checkpoint import CheckpointError
from umwelt.networks.inside import with_batch
from umwelt.policy import lens
from umwelt.policy.describing import describe
from umwelt.policy.policy import Policy
from umwelt.policy.program import BODY_KEY, Program
from umwelt.worlds import Announced, scaled_reward, stack_frames
from umwelt.worlds.standard import Standard
from umwelt.worlds.wrapped import Wrapped


@pytest.fixture(scope="module")
def lives(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lives")
    planned(folder)
    valued(folder)
    return folder


@pytest.fixture(scope="module")
def policy(lives):
    return umwelt.load("planned", lives=lives)


def episode(policy, steps=4, seed=0):
    """Actions and doubts of a policy in an environment of its own."""
    environment = gymnasium.make("Pendulum-v1")
    observation, _ = environment.reset(seed=seed)
    found = []
    for _ in range(steps):
        action = policy(observation)
        assert environment.action_space.contains(action)
        found.append((action, policy.doubt))
        observation, reward, terminated, truncated, _ = environment.step(action)
        policy.tell(reward, terminated, truncated)
    actions, doubts = zip(*found, strict=True)
    return np.array(actions), np.array(doubts)


def test_the_same_seed_acts_the_same_and_nothing_is_written(lives, policy):
    files = lambda: {path: path.stat().st_mtime_ns for path in sorted((lives / "planned").rglob("*"))}  # noqa: E731
    hashes, before = umwelt.fingerprints("planned", lives=lives), files()  # to read a chronicle makes files beside it
    loaded = umwelt.load(lives / "planned")
    actions, doubts = episode(loaded)
    assert loaded.program.decide.func._cache_size() == 1, "the first decision and all others are one program"
    policy.reset()
    again, doubts_again = episode(policy)
    np.testing.assert_array_equal(actions, again)
    np.testing.assert_array_equal(doubts, doubts_again)
    assert np.isnan(doubts[0])
    assert np.isfinite(doubts[1:]).all()
    assert not np.array_equal(episode(policy.another(seed=1))[0], actions)
    assert files() == before
    assert umwelt.fingerprints("planned", lives=lives) == hashes


def test_it_acts_as_the_agent_itself_does_under_examination(lives, policy):
    life, minds, _ = examination("planned", lives)
    spec = with_batch(life.world, 1).spec
    body = life.agent.embody(jax.random.key(BODY_KEY), minds[0], spec)
    see, act = jax.jit(life.agent.see), jax.jit(life.agent.act, static_argnums=2)
    policy.reset()
    seen = [np.array([1.0, 0.0, 0.5], np.float32), np.array([0.9, 0.1, 1.0], np.float32)]
    for number, (observation, reward) in enumerate(zip(seen, (0.0, -2.0), strict=True)):
        key = jax.random.fold_in(jax.random.key(7), number)
        step = TimeStep(
            kind=np.full(1, MID * number, np.int8), observation=observation[None], reward=np.full(1, reward, np.float32)
        )
        body, info = see(keys.fold(key, "see"), body, step)
        body, expected = act(keys.fold(key, "act"), body, "exploit")
        if number == 0:
            policy = policy.another(seed=7)
        else:
            policy.tell(reward)
        np.testing.assert_allclose(policy(observation), np.clip(expected[0], -2, 2), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(policy.doubt, info["doubt"][0], rtol=1e-3)
    actions = np.array([[0.5], [-0.5]], np.float32)
    found = policy.imagine(actions)
    expected = jax.jit(life.agent.imagine)(jax.random.key(0), body, actions[:, None])
    np.testing.assert_allclose(found.reward, expected.reward[:, 0], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found.observation, expected.observation[:, 0], rtol=1e-3, atol=1e-4)
    assert (found.observation.shape, found.doubt.shape) == ((2, 3), (2,))


def shown(world=None, **given):
    learned = showing(world)
    return Policy(learned, describe(learned.world), **given)


def test_what_is_said_of_an_action_reaches_the_agent_with_the_next_step():
    policy, observation = shown(), [1.0, 2.0, 3.0]
    assert policy(observation).tolist() == [1, 0, 0, 6]
    assert np.isnan(policy.doubt)
    policy.tell(5.0)
    assert policy(observation).tolist() == [0, 5, 5, 6]
    assert policy.doubt == 5
    assert policy(observation).tolist() == [0, 0, 5, 6], "without tell the reward is 0"
    policy.tell(7, terminated=True)
    policy.tell(7)
    assert policy(observation).tolist() == [1, 0, 0, 6], "an episode begins after an end, whatever else is said"
    policy.tell(np.float64(2), truncated=np.bool_(True))
    assert policy(observation).tolist() == [1, 0, 0, 6]
    policy.tell(1)
    policy.reset()
    assert policy(observation).tolist() == [1, 0, 0, 6], "a reset forgets what was said"


def test_rows_are_bodies_side_by_side():
    policy = shown(rows=2)
    seen = np.array([[1.0, 0, 0], [2.0, 0, 0]])
    assert policy(seen)[:, 3].tolist() == [1, 2]
    policy.tell([3.0, 4.0], terminated=[False, True])
    assert policy(seen).tolist() == [[0, 3, 3, 1], [1, 0, 0, 2]]
    assert policy.doubt[0] == 3
    assert np.isnan(policy.doubt[1])
    policy.tell([1.0, 1.0], truncated=False)
    policy.reset(rows=3)
    assert policy(np.zeros((3, 3))).shape == (3, 4)
    policy.reset(rows=2)
    assert policy(seen)[:, 0].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda policy: policy(np.zeros((3, 3))), r"observation: expected numbers of shape \[2, 3\]"),
        (lambda policy: policy("left"), "of type str"),
        (lambda policy: policy.tell(1.0), r"reward: expected numbers of shape \[2\]"),
        (lambda policy: policy.tell([1.0, np.inf]), "reward: it holds NaN or infinity"),
        (lambda policy: policy.tell([1, 1], terminated=[0.5, 0.5]), "terminated: expected flags"),
        (lambda policy: policy.tell([1, 1]), "no action was asked for yet"),
        (lambda policy: policy.imagine(np.zeros((1, 2, 4))), "seen nothing yet"),
        (lambda policy: policy.reset(rows=0), "rows: 0"),
        (lambda policy: policy.another(seed=-1), "seed: -1"),
    ],
)
def test_wrong_arguments_are_named(act, words):
    with pytest.raises(ValueError, match=words):
        act(shown(rows=2))


def test_what_no_decision_changes_or_reads_is_apart_from_the_carry():
    program = Program(showing(), 1)
    assert [leaf.shape for leaf in program.begun] == [(1, 4)]
    assert [leaf.shape for leaf in program.constants] == [()]


def test_layers_around_a_world_are_applied_as_in_life():
    world = stack_frames(Wrapped(world=Plain(), layer=Standard(clip=10.0, mean=(1.0, 1.0, 1.0), deviation=(2.0, 2.0, 2.0))), 2)
    policy = shown(scaled_reward(world, 0.5))
    assert policy([3.0, 1.0, 1.0]).tolist() == [1, 0, 0, 2], "standard units 1, 0, 0, twice"
    policy.tell(4.0)
    assert policy([5.0, 1.0, 1.0]).tolist() == [0, 2, 2, 3], "this one and the one before"


def test_an_announced_task_is_given_with_the_observation():
    world = Announced(world=stack_frames(Plain(), 2))
    assert describe(world)["observation"]["names"] == ["seen", "task"]
    seen, task = np.array([[1.0, 2.0, 3.0]], np.float32), np.array([0.5], np.float32)
    step = TimeStep(kind=np.zeros(1, np.int8), observation={"seen": seen, "task": task}, reward=np.zeros(1, np.float32))
    _, shown = lens.look(world, lens.begin(world), step)
    np.testing.assert_array_equal(shown.observation["seen"], [[1, 2, 3, 1, 2, 3]])
    np.testing.assert_array_equal(shown.observation["task"], task)


def test_a_life_of_several_seeds_gives_the_one_that_is_meant(lives):
    first, second = (umwelt.load("valued", which=which, lives=lives) for which in (0, 1))
    assert not jax.tree.all(jax.tree.map(np.array_equal, first.program.constants, second.program.constants))
    chosen = first(np.zeros(4))
    assert (chosen.dtype, chosen.shape) == (np.int32, ())
    assert np.isnan(first.doubt)
    with pytest.raises(ValueError, match="ModelFree has no world model"):
        first.imagine(np.zeros(3, np.int32))
    with pytest.raises(BadLife, match=r"which: .* has 2 seeds, and 2 is none of 0 .. 1"):
        umwelt.load("valued", which=2, lives=lives)


def test_what_cannot_be_loaded_is_one_sentence(lives, tmp_path):
    with pytest.raises(FolderError, match=r"there is no life at .*did you mean planned"):
        umwelt.load("plannd", lives=lives)
    fresh = shutil.copytree(lives / "planned", tmp_path / "fresh")
    shutil.rmtree(fresh / "checkpoints")
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        umwelt.load(fresh)
    half = shutil.copytree(lives / "planned", tmp_path / "half")
    saves = Folder.read(half).checkpoints
    newest = max(saves.iterdir())
    shutil.copytree(newest, saves / f"{int(newest.name) + 30:012d}")
    (max(saves.iterdir()) / "manifest.json").write_text("{")
    with pytest.warns(UserWarning, match="is damaged .*the one before it is used"):
        umwelt.load(half)
    torn = shutil.copytree(lives / "planned", tmp_path / "torn")
    for manifest in Folder.read(torn).checkpoints.rglob("manifest.json"):
        manifest.write_text("{")
    with pytest.raises(CheckpointError, match="is whole"):
        umwelt.load(torn)
