"""Learned rules of learning against actor-critic, and lifetimes in finite worlds against sums by hand."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours import Strategies
from umwelt.behaviours.discovered import Rollout, Rule
from umwelt.claims.studies import lifetimes
from umwelt.claims.studies.lifetimes import ACTIONS, STATES, STEPS, ByRule, Lifetimes

KEY = jax.random.key(0)


def rollout(length: int = 6, rows: int = 3, classes: int = 4) -> Rollout:
    paying, ending, acting, one, other = jax.random.split(KEY, 5)
    return Rollout(
        reward=jax.random.normal(paying, (length, rows)),
        ended=jax.random.bernoulli(ending, 0.3, (length, rows)),
        chance=jax.random.uniform(acting, (length, rows)),
        now=jax.nn.softmax(jax.random.normal(one, (length, rows, classes))),
        after=jax.nn.softmax(jax.random.normal(other, (length, rows, classes))),
    )


def test_a_rule_that_pushes_by_advantages_is_actor_critic() -> None:
    states, actions = jnp.array([[0, 2], [1, 0], [2, 1]]), jnp.array([[1, 0], [0, 2], [2, 2]])
    advantage = jnp.array([[0.5, -1.0], [2.0, 0.1], [-0.3, 0.7]])
    logits = jax.random.normal(KEY, (3, 3))
    target = predictions = jnp.zeros((3, 2, 4))

    def loss(logits: jax.Array) -> jax.Array:
        return Rule(classes=4).loss(advantage, target, jax.nn.log_softmax(logits)[states, actions], predictions)

    wanted, chances = np.zeros((3, 3)), np.asarray(jax.nn.softmax(logits))
    for step in range(3):
        for row in range(2):
            state, action = int(states[step, row]), int(actions[step, row])
            # the gradient of a log-probability in its logits is one-hot less the chances
            wanted[state] += float(advantage[step, row]) * (np.eye(3)[action] - chances[state]) / 6
    np.testing.assert_allclose(-jax.grad(loss)(logits), wanted, atol=1e-6)


def test_a_rule_reads_what_follows_up_to_the_end_of_the_episode() -> None:
    rule, seen = Rule(units=8, classes=4), rollout()
    state = rule.init(KEY)
    seen = replace(seen, ended=jnp.zeros((6, 3), bool).at[2].set(True))
    read = jax.jit(lambda seen: rule.answers(state, seen, jnp.float32(0.5), jnp.float32(30.0))[0])
    before = read(seen)
    later = read(replace(seen, reward=seen.reward.at[4].add(1.0)))
    changed = np.any(np.asarray(before != later), axis=1)
    # moment 4 is seen from 3 and 4, not from behind the end at 2, nor from 5
    assert changed.tolist() == [False, False, False, True, True, False]


def test_only_a_rule_that_is_told_depends_on_the_lifetime() -> None:
    seen = rollout()
    for told in (True, False):
        rule = Rule(units=8, classes=4, told=told)
        state = rule.init(KEY)
        answers = [rule.answers(state, seen, jnp.float32(one), jnp.float32(span)) for one, span in ((0.1, 10), (0.9, 250))]
        same = all(bool(jnp.all(one == other)) for one, other in zip(*answers, strict=True))
        assert same is not told


def test_worlds_have_chances_and_what_is_best_earns_most() -> None:
    @jax.jit
    def even(world):
        chances = jnp.full((STATES, ACTIONS), 1 / ACTIONS)
        _, _, paid = lifetimes.played(KEY, world, jnp.zeros((STATES, ACTIONS)), 2000)
        return lifetimes.share(world, chances), paid, lifetimes.earned(world, chances)

    drawn = jax.tree.map(np.asarray, jax.jit(lifetimes.drawn)(KEY))
    for world in drawn:
        np.testing.assert_allclose(world.moves.sum(axis=-1), 1.0, atol=1e-5)
        assert np.all((world.pays >= 0.0) & (world.pays <= 1.0))
        share, paid, earned = even(world)
        assert float(share) == 0.0
        # what is played earns what is expected
        np.testing.assert_allclose(np.asarray(paid).sum(axis=0).mean(), earned, atol=0.35)
    bandit, chain = drawn[:2]
    best = jax.jit(lifetimes.best)
    np.testing.assert_allclose(best(bandit), STEPS * bandit.pays[0].max(), rtol=1e-5)
    # five steps on, and then paid
    np.testing.assert_allclose(best(chain), STEPS - 5, rtol=1e-5)


def test_actor_critic_and_a_search_learn_in_finite_worlds() -> None:
    worlds = jax.jit(lambda: Lifetimes().worlds(KEY, 2))()

    def after(learner, length: int):
        logits = jax.jit(lambda: lifetimes.lifetime(learner, KEY, None, worlds, length))()
        return float(jnp.mean(jax.vmap(lifetimes.share)(worlds, jax.nn.softmax(logits))))

    assert after(lifetimes.ByHand(), 60) > 0.2
    tiny = Lifetimes(
        learner=ByRule(rule=Rule(units=4, classes=2), rows=2), generations=2, population=4, draws=1, search=Strategies()
    )
    weights = jax.jit(tiny.found)(KEY)
    assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(weights))
