"""How an agent stands to what it was shown: returns by hand, ranks and components by other libraries, actions by its own."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.decomposition import PCA

from umwelt.behaviours import TD3, ModelFree
from umwelt.core import spaces
from umwelt.life.composition import Life
from umwelt.life.engine import Engine
from umwelt.life.exams.examine import probe_key
from umwelt.life.exams.offline import Offline, offline_of, to_the_end
from umwelt.life.showing import reading_key
from umwelt.memory import Played, Ring
from umwelt.report.offline_figures import agreement_table, draw_offline, plane, rank_correlation
from umwelt.teachers import Blocks
from umwelt.worlds import Pendulum

LEARNER = TD3(units=8, discount=0.9)
WORLD = Pendulum(time_limit=20)


def found(**changes):
    random = np.random.default_rng(0)
    made = Offline(
        names=("a", "b", "c"),
        seen=random.normal(size=(40, 3)) * np.array([1.0, 5.0, 0.0]),
        done=np.linspace(-1, 1, 40)[:, None],
        would=np.linspace(-1, 1, 40)[:, None],
        choices=False,
        went=random.normal(size=(7, 3)),
        worth=None,
        gained=np.arange(40.0),
        discount=0.9,
    )
    return replace(made, **changes)


@pytest.fixture(scope="module")
def life():
    agent = ModelFree(learner=LEARNER, memory=Ring(bytes=100_000))
    return Life(world=WORLD, agent=agent, teacher=Blocks(), shown=(Played(world=WORLD, how="random", episodes=3, batch=1),))


def test_rewards_count_to_the_end_of_their_own_episode():
    reward = np.array([[1.0], [2.0], [9.0], [4.0], [8.0]])
    valid = np.array([[True], [True], [False], [True], [True]])  # the third is a seam
    np.testing.assert_allclose(to_the_end(reward, valid, 0.5)[:, 0], [2.0, 2.0, 0.0, 8.0, 8.0])


def test_ranks_correlate_as_scipy_says_and_constants_do_not():
    random = np.random.default_rng(1)
    first = random.normal(size=50)
    second = first + random.normal(size=50)
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)
    assert np.isnan(rank_correlation(first, np.zeros(50)))


def test_axes_are_numbers_that_vary_or_the_principal_components_of_all():
    data, went, names = plane(found())
    assert names == ("a", "b")  # c never changes
    np.testing.assert_array_equal(data, found().seen[:, :2])
    np.testing.assert_array_equal(went, found().went[:, :2])
    wide = np.random.default_rng(2).normal(size=(60, 4)) @ np.random.default_rng(3).normal(size=(4, 4))
    data, _, names = plane(found(names=tuple("abcd"), seen=wide, went=np.zeros((0, 4))))
    standard = (wide - wide.mean(axis=0)) / wide.std(axis=0)
    other = PCA(2).fit(standard)
    np.testing.assert_allclose(np.abs(data), np.abs(other.transform(standard)), atol=1e-9)
    assert f"{other.explained_variance_ratio_[0]:.0%}" in names[0]


def test_agreement_is_counted_for_all_moments_and_for_the_best():
    would = found().done.copy()
    would[:30] += 0.5  # the ten that gained most agree
    all_of, best = agreement_table(found(would=would)).rows
    assert all_of == ("all", "40", "25%", "0.375")
    assert best == ("the best 10%", "4", "100%", "0")
    chosen = agreement_table(
        found(done=np.array([[0.0], [1.0]]), would=np.array([[0.0], [2.0]]), gained=np.zeros(2), choices=True)
    )
    assert chosen.rows[0] == ("all", "2", "50%", "-")


@pytest.fixture(scope="module")
def agent(life):
    return jax.jit(lambda key: life.agent.init(key, WORLD.spec))(jax.random.key(0))


def test_an_agent_is_compared_with_what_it_was_shown(life, agent):
    seen = offline_of(life, agent)
    assert seen is not None
    shown = list(life.shown[0].read(reading_key(0, 0), WORLD.spec))
    rows = [jax.tree.map(lambda leaf, piece=piece: np.asarray(leaf)[piece.acted], piece) for piece in shown]
    observation, action = (
        np.concatenate([leaf(row) for row in rows]) for leaf in (lambda row: row.step.observation, lambda row: row.action)
    )
    assert len(observation) == 60
    np.testing.assert_allclose(seen.seen, spaces.features(WORLD.spec.observation, observation), rtol=1e-6)
    np.testing.assert_allclose(seen.done, action / 2.0, rtol=1e-6)  # torques of -2 to 2
    features = agent.observation_form.flat(jax.numpy.asarray(observation))
    np.testing.assert_allclose(seen.would, LEARNER.act(probe_key(1), agent.learner, features, "exploit") / 2.0, atol=1e-5)
    np.testing.assert_allclose(seen.worth, LEARNER.worth(agent.learner, features, action), atol=1e-5)
    # the first of the last episode, by a sum of its own
    rewards = np.concatenate([np.asarray(row.next.reward) for row in rows])[-20:]
    assert seen.gained[-20] == pytest.approx(np.sum(0.9 ** np.arange(20) * rewards), rel=1e-5)
    assert seen.went.shape == (4 * 21, 3)
    assert [drawing.name for drawing in draw_offline(seen)] == ["offline-map", "offline-values"]


def test_nothing_is_compared_where_no_action_was_shown(life, agent):
    assert offline_of(replace(life, shown=()), agent) is None
    watched = replace(life, shown=(Played(world=WORLD, how="random", episodes=1, batch=1, actions=False),))
    assert offline_of(watched, agent) is None


def test_what_is_read_again_is_what_the_life_was_shown(life):
    agent = Engine(life).begin()[1].agent
    kept = _observations(agent.memory)
    seen = offline_of(life, agent, life.seed).seen
    assert all(np.any(np.all(np.isclose(row, kept, atol=1e-6), axis=1)) for row in seen)


def _observations(memory):
    """All observations that a memory holds, whatever its fields are."""
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(memory) if getattr(leaf, "shape", ())[-1:] == (3,)]
    return np.concatenate([leaf.reshape(-1, 3) for leaf in leaves])
