"""The data sets of a finite world, their measures, and what is learned from them, by hand and by search."""

from collections import deque
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import pearsonr

from umwelt.behaviours import DQN, Cloning
from umwelt.claims.studies.measured_sets import AMOUNTS, FIELD, KINDS, SHARES, Log, MeasuredSets, _programs, partial
from umwelt.core import keys
from umwelt.worlds.table import WAYS, Table

KEY = jax.random.key(0)
RIGHT = 2
ROW = MeasuredSets(
    learner=DQN(units=16, layers=1, learning_rate=1e-2, discount=0.9, ema_rate=0.1),
    world=Table(layout=("S..G",), slips=0.0, time_limit=12),
    episodes=32,
    updates=300,
    batch=32,
)


@pytest.fixture(scope="module")
def log() -> Log:
    """Transitions [25, 32, 12] of a row of four cells."""
    return jax.tree.map(np.asarray, _programs(ROW)[0](KEY))


def after(cell: int, action: int) -> int:
    return int(np.clip(cell + WAYS[action][1], 0, 3))


def kind(log: Log, name: str) -> Log:
    at = KINDS.index(name)
    return jax.tree.map(lambda leaf: leaf[5 * at : 5 * at + 5], log)


def test_a_return_is_exact() -> None:
    policy = np.random.default_rng(0).dirichlet(np.ones(4), 4)
    study = replace(ROW, world=replace(ROW.world, time_limit=6))

    def reached(cell: int, left: int) -> float:
        """By all ways of acting."""
        if cell == 3 or not left:
            return float(cell == 3)
        return sum(policy[cell, action] * reached(after(cell, action), left - 1) for action in range(4))

    assert float(study.worth(jnp.asarray(policy))) == pytest.approx(reached(0, 6), abs=1e-5)


def test_the_expert_goes_a_shortest_way() -> None:
    study = replace(ROW, world=Table(layout=FIELD, slips=0.0, time_limit=50))
    wide, best = len(FIELD[0]), np.asarray(study.expert())

    def moved(place: tuple[int, int], action: int) -> tuple[int, int]:
        row, column = np.clip(np.array(place) + WAYS[action][:2], 0, wide - 1)
        return int(row), int(column)

    steps, waiting = {(0, 0): 0}, deque([(0, 0)])
    while waiting:
        place = waiting.popleft()
        for next in (moved(place, action) for action in range(4)):
            if next not in steps and FIELD[next[0]][next[1]] != "O":
                steps[next] = steps[place] + 1
                waiting.append(next)
    place, gone = (0, 0), 0
    while FIELD[place[0]][place[1]] != "G" and gone < 50:
        place, gone = moved(place, best[place[0] * wide + place[1]]), gone + 1
    assert gone == steps[wide - 1, wide - 1]


def test_episodes_follow_the_world_and_stop_where_they_end(log: Log) -> None:
    valid = log.valid
    cells, actions = log.cell[valid], log.action[valid]
    np.testing.assert_array_equal(log.after[valid], [after(*pair) for pair in zip(cells, actions, strict=True)])
    np.testing.assert_array_equal(log.reward[valid], log.after[valid] == 3)
    np.testing.assert_array_equal(log.ended[valid], log.after[valid] == 3)
    assert not np.any(valid[..., 1:] & log.ended[..., :-1])
    # whole episodes are there, or none of them
    np.testing.assert_array_equal(valid[..., 1:], valid[..., :-1] & ~log.ended[..., :-1])


def test_kinds_are_what_they_are_called(log: Log) -> None:
    for name in ("random", "expert", "replay"):
        amounts = kind(log, name).valid[..., 0].sum(axis=1)
        np.testing.assert_array_equal(amounts, [round(share * ROW.episodes) for share in AMOUNTS])
    expert, random = kind(log, "expert"), kind(log, "random")
    assert np.all(expert.action[expert.valid] == RIGHT)
    assert np.mean(random.action[random.valid] == RIGHT) == pytest.approx(0.25, abs=0.1)
    straight = np.all((kind(log, "mixed").action == RIGHT) | ~kind(log, "mixed").valid, axis=2)
    for share, row in zip(SHARES, straight, strict=True):
        assert row[: int(share * ROW.episodes)].all()
        assert row[int(share * ROW.episodes) + 1 :].mean() < 0.3
    noisy = kind(log, "noisy")
    for share, valid, action in zip(SHARES, noisy.valid, noisy.action, strict=True):
        assert np.mean(action[valid] == RIGHT) == pytest.approx(1.0 - 0.75 * share, abs=0.12)
    # the sets of a replay are beginnings of one life, which ends better than it began
    replayed = kind(log, "replay")
    np.testing.assert_array_equal(replayed.action, np.broadcast_to(replayed.action[-1], replayed.action.shape))
    lengths = replayed.valid[-1].sum(axis=1)
    assert lengths[-8:].mean() < lengths[:8].mean()


def test_the_learner_of_the_replay_corrects_one_value() -> None:
    whole = {"cell": jnp.int32(1), "action": jnp.int32(RIGHT), "reward": jnp.float32(0.5), "after": jnp.int32(2)}
    one = Log(**whole, ended=jnp.bool_(False), valid=jnp.bool_(True))
    values = jnp.arange(16.0).reshape(4, 4)
    found = ROW._corrected(values, one)
    assert float(found[1, RIGHT]) == pytest.approx(6 + 0.3 * (0.5 + 0.95 * 11 - 6))
    assert int(jnp.sum(found != values)) == 1
    assert float(ROW._corrected(values, replace(one, ended=jnp.bool_(True)))[1, RIGHT]) == pytest.approx(6 + 0.3 * (0.5 - 6))
    np.testing.assert_array_equal(ROW._corrected(values, replace(one, valid=jnp.bool_(False))), values)


def test_measures_are_those_of_counting(log: Log) -> None:
    quality, coverage = ROW.measured(log)
    assert quality[5:10] == pytest.approx(np.ones(5), abs=1e-5)
    pairs = [set(zip(log.cell[n][log.valid[n]], log.action[n][log.valid[n]], strict=True)) for n in range(25)]
    assert coverage == pytest.approx([len(each) / len(pairs[-1]) for each in pairs])
    assert coverage[-1] == 1.0
    chance = float(ROW.worth(jnp.full((4, 4), 0.25)))
    assert quality[4] == pytest.approx((log.reward[4][log.valid[4]].sum() / 32 - chance) / (1.0 - chance), abs=1e-5)


def test_a_partial_correlation_is_that_of_the_three_correlations() -> None:
    known = np.random.default_rng(0).normal(size=25)
    one, other = (weight * known + np.random.default_rng(seed).normal(size=25) for seed, weight in ((1, 1.0), (2, -2.0)))
    pair, first, second = (np.corrcoef(*each)[0, 1] for each in ((one, other), (one, known), (other, known)))
    by_hand = (pair - first * second) / np.sqrt((1 - first**2) * (1 - second**2))
    assert partial(one, other, known) == pytest.approx(by_hand)


def test_values_learn_the_way_from_chance_and_a_clone_stays_as_good_as_its_data(log: Log) -> None:
    by_values = ROW.normalised(np.asarray(_programs(ROW)[1](KEY, log)))
    assert by_values[4] == pytest.approx(1.0, abs=1e-5)
    some = jax.tree.map(lambda leaf: leaf[np.array([4, 9])], log)
    clone = replace(ROW, learner=Cloning(units=16, learning_rate=1e-2), mode="explore", draws=200)
    cloned = clone.normalised(np.asarray(jax.jit(clone.learned)(KEY, some)))
    assert abs(cloned[0]) < 0.25
    assert cloned[1] == pytest.approx(1.0, abs=0.05)


def test_a_seed_answers_with_its_correlations() -> None:
    playing, learning = keys.split(jax.random.key(3), "play", "learn")
    log = _programs(ROW)[0](playing)
    mine = ROW.normalised(np.asarray(_programs(ROW)[1](learning, log)))
    quality, coverage = ROW.measured(jax.tree.map(np.asarray, log))
    found = ROW(3)
    assert found["with_quality"] == pytest.approx(pearsonr(mine, quality)[0], abs=1e-6)
    assert found["with_coverage"] == pytest.approx(pearsonr(mine, coverage)[0], abs=1e-6)
    good = [each for each, of in zip(mine, quality, strict=True) if of > 0.9]
    assert len(good) >= 5
    assert found["on_good"] == pytest.approx(sum(good) / len(good))
