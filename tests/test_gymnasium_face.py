"""The library's worlds as Gymnasium environments, one and many at once."""

import importlib
import importlib.util
import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

import umwelt.gymnasium
from umwelt.core import Box, WorldSpec, part
from umwelt.gymnasium import IDS, make, make_vec
from umwelt.worlds import Pendulum, adapters, pictured

ADVICE = {
    "symmetric and normalized": {"pendulum", "physics", "many"},
    "value is -infinity": {"cartpole", "cartpole_swingup"},
    "value is infinity": {"cartpole", "cartpole_swingup"},
}
"""What Gymnasium advises about bounds, and the worlds with such bounds; it advises the same of its own Pendulum and CartPole."""


def test_every_pure_world_and_stream_has_an_id() -> None:
    assert {"umwelt/Pendulum-v0", "umwelt/PointMaze-v0", "umwelt/Wishes-v0"} <= set(IDS)
    assert IDS["umwelt/CartpoleSwingup-v0"] == "cartpole_swingup"
    assert set(IDS) <= set(gymnasium.registry)


@pytest.mark.parametrize("id", IDS)
def test_gymnasiums_checker_passes(id: str) -> None:
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        check_env(make(IDS[id]))
    for warning in given:
        worlds = [worlds for words, worlds in ADVICE.items() if words in str(warning.message)]
        assert worlds, warning.message
        assert IDS[id] in worlds[0]


def test_the_pendulum_is_gymnasiums_own() -> None:
    env, real = make("pendulum"), gymnasium.make("Pendulum-v1").unwrapped
    seen, info = env.reset(seed=1)
    real.reset(seed=0)
    real.state = np.array([np.arctan2(seen[1], seen[0]), seen[2]], np.float64)  # type: ignore[attr-defined]
    assert info == {"task": "earth"}
    for number, action in enumerate(np.random.default_rng(0).uniform(-2.0, 2.0, (200, 1)).astype(np.float32)):
        seen, reward, terminated, truncated, _ = env.step(action)
        found, earned, *_ = real.step(action)
        if number < 20:  # later both drift apart, as float32 and float64 do on a pendulum
            np.testing.assert_allclose(seen, found, atol=1e-3)
            assert reward == pytest.approx(earned, abs=1e-3)
        assert (terminated, truncated) == (False, number == 199)
    with pytest.raises(gymnasium.error.ResetNeeded, match="call reset"):
        env.step(action)


def falls(env: Any, **options: Any) -> float:
    """How much speed one step without a push adds, as a share of the sine of the angle before."""
    before, _ = env.reset(seed=2, **options)
    after = env.step(np.zeros(1, np.float32))[0]
    return float((after[2] - before[2]) / before[1])


def test_a_task_is_chosen_at_the_start_and_at_reset() -> None:
    # 3 g / 2 l dt: what one step of 0.05 s adds
    assert falls(make("pendulum")) == pytest.approx(0.75, rel=1e-3)
    assert falls(make("pendulum", task="moon")) == pytest.approx(1.5 * 1.62 * 0.05, rel=1e-3)
    env = make("pendulum")
    assert falls(env, options={"task": "long"}) == pytest.approx(0.5, rel=1e-3)
    assert env.step(np.zeros(1, np.float32))[4] == {"task": "long"}
    assert falls(env) == pytest.approx(0.75, rel=1e-3)
    assert make("physics").reset()[1] == {"task": "moon"}
    given = Pendulum().tasks()["moon"]
    assert falls(env, options={"task": given}) == pytest.approx(1.5 * 1.62 * 0.05, rel=1e-3)


def test_an_announced_task_is_seen() -> None:
    env = make("pendulum", announced=True)
    seen, _ = env.reset(seed=0, options={"task": "moon"})
    assert env.observation_space.contains(seen)
    assert seen["task"]["gravity"] == pytest.approx((1.62 - 13.0) / 12.0)


def test_fields_reach_the_world_and_a_world_of_ones_own_is_taken() -> None:
    for env in (make("pendulum", time_limit=2), make(Pendulum(time_limit=2)), gymnasium.make("umwelt/Pendulum-v0", time_limit=2)):
        env.reset(seed=0)
        assert [env.step(np.zeros(1, np.float32))[3] for _ in range(2)] == [False, True]


def test_pictures() -> None:
    env = make("pendulum", render_mode="rgb_array")
    env.reset(seed=0)
    one = env.render()
    assert one is not None
    assert (one.shape, one.dtype) == ((256, 256, 3), np.uint8)
    env.step(np.full(1, 2.0, np.float32))
    assert np.any(env.render() != one)
    seen = make(pictured(Pendulum()), render_mode="rgb_array")
    observation, _ = seen.reset(seed=0)
    np.testing.assert_array_equal(np.asarray(seen.render())[..., 0], observation[..., -1])


def test_many_rows_begin_again_by_themselves_on_the_next_step() -> None:
    envs = make_vec("pendulum", num_envs=3, time_limit=2)
    assert envs.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    _, infos = envs.reset(seed=0, options={"task": ["earth", "moon", "earth"]})
    assert infos["task"].tolist() == ["earth", "moon", "earth"]
    still, seen = np.zeros((3, 1), np.float32), []
    for _ in range(5):
        observation, reward, terminated, truncated, _ = envs.step(still)
        assert envs.observation_space.contains(observation)
        assert not terminated.any()
        seen.append((observation, reward, truncated))
    assert [truncated.tolist() for _, _, truncated in seen] == [[False] * 3, [True] * 3, [False] * 3, [False] * 3, [True] * 3]
    assert seen[2][1].tolist() == [0.0] * 3  # a first step has no reward
    begun, after = seen[2][0], seen[3][0]
    pull = (after[:, 2] - begun[:, 2]) / begun[:, 1]
    np.testing.assert_allclose(pull, [0.75, 0.1215, 0.75], rtol=1e-3)  # each row keeps its task


def test_rows_differ_and_a_seed_repeats_them() -> None:
    one, two = (make_vec("pendulum", num_envs=8) for _ in range(2))
    first, again = one.reset(seed=4)[0], two.reset(seed=4)[0]
    np.testing.assert_array_equal(first, again)
    assert len(np.unique(first, axis=0)) == 8
    assert np.any(one.reset()[0] != first)
    push = one.action_space.sample()
    two.reset()
    np.testing.assert_array_equal(one.step(push)[0], two.step(push)[0])


def test_gymnasium_makes_vectors_too() -> None:
    envs = gymnasium.make_vec("umwelt/Cartpole-v0", num_envs=4, vectorization_mode="vector_entry_point")
    assert isinstance(envs, umwelt.gymnasium.VectorFace)
    envs.reset(seed=0)
    *_, terminated, _, _ = [envs.step(np.ones(4, np.int64)) for _ in range(9)][-1]
    assert terminated.dtype == bool
    total = sum(envs.step(np.ones(4, np.int64))[2].sum() for _ in range(30))
    assert total >= 4  # a cart that is only pushed one way drops its pole


@part
class Outside:
    """A world whose action is a pair of boxes."""

    batch: int = 1

    @property
    def spec(self) -> WorldSpec:
        """Two actions at once."""
        return WorldSpec(name="outside", observation=Box(), action=(Box(), Box()), task=Box())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "pendulun"}, r"no pure world called 'pendulun'; known: pendulum"),
        ({"name": "pendulum", "task": "mars"}, r"task 'mars' is no task of pendulum; known: earth"),
        ({"name": "physics", "time_limit": 3}, "fields time_limit belong to a built-in world"),
        ({"name": adapters.gymnasium(id="Pendulum-v1")}, "is a hosted world"),
        ({"name": "grids", "render_mode": "rgb_array"}, "grids cannot be drawn"),
        ({"name": "pendulum", "render_mode": "human"}, "give 'rgb_array' or None"),
        ({"name": Outside()}, "actions of .* are not supported"),
    ],
)
def test_what_cannot_be_made_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        make(**arguments)


def test_what_cannot_be_done_is_refused() -> None:
    env, envs = make("pendulum"), make_vec("pendulum", num_envs=2)
    with pytest.raises(gymnasium.error.ResetNeeded):
        envs.step(np.zeros((2, 1), np.float32))
    with pytest.raises(ValueError, match="'x_init'; the only option is 'task'"):
        env.reset(options={"x_init": 1.0})
    with pytest.raises(ValueError, match="3 tasks for 2 rows"):
        envs.reset(options={"task": ["earth"] * 3})
    env.reset()
    with pytest.raises(ValueError, match=r"action has shape \[2\]; give \[1\]"):
        env.step(np.zeros(2))
    with pytest.raises(ValueError, match="NaN"):
        env.step(np.full(1, np.nan))
    cart = make("cartpole")
    cart.reset()
    with pytest.raises(ValueError, match=r"whole numbers 0 \.\. 1"):
        cart.step(2)


@pytest.mark.skipif(importlib.util.find_spec("stable_baselines3") is None, reason="needs stable-baselines3, a peer library")
def test_a_peer_library_learns_in_it() -> None:
    stable_baselines3 = pytest.importorskip("stable_baselines3")
    importlib.import_module("stable_baselines3.common.env_checker").check_env(make("cartpole"), warn=False)
    model = stable_baselines3.A2C("MlpPolicy", make("cartpole"), seed=0, policy_kwargs={"net_arch": [16]})
    before = model.policy.state_dict()["action_net.weight"].clone()
    model.learn(200)
    assert bool((model.policy.state_dict()["action_net.weight"] != before).any())
