"""Meta-World's tasks as tasks of one world: the package's own scripted policies are the judges."""

import json

import numpy as np
import pytest

import umwelt.check
from umwelt.core import Box
from umwelt.worlds import adapters, stream_named
from umwelt.worlds.streams import ROBOT

pytest.importorskip("metaworld", reason="needs the metaworld extra")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def task(**options):
    from umwelt.worlds.adapters.metaworld import make

    return make(**options)


def scripted(environment, seed):
    """The rewards and the last answer of an episode lived by Meta-World's own policy for closing a window."""
    from metaworld.policies import SawyerWindowCloseV3Policy

    policy, rewards = SawyerWindowCloseV3Policy(), []
    seen, _ = environment.reset(seed=seed)
    while True:
        action = np.clip(policy.get_action(seen), -1, 1).astype(np.float32)
        seen, reward, terminated, truncated, info = environment.step(action)
        rewards.append(float(reward))
        if terminated or truncated:
            return rewards, terminated, info


def test_a_scripted_policy_succeeds_and_success_as_reward_ends_the_episode_with_a_return_of_one():
    dense, ended, info = scripted(task(task="window-close-v3", limit=200), seed=1)
    assert (len(dense), ended) == (200, False)
    assert info["success"] == 1.0
    assert 0.0 <= min(dense) < max(dense) <= 10.0
    sparse, ended, _ = scripted(task(task="window-close-v3", reward="success", limit=200), seed=1)
    assert ended
    assert sum(sparse) == sparse[-1] == 1.0
    assert len(sparse) < 200


def test_the_seed_draws_the_goal_and_the_goal_is_seen():
    environment = task(task="push-v3")
    goals = [environment.reset(seed=seed)[0][-3:] for seed in (1, 2, 1)]
    np.testing.assert_array_equal(goals[0], goals[2])
    assert np.abs(goals[0] - goals[1]).max() > 1e-3
    np.testing.assert_allclose(goals[2], environment.unwrapped._target_pos)


def test_the_ten_tasks_are_continual_worlds_and_look_alike():
    stream = stream_named("metaworld:short")
    assert stream.names == tuple(stream.world.tasks()) == ROBOT
    assert len(set(ROBOT)) == 10
    assert stream.world.spec.observation == Box(shape=(39,))
    assert stream.world.spec.action == Box(shape=(4,), low=-1.0, high=1.0)


def test_the_world_keeps_the_contract_and_goes_on_bit_for_bit():
    options = json.dumps([{"task": f"{name}-v3", "limit": 6} for name in ("window-close", "handle-press-side")])
    world = adapters.gymnasium(id=".metaworld:make", options=options, titles="window,handle", batch=2)
    umwelt.check.world(world, steps=60).raise_if_broken()


@pytest.mark.parametrize(
    ("options", "words"), [({"task": "juggle-v3"}, "known: assembly-v3"), ({"reward": "much"}, "known: dense, success")]
)
def test_what_is_not_there_names_what_is(options, words):
    with pytest.raises(ValueError, match=words):
        task(**options)
