"""Codes of tasks and prompts: what a code reads, which piece is the prompt, and that it comes from the same task."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours import DecisionTransformer, MetaDecision, Prompted, Sequenced
from umwelt.behaviours.histories import Context, Sequences
from umwelt.core import FIRST, MID, TRUNCATED, Box, TimeStep, WorldSpec
from umwelt.memory import Trajectories

KEY = jax.random.key(4)
BOX = Box(shape=(1,), low=-1.0, high=1.0)
SMALL = MetaDecision(
    inner=DecisionTransformer(context=6, width=8, layers=1), horizon=2, code=2, prompt=2, units=16, first=200, learning_rate=5e-3
)


def stretches(key: jax.Array, rows: int = 32, length: int = 6) -> Sequences:
    """The reward is the action times the number of the task, and nothing else changes."""
    tasking, seeing, acting = jax.random.split(key, 3)
    task = jax.random.uniform(tasking, (rows, 1), minval=-1.0, maxval=1.0)
    features = jax.random.normal(seeing, (rows, 1, 1)) * jnp.ones((1, length, 1))
    actions = jax.random.choice(acting, jnp.array([-1.0, 1.0]), (rows, length, 1))
    ones, zeros = jnp.ones((rows, length), bool), jnp.zeros((rows, length))
    rewards = task * actions[:, :, 0]
    context = Context(features=features, actions=actions, rewards=rewards, wanted=zeros, known=ones)
    return Sequences(
        context=context,
        after=features,
        wanted_after=zeros,
        continues=zeros + 1,
        acted=ones,
        returned=ones,
        task={"number": jnp.broadcast_to(task, (rows, length))},
    )


@pytest.fixture(scope="module")
def begun() -> Any:
    return SMALL.init(KEY, 1, BOX)


@jax.jit
def lessons(state: Any, keys: jax.Array) -> Any:
    """As many lessons as there are keys; one program for all that have a hundred."""
    return jax.lax.scan(lambda state, key: SMALL.learn(key, state, stretches(key)), state, keys)


@pytest.fixture(scope="module")
def learned(begun: Any) -> Any:
    state, losses = begun, []
    for keys in jax.random.split(KEY, (2, 100)):
        state, info = lessons(state, keys)
        losses.append(info["context_loss"])
    return state, np.concatenate(losses)


def test_a_code_tells_the_task_and_the_transformer_waits_for_it(begun: Any, learned: Any) -> None:
    state, losses = learned
    assert losses[:5].mean() > 2 * losses[-5:].mean()
    batch = jax.tree.map(np.asarray, stretches(jax.random.key(8), 200))
    code = np.asarray(SMALL.codes(state, batch.context))
    number = batch.task["number"][:, 0]
    # one transition shows the task
    table = np.column_stack([code[:, 3], np.ones(200)])
    missed = number - table @ np.linalg.lstsq(table, number)[0]
    assert missed.var() / number.var() < 0.2
    np.testing.assert_allclose(code[:, 0], np.broadcast_to(code[0, 0], (200, 2)), atol=1e-6)
    jax.tree.map(np.testing.assert_array_equal, state.policy, begun.policy)
    after, _ = lessons(state, jax.random.split(jax.random.key(9), 100))
    jax.tree.map(np.testing.assert_array_equal, after.model, state.model)
    assert np.abs(np.asarray(after.policy.read[1].weight) - state.policy.read[1].weight).max() > 0


def test_a_code_reads_the_last_transitions_and_nothing_later(begun: Any) -> None:
    state, context = begun, stretches(KEY, 1).context
    slope = jax.jit(jax.grad(lambda context: jnp.sum(SMALL.codes(state, context)[0, 4]), allow_int=True))(context)
    for each in (slope.features, slope.actions, slope.rewards):
        assert (np.abs(np.asarray(each)).reshape(-1) > 0).tolist() == [False, False, True, True, False, False]


def test_the_prompt_is_the_piece_of_the_largest_error_of_another_stretch_of_the_task(learned: Any) -> None:
    state, batch = learned[0], jax.tree.map(np.asarray, stretches(KEY, 6))
    pair = np.array([0, 0, 1, 1, 2, 3])
    # the first two stretches are of one task, the next two of another, and the last two are alone
    batch = replace(batch, task={"number": np.broadcast_to(pair[:, None].astype(np.float32), (6, 6))})
    context = batch.context
    odd = replace(batch, context=replace(context, rewards=np.where(np.arange(6) // 2 == 1, np.float32(40), context.rewards)))
    piece, whole = jax.jit(lambda odd: (SMALL.pieces(KEY, state, odd), SMALL._prompted(KEY, state, odd)))(odd)
    whole = jax.tree.map(np.asarray, whole)
    assert np.all(np.asarray(piece.rewards) == 40.0)
    assert whole.context.known[:, :2].all(axis=1).tolist() == [True] * 4 + [False] * 2
    np.testing.assert_array_equal(whole.context.actions[0, :2], context.actions[1, 2:4])
    np.testing.assert_array_equal(whole.context.actions[3, :2], context.actions[2, 2:4])
    assert not np.any(whole.acted[:, :2])
    assert whole.context.features.shape == (6, 8, 3)


def test_an_agent_shows_itself_the_worst_piece_of_its_last_episode() -> None:
    spec = WorldSpec(name="line", observation=Box(shape=(1,), low=-9.0, high=9.0), action=BOX, task=Box(shape=(1,)), batch=2)
    agent = Prompted(inner=Sequenced(learner=SMALL, memory=Trajectories(bytes=9000, length=6), batch=2))
    state = agent.init(KEY, spec)
    see, act = jax.jit(agent.see), jax.jit(agent.act)

    def step(kind: int, reward: float, seen: float) -> TimeStep:
        rewards = np.array([reward, 0.0], np.float32)
        return TimeStep(kind=np.full(2, kind, np.int8), observation=np.full((2, 1), seen, np.float32), reward=rewards)

    rewards = [0.0, 0.0, 0.0, 0.0, 50.0, 0.0, 0.0]
    for number, reward in enumerate(rewards):
        kind = FIRST if number == 0 else TRUNCATED if number == 6 else MID
        state = see(KEY, state, step(kind, reward, 0.1 * number))[0]
        state = act(KEY, state)[0]
        assert not np.any(np.asarray(state.prompt.known))
    state = see(KEY, state, step(FIRST, 0.0, 0.0))[0]
    # the reward of 50 came after the fourth step; the piece that holds it is the worst
    assert 50.0 in np.asarray(state.prompt.rewards[0])
    assert np.all(np.asarray(state.prompt.known))
    assert not np.isfinite(np.asarray(state.score)).any()
    body, action = act(KEY, state)
    assert action.shape == (2, 1)
    assert body.inner.context.known.shape == (2, 6)
    other = act(KEY, replace(state, prompt=jax.tree.map(np.zeros_like, state.prompt)))[1]
    assert np.abs(np.asarray(action) - np.asarray(other)).max() > 0
    assert not bool(jnp.any(agent.embody(KEY, state, spec).prompt.known))


def test_it_refuses_prompts_that_are_too_long_and_other_learners() -> None:
    with pytest.raises(ValueError, match="prompt=6"):
        replace(SMALL, prompt=6).init(KEY, 1, BOX)
    spec = WorldSpec(name="line", observation=Box(shape=(1,), low=-9.0, high=9.0), action=BOX, task=Box(shape=(1,)), batch=1)
    agent = Prompted(inner=Sequenced(learner=SMALL.inner, memory=Trajectories(bytes=9000, length=6), batch=2))
    with pytest.raises(ValueError, match="MetaDecision"):
        agent.init(KEY, spec)
