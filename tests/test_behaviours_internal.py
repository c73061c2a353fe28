"""What is hidden from a policy, and the internal model that infers it: an oscillator whose speed is not seen."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours import PPO, Asymmetric, Internal
from umwelt.behaviours.on_policy import Rollout
from umwelt.core import Box
from umwelt.networks import transport
from umwelt.networks.form import form
from umwelt.worlds import Pendulum, partly, pushed
from umwelt.worlds.stream import rows

KEY = jax.random.key(8)
ACTION = Box(shape=(1,), low=-1.0, high=1.0)
PAST = 4
SPACE = form({"seen": Box(shape=(PAST,)), "hidden": Box(shape=(1,))})
"""Features: the hidden speed, then four places, the newest last."""


def oscillator(key, number):
    """Features [number, 5] of swings of all sizes, and those a step later."""
    for_size, for_phase = jax.random.split(key)
    size = jax.random.uniform(for_size, (number,), minval=0.5, maxval=2.0)
    phase = jax.random.uniform(for_phase, (number,), maxval=2 * np.pi)

    def shown(time):
        past = [size * jnp.sin(phase + 0.3 * (time - back)) for back in range(PAST - 1, -1, -1)]
        return jnp.stack([size * jnp.cos(phase + 0.3 * time), *past], axis=1)

    return shown(0), shown(1)


def test_a_plan_shares_rows_and_codes_evenly():
    scores = jax.random.uniform(KEY, (12, 4), minval=-1.0)
    plan = np.asarray(transport.shares(scores / 0.5, 200))
    np.testing.assert_allclose(plan.sum(axis=1), 1 / 12, rtol=1e-5)
    np.testing.assert_allclose(plan.sum(axis=0), 1 / 4, rtol=1e-5)
    # what is cheapest for the whole gets most: a score that is high for all is worth nothing
    np.testing.assert_allclose(transport.shares((scores + jnp.arange(4.0)) / 0.5, 200), plan, rtol=1e-3)
    np.testing.assert_allclose(np.asarray(transport.shares(scores / 0.05)).sum(axis=1), 1 / 12, rtol=1e-5)


def test_the_speed_of_an_oscillator_is_inferred_and_codes_do_not_collapse():
    learner = Internal(past=PAST, code=8, prototypes=16, units=(32, 32), learning_rate=3e-3)

    @jax.jit
    def taught(key):
        state = learner.init_for(key, SPACE, ACTION)

        def update(state, key):
            return learner.taught(state, *oscillator(key, 128), jnp.ones(128))

        state, info = jax.lax.scan(update, state, jax.random.split(key, 400))
        now, _ = oscillator(jax.random.key(9), 500)
        return learner.inferred(state.weights, state.parts, now), now, info

    (guess, code), now, info = taught(KEY)
    missed = np.mean((guess[:, 0] - now[:, 0]) ** 2) / np.var(now[:, 0])
    assert missed < 0.05
    np.testing.assert_allclose(np.linalg.norm(code, axis=1), 1.0, rtol=1e-3)
    assert float(np.var(code, axis=0).sum()) > 0.5
    # past and next moment agree: their loss is below that of codes that know nothing of each other
    assert float(info["swap_loss"][-20:].mean()) < float(info["swap_loss"][:5].mean())


LEARNERS = (
    Internal(learner=PPO(units=4, epochs=1, pieces=1), past=PAST, units=(4,)),
    Asymmetric(learner=PPO(units=4, epochs=1, pieces=1), past=PAST),
)


@pytest.mark.parametrize("learner", LEARNERS, ids=["internal", "asymmetric"])
def test_a_policy_does_not_read_what_is_hidden_and_values_do(learner):
    state = jax.jit(lambda key: learner.init_for(key, SPACE, ACTION))(KEY)
    now, after = map(np.asarray, jax.jit(lambda key: oscillator(key, 6))(KEY))
    other = now.copy()
    other[:, 0] = np.roll(now[:, 0], 1)

    @jax.jit
    def read(state, features):
        _, unit, log_prob = learner.act(KEY, state, features, "explore")
        facts = state.parts.facts(features[:, None])
        return unit, log_prob, facts, learner.learner.values(state.inner, facts)

    unit, log_prob, facts, value = map(np.asarray, read(state, now))
    hidden, _, _, changed = read(state, other)
    np.testing.assert_array_equal(hidden, unit)
    some = np.ones((6, 1), np.float32)
    did = {"unit": unit[:, None], "log_prob": log_prob[:, None], "reward": some}
    held = Rollout(now=now[:, None], after=after[:, None], **did, terminated=some < 0, last=some > 0, weight=some)
    assert facts.shape[-1] == 2
    assert not np.allclose(value, changed)
    after, info = jax.jit(lambda state, held: learner.learn(KEY, state, held))(state, held)
    assert set(info) == {metric.name for metric in learner.metrics}
    assert int(after.inner.rounds) == 1


def test_a_space_without_parts_is_refused_with_the_mend():
    with pytest.raises(ValueError, match="partly"):
        Internal(past=PAST).init_for(KEY, form(Box(shape=(4,))), ACTION)


def test_a_world_shows_the_last_moments_and_hides_the_speed():
    world = partly(Pendulum(batch=2, time_limit=3), hidden=(2,), past=2)
    task = rows(Pendulum().tasks()["earth"], 2)
    state, step = world.init(KEY, task)
    seen = np.asarray(step.observation["seen"])
    np.testing.assert_array_equal(seen[:, :3], seen[:, 3:])
    np.testing.assert_array_equal(seen[:, 5], 0.0)
    stepped = jax.jit(world.step)
    for turn in range(4):
        before = np.asarray(step.observation["seen"])
        action = jnp.array([[0.5], [-1.5]]) * (turn + 1) / 4
        state, step = stepped(KEY, state, action, task)
        seen, hidden = (np.asarray(step.observation[name]) for name in ("seen", "hidden"))
        if turn == 3:  # an episode begins
            np.testing.assert_array_equal(seen[:, :3], seen[:, 3:])
            np.testing.assert_array_equal(seen[:, 5], 0.0)
        else:
            np.testing.assert_array_equal(seen[:, :3], before[:, 3:])
            np.testing.assert_allclose(seen[:, 5:], action)
            angle = np.arctan2(seen[:, 4], seen[:, 3]) - np.arctan2(seen[:, 1], seen[:, 0])
            np.testing.assert_allclose((angle + np.pi) % (2 * np.pi) - np.pi, 0.05 * hidden[:, 0], atol=1e-4)


def test_pushes_are_as_rare_and_as_weak_as_was_asked():
    world = pushed(Pendulum(batch=4000), chance=0.1, force=0.25)
    state = world.layer.begin(world.spec, None)
    action = jnp.full((4000, 1), 1.0)
    _, done = world.layer.on_action(KEY, state, action)
    push = np.asarray(done - action)[:, 0]
    assert np.mean(push != 0) == pytest.approx(0.1, abs=0.02)
    assert 0.4 < np.abs(push).max() <= 0.5
    _, done = world.layer.on_action(KEY, state, jnp.full((4000, 1), 2.0))
    assert np.asarray(done).max() <= 2.0
