"""Save and restore: an interrupted life goes on bit for bit, or says that it cannot."""

import warnings

import numpy as np
import pytest

from umwelt.core import FIRST, MID, TRUNCATED
from umwelt.worlds import adapters
from umwelt.worlds.adapters import Variant, from_name
from umwelt.worlds.wrappers import scaled_reward, stack_frames

TASK = Variant(index=np.zeros(2, np.int32))
CLASSIC = [("CartPole-v1", "{}"), ("Pendulum-v1", '{"max_episode_steps": 7}'), ("Acrobot-v1", "{}"), ("FrozenLake-v1", "{}")]
CLASSIC += [("MountainCarContinuous-v0", "{}"), ("adapters_worlds:Walk", '{"length": 0}')]
MUJOCO = ["Hopper-v5", "HalfCheetah-v5"]
SUITE = [("cartpole", "swingup"), ("reacher", "easy"), ("point_mass", "hard"), ("finger", "spin")]


def key(number):
    return np.array([3, number], np.uint32)


def actions(world, steps):
    rng, spec = np.random.default_rng(0), world.spec.action
    if hasattr(spec, "n"):
        return rng.integers(0, spec.n, (steps, world.batch)).astype(np.int32)
    return rng.uniform(*spec.bounds, (steps, world.batch, *spec.shape)).astype(np.float32)


def go(world, state, chosen, start):
    seen = []
    for number, action in enumerate(chosen):
        state, step = world.step(key(start + number), state, action, TASK)
        seen.append(step)
    return state, seen


def same(one, two):
    return all(getattr(one, name).tobytes() == getattr(two, name).tobytes() for name in ("kind", "observation", "reward"))


def check_restores(world, before, after, through=lambda saved: saved):
    """Live `before` steps, save, go on for `after`; restore and go on again: the same bits."""
    chosen = actions(world, before + after)
    state, step = world.init(key(0), TASK)
    state, seen = go(world, state, chosen[:before], 1)
    saved = world.save(state)
    assert set(saved) == {"seed", "variant", "length", "actions", "kind", "observation", "reward"}
    assert all(type(array) is np.ndarray for array in saved.values())
    state, rest = go(world, state, chosen[before:], 1 + before)
    other, step = world.restore(through(saved))
    assert same(step, seen[-1])
    other, again = go(world, other, chosen[before:], 1 + before)
    assert all(same(*pair) for pair in zip(rest, again, strict=True))
    final, repeated = world.save(state), world.save(other)
    assert all(final[name].tobytes() == repeated[name].tobytes() for name in final)
    assert world.drain(other) == []
    world.close(state)
    world.close(other)
    return seen


@pytest.mark.parametrize(("id", "options"), CLASSIC)
def test_classic_worlds_go_on_bit_for_bit(id, options):
    for before in (1, 5, 33):
        check_restores(adapters.gymnasium(id=id, options=options, batch=2), before, 40)


@pytest.mark.mujoco
@pytest.mark.parametrize("id", MUJOCO)
def test_mujoco_worlds_go_on_bit_for_bit_after_several_episodes(id):
    pytest.importorskip("mujoco", reason="needs the mujoco extra")
    pytest.importorskip("imageio", reason="needs the mujoco extra, with imageio")
    # The restored environment is new, the other one has lived several episodes.
    seen = check_restores(adapters.gymnasium(id=id, options='{"max_episode_steps": 60}', batch=2), 190, 80)
    assert sum(step.first.sum() for step in seen) >= 6
    assert not seen[-1].last.any()


@pytest.mark.mujoco
@pytest.mark.parametrize(("domain", "task"), SUITE)
def test_the_control_suite_goes_on_bit_for_bit_after_several_episodes(domain, task):
    pytest.importorskip("dm_control", reason="needs the dmcontrol extra")
    limit = {"cartpole": 0.4}.get(domain, 0.8)
    world = adapters.dm_control(domain=domain, task=task, options=f'{{"time_limit": {limit}}}', batch=2, repeat=2)
    seen = check_restores(world, 130, 50)
    assert sum(step.first.sum() for step in seen) >= 4
    assert not seen[-1].last.any()
    assert all(np.isfinite(step.observation).all() for step in seen)


def test_the_control_suite_equals_itself_from_the_recorded_seed():
    suite = pytest.importorskip("dm_control.suite", reason="needs the dmcontrol extra")
    world = adapters.dm_control(domain="cartpole", task="swingup", batch=2, repeat=3)
    chosen = actions(world, 20)
    state, step = world.init(key(0), TASK)
    seeds = world.save(state)["seed"]
    state, seen = go(world, state, chosen, 1)
    spec = world.spec
    assert (spec.name, spec.repeat, spec.observation.shape) == ("cartpole-swingup", 3, (5,))
    assert (spec.action.low, spec.action.high) == (-1.0, 1.0)
    assert list(world.tasks()) == ["cartpole-swingup"]
    for row in range(2):
        plain = suite.load("cartpole", "swingup", task_kwargs={"random": int(seeds[row])})
        first = plain.reset()
        np.testing.assert_array_equal(step.observation[row], flat(first))
        for number in range(20):
            frames = [plain.step(chosen[number, row]) for _ in range(3)]
            np.testing.assert_array_equal(seen[number].observation[row], flat(frames[-1]))
            assert seen[number].reward[row] == np.float32(sum(frame.reward for frame in frames))


def flat(frame):
    return np.concatenate([np.ravel(entry) for entry in frame.observation.values()]).astype(np.float32)


def test_the_suites_time_limit_truncates_and_its_own_ends_terminate(monkeypatch):
    pytest.importorskip("dm_control", reason="needs the dmcontrol extra")
    world = adapters.dm_control(options='{"time_limit": 0.05}', batch=2)
    state, _ = world.init(key(0), TASK)
    state, seen = go(world, state, actions(world, 6), 1)
    assert [int(step.kind[0]) for step in seen] == [MID, MID, MID, MID, TRUNCATED, FIRST]
    from dm_control.suite import cartpole

    monkeypatch.setattr(cartpole.Balance, "get_termination", lambda self, physics: 0.0)
    state, seen = go(world, state, actions(world, 1), 9)
    assert seen[0].terminated.all()


def test_an_actuator_without_limits_has_none():
    pytest.importorskip("dm_control", reason="needs the dmcontrol extra")
    assert not adapters.dm_control(domain="lqr", task="lqr_2_1").spec.action.bounded
    assert adapters.dm_control(domain="cartpole", task="swingup").spec.action.bounded


def test_an_unknown_suite_task_is_met_with_its_neighbours():
    pytest.importorskip("dm_control", reason="needs the dmcontrol extra")
    with pytest.raises(ValueError, match="cartpole-swingup"):
        from_name("dm_control:cartpole-swingupp")
    assert from_name("dm_control:ball_in_cup-catch") == adapters.dm_control(domain="ball_in_cup", task="catch")


def test_a_world_that_is_not_deterministic_is_reported_and_continues_with_the_next_episode():
    world = adapters.gymnasium(id="adapters_worlds:Walk,adapters_worlds:Whim", batch=2)
    both = Variant(index=np.array([0, 1], np.int32))
    state, _ = world.init(key(0), both)
    chosen = np.full((3, 2, 1), 0.5, np.float32)
    for number in range(2):
        state, step = world.step(key(1 + number), state, chosen[0], both)
    other, again = world.restore(world.save(state))
    assert again.kind.tolist() == [MID, TRUNCATED]
    np.testing.assert_array_equal(again.observation, step.observation)
    np.testing.assert_array_equal(again.reward, step.reward)
    (event,) = world.drain(other)
    assert (event.name, event.row) == ("resume_mismatch", 1)
    assert "did not repeat its episode (its observation differs" in event.message
    other, after = world.step(key(9), other, chosen[0], both)
    assert after.kind.tolist() == [MID, FIRST]


def test_no_layer_hides_that_a_row_could_not_be_replayed():
    both = Variant(index=np.array([0, 1], np.int32))
    plain = adapters.gymnasium(id="adapters_worlds:Walk,adapters_worlds:Whim", batch=2)
    for world in (scaled_reward(plain, 0.5), stack_frames(scaled_reward(plain, 0.5), 3)):
        state, _ = world.init(key(0), both)
        state, step = world.step(key(1), state, np.full((2, 1), 0.5, np.float32), both)
        other, again = world.restore(world.save(state))
        assert again.kind.tolist() == [MID, TRUNCATED]
        np.testing.assert_array_equal(again.observation, step.observation)
        other, after = world.step(key(9), other, np.full((2, 1), 0.5, np.float32), both)
        assert after.kind.tolist() == [MID, FIRST]


def test_a_row_whose_episode_had_ended_comes_back_without_replay():
    world = adapters.gymnasium(id="adapters_worlds:Whim", batch=2)
    state, _ = world.init(key(0), TASK)
    state, seen = go(world, state, actions(world, 5), 1)
    saved = world.save(state)
    assert saved["kind"].tolist() == [TRUNCATED, TRUNCATED]
    assert saved["length"].tolist() == [0, 0]
    other, step = world.restore(saved)
    assert same(step, seen[-1])
    assert world.drain(other) == []
    other, step = world.step(key(20), other, np.zeros((2, 1), np.float32), TASK)
    assert step.first.all()


def test_what_was_saved_survives_a_file_and_a_wrong_save_is_named(tmp_path):
    def through(saved):
        np.savez(tmp_path / "world.npz", **saved)
        with np.load(tmp_path / "world.npz") as file:
            return dict(file)

    world = adapters.gymnasium(id="CartPole-v1", batch=2)
    check_restores(world, 12, 30, through)
    state, _ = world.init(key(0), TASK)
    saved = world.save(state)
    with pytest.raises(ValueError, match="saved lacks actions, reward"):
        world.restore({name: saved[name] for name in saved if name not in ("actions", "reward")})
    with pytest.raises(ValueError, match="batch=3"):
        adapters.gymnasium(id="CartPole-v1", batch=3).restore(saved)


def test_a_restored_row_goes_back_to_its_own_variant():
    world = adapters.gymnasium(id="adapters_worlds:Walk", options='[{"scale": 1.0}, {"scale": 10.0}]', batch=2)
    state, _ = world.init(key(0), Variant(index=np.array([1, 0], np.int32)))
    state, seen = go(world, state, actions(world, 3), 1)
    other, step = world.restore(world.save(state))
    assert same(step, seen[-1])
    _, one = go(world, state, actions(world, 1), 5)
    _, two = go(world, other, actions(world, 1), 5)
    assert same(one[0], two[0])


def test_long_episodes_are_recorded_whole():
    world = adapters.gymnasium(id="adapters_worlds:Walk", options='{"length": 1000}', batch=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_restores(world, 300, 3)
