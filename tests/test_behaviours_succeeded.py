"""A judge of success, a world without resets, and an arm that practises a door."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours import Succeeded
from umwelt.behaviours.batch import Batch
from umwelt.claims.studies.unattended import Door, DoorTask, Unattended, done, hand
from umwelt.networks import policies
from umwelt.worlds import Pendulum, stream
from umwelt.worlds.unreset import Unreset

KEY = jax.random.key(0)
ACTS = policies.over(Door().spec.action)


def batch(number: int, shown: bool = True) -> Batch:
    after = jax.random.normal(KEY, (number, 2))
    ones = jnp.ones(number)
    reward = (after[:, 0] > 0).astype(jnp.float32)
    return Batch(
        now=after, action=ones[:, None], reward=reward, continues=ones, after=after, weight=ones, shown=(ones > 0) & shown
    )


def learned(judge: Succeeded, data: Batch, updates: int):
    state = judge.init(KEY, 2, ACTS)
    learn = jax.jit(lambda key, state: judge.learn(key, state, data, ACTS)[0])
    for number in range(updates):
        state = learn(jax.random.fold_in(KEY, number), state)
    return state


def test_a_judge_learns_success_from_what_was_shown_even_if_examples_are_wrong_at_times() -> None:
    data = batch(256)
    for wrong in (0.0, 0.2):
        judge = Succeeded(wrong=wrong, learning_rate=1e-2)
        state = learned(judge, data, 150)
        assert float(jnp.mean(judge.score(state, data, ACTS) == data.reward)) > 0.95
    # examples that are wrong in a fifth of cases make it no surer than four in five
    sure = jnp.where(data.reward > 0.5, judge.chance(state, data.after), 1.0 - judge.chance(state, data.after))
    assert 0.65 < float(jnp.mean(sure)) < 0.9


def test_a_judge_learns_nothing_from_what_it_lived() -> None:
    judge, data = Succeeded(), batch(16, shown=False)
    before, after = judge.init(KEY, 2, ACTS), learned(judge, data, 1)
    for one, other in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match=r"wrong=0\.5"):
        Succeeded(wrong=0.5).init(KEY, 2, ACTS)


def test_an_episode_begins_where_the_last_one_ended() -> None:
    world = Unreset(world=Pendulum(batch=2, time_limit=3))
    check.world(world, steps=12).raise_if_broken()
    task = stream.default(world, None, 2)
    state, step = world.init(KEY, task)
    moves = jax.jit(world.step)
    seen, kinds = [step.observation], [step.kind]
    for number in range(8):
        state, step = moves(jax.random.fold_in(KEY, number), state, jnp.ones((2, 1)), task)
        seen.append(step.observation)
        kinds.append(step.kind)
    begins = [at for at, kind in enumerate(kinds) if at and int(kind[0]) == 0]
    assert begins == [4, 8]
    for at in begins:
        np.testing.assert_allclose(seen[at], seen[at - 1], atol=1e-6)
        assert float(jnp.abs(seen[at] - seen[0]).max()) > 1e-3


def test_the_hand_opens_and_closes_the_door() -> None:
    world = Door(batch=16)
    check.world(Door(batch=2, time_limit=8), steps=20).raise_if_broken()
    task = DoorTask(opens=jnp.where(jnp.arange(16) % 2 == 0, 1.0, -1.0))

    def tick(held, key):
        state, step = held
        state, step = world.step(key, state, hand(step.observation), task)
        return (state, step), step.reward

    _, rewards = jax.jit(lambda: jax.lax.scan(tick, world.init(KEY, task), jax.random.split(KEY, 40)))()
    assert float(rewards[-1].mean()) > 0.9
    assert bool(done(jnp.float32(1.3), jnp.float32(1.0)))
    assert not bool(done(jnp.float32(1.3), jnp.float32(-1.0)))


def test_rewards_to_come_go_on_behind_the_end() -> None:
    study = Unattended()
    limit = Door().time_limit
    ones = jnp.ones(limit)
    nothing = jnp.zeros((limit, 1))
    paid = Batch(now=nothing, action=nothing, reward=ones, continues=ones, after=nothing, weight=ones)
    # one in every moment without end is worth 1 / (1 - gamma)
    np.testing.assert_allclose(study.valued(paid).to_come, 1.0 / (1.0 - study.learner.discount), rtol=1e-5)
    late = replace(paid, reward=ones.at[:-1].set(0.0))
    worth = study.valued(late).to_come
    np.testing.assert_allclose(worth[0], study.learner.discount ** (limit - 1) / (1.0 - study.learner.discount), rtol=1e-4)
