"""Optimism in a chain against enumeration, and a clone that does not change."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours import Cloning
from umwelt.claims.studies.swaying import Swaying
from umwelt.claims.studies.warm_counts import WarmCounts, values, worth
from umwelt.memory import Played
from umwelt.worlds import Pendulum

KEY = jax.random.key(0)
SMALL = WarmCounts(places=3, actions=2, horizon=3, recorded=5, most=4)


def test_the_best_of_all_policies_is_found_by_backward_induction():
    random = np.random.default_rng(0)
    chances = jnp.asarray(random.dirichlet(np.ones(2), (2, 2)), jnp.float32)
    pays = jnp.array([0.2, 0.9])
    every = [np.array(acts).reshape(3, 2) for acts in itertools.product(range(2), repeat=6)]
    best = float(jax.jit(jax.vmap(worth, (None, None, 0)))(chances, pays, np.array(every))[:, 0, 0].max())
    found, policy = values(chances, pays, 3)
    np.testing.assert_allclose(found[0, 0], best, rtol=1e-5)
    np.testing.assert_allclose(worth(chances, pays, policy)[0, 0], best, rtol=1e-5)


def test_a_chain_goes_on_by_right_actions_and_bounds_hold_the_truth():
    chances, pays = SMALL.chain(KEY)
    np.testing.assert_allclose(chances.sum(axis=-1), 1.0, rtol=1e-6)
    right = np.asarray(SMALL.right(KEY))
    for place in range(3):
        assert float(chances[place, right[place], min(place + 1, 2)]) > 0.89
        assert float(chances[place, 1 - right[place], 0]) == 1.0
    # with counts in the proportions of the chain, the mean is the truth and the others enclose it
    mean, high, low = SMALL.bounds(1000.0 * chances, pays)
    truth = values(chances, pays, SMALL.horizon)[0]
    np.testing.assert_allclose(mean[0], truth, rtol=1e-5)
    assert np.all(high[0] >= truth - 1e-6)
    assert np.all(low[0] <= truth + 1e-6)
    # without any count everything may still be had
    np.testing.assert_allclose(SMALL.bounds(0.0 * chances, pays)[1][0][0], SMALL.horizon)


def test_an_episode_counts_its_decisions_from_the_first_place():
    chances, _ = SMALL.chain(KEY)
    policy = jnp.broadcast_to(SMALL.right(KEY), (3, 3))
    seen = SMALL.lived(KEY, chances, policy, jnp.zeros((3, 2, 3)))
    assert float(seen.sum()) == 3
    assert float(seen[0].sum()) >= 1


def test_a_clone_that_takes_no_steps_does_not_sway():
    study = Swaying(
        data=Played(world=Pendulum(time_limit=5), how="expert", episodes=2),
        learner=Cloning(units=4, learning_rate=0.0),
        updates=1,
        saves=2,
        every=1,
        batch=4,
        probes=2,
    )
    found = jax.jit(study)(KEY)
    assert float(found["sway"]) == 0.0
    assert float(found["missed"]) > 0.0
