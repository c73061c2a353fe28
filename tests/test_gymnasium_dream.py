"""A life's world model as a Gymnasium environment."""

from dataclasses import replace
from typing import Any

import gymnasium
import jax
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import umwelt
import umwelt.gymnasium
from umwelt.behaviours import ModelPredictive, RandomAgent
from umwelt.gymnasium import Dreamt
from umwelt.life.composition import BadLife
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.models import Implicit, Losse, Truth
from umwelt.models.linear.encoder import Encoder
from umwelt.planners import Shooting
from umwelt.teachers import Blocks
from umwelt.worlds import Cartpole, Pendulum, adapters

PLANNER = Shooting(samples=4, horizon=2)
LOSSE = Losse(encoder=Encoder(grids=4, bins=2), warm_up=50)


def life_of(world: Any, model: Any) -> umwelt.Life:
    memory = Ring(bytes=100_000) if isinstance(model, Implicit) else None
    agent = ModelPredictive(model=model, planner=PLANNER, memory=memory) if model else RandomAgent()
    return umwelt.Life(world=world, agent=agent, teacher=Blocks(names=(next(iter(world.tasks())),), steps=1000))


def unlearned(world: Any, model: Any, **fields: Any) -> Dreamt:
    """The dream of an agent at its birth."""
    life = life_of(world, model)
    return Dreamt(life, life.agent.init(jax.random.key(0), world.spec), **fields)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: Any) -> Any:
    """A life of 150 decisions whose model predicts observations."""
    lives = tmp_path_factory.mktemp("lives")
    life = replace(life_of(Pendulum(), LOSSE), rhythm=Rhythm(probe_episodes=0))
    umwelt.live(life, steps=150, name="small", lives=lives)
    return lives


@pytest.mark.filterwarnings("ignore:.*symmetric and normalized:UserWarning")
def test_a_dream_keeps_gymnasiums_contract_and_writes_nothing(folder: Any) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    env = umwelt.gymnasium.dream("small", horizon=5, lives=folder)
    check_env(env)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == before
    env.reset(seed=0)
    ends = [env.step(np.zeros(1, np.float32))[2:4] for _ in range(5)]
    assert ends == [(False, False)] * 4 + [(False, True)]
    with pytest.raises(gymnasium.error.ResetNeeded, match="call reset"):
        env.step(np.zeros(1, np.float32))


def test_a_model_that_learned_says_how_little_it_knows(folder: Any) -> None:
    env, blank = umwelt.gymnasium.dream("small", starts=2, lives=folder), unlearned(Pendulum(), LOSSE, starts=2)
    doubts = []
    for each in (env, blank):
        each.reset(seed=3)
        doubts.append(each.step(np.zeros(1, np.float32))[4]["doubt"])
    assert 0.0 < doubts[0] < doubts[1] == 1.0


def test_the_dream_of_a_model_that_knows_all_is_gymnasiums_own_pendulum() -> None:
    env = unlearned(Pendulum(), Truth(world=Pendulum()), horizon=30)
    real: Any = gymnasium.make("Pendulum-v1").unwrapped
    seen, _ = env.reset(seed=5)
    real.reset(seed=0)
    real.state = np.array([np.arctan2(seen[1], seen[0]), seen[2]], np.float64)
    for action in np.random.default_rng(0).uniform(-2.0, 2.0, (30, 1)).astype(np.float32):
        imagined, reward, *_ = env.step(action)
        found, earned, *_ = real.step(action)
        np.testing.assert_allclose(imagined, found, atol=2e-3)
        assert reward == pytest.approx(earned, abs=2e-3)


def test_an_episode_begins_as_the_real_world_does_and_the_seed_decides_which() -> None:
    env = unlearned(Cartpole(), Truth(world=Cartpole()), starts=4)
    begins = np.stack([env.reset(seed=seed)[0] for seed in range(40)])
    assert len(np.unique(begins, axis=0)) == 4
    assert np.abs(begins[:, :4]).max() <= 0.05  # where Gymnasium's CartPole begins
    np.testing.assert_array_equal(env.reset(seed=7)[0], begins[7])


def test_a_predicted_end_terminates() -> None:
    env = unlearned(Cartpole(), Truth(world=Cartpole()), horizon=200)
    env.reset(seed=0)
    steps = []
    while not steps or not (steps[-1][2] or steps[-1][3]):
        steps.append(env.step(1))
    # a cart that is only pushed to the right drops its pole within a second or so
    assert steps[-1][2:4] == (True, False)
    assert steps[-1][4]["continues"] == 0.0
    assert 5 < len(steps) < 50


def test_a_hosted_life_dreams_from_first_observations_of_its_simulator() -> None:
    env = unlearned(adapters.gymnasium(id="CartPole-v1"), LOSSE, starts=3)
    begins = {tuple(env.reset(seed=seed)[0].tolist()) for seed in range(20)}
    assert len(begins) == 3
    assert env.step(0)[0].shape == (4,)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (None, "has no world model"),
        (Implicit(latent=8, units=8, encoder_units=8, group=4), "predicts rewards and beliefs, but no observation"),
    ],
)
def test_what_cannot_be_dreamt_is_refused(model: Any, words: str) -> None:
    with pytest.raises(BadLife, match=words):
        unlearned(Pendulum(), model)


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="horizon=0"):
        unlearned(Pendulum(), LOSSE, horizon=0)
    with pytest.raises(ValueError, match=r"task 'mars' is no task.*earth"):
        unlearned(Pendulum(), LOSSE, task="mars")


def test_an_option_that_means_nothing_is_refused(folder: Any) -> None:
    env = umwelt.gymnasium.dream("small", horizon=5, lives=folder)
    with pytest.raises(ValueError, match=r"options holds 'gravity'; the only option is 'task'"):
        env.reset(options={"gravity": 1.0})
