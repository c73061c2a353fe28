"""The agent of histories: what it reads in life is what it learns from, plans are done in order, and returns fall."""

import itertools
from dataclasses import replace
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours import histories
from umwelt.behaviours.behaviour_transformer import BeT
from umwelt.behaviours.decision import DecisionTransformer
from umwelt.behaviours.sequenced import Sequenced
from umwelt.check.agent import SPEC
from umwelt.core import FIRST, MID, SHOWN, TRUNCATED, WATCHED, Box, TimeStep, WorldSpec, lived, part, struct
from umwelt.memory import Trajectories
from umwelt.networks import policies
from umwelt.networks.codes import KMeans
from umwelt.worlds import Announced, Crossing

KEY = jax.random.key(0)
ROWS = 2
ROOM = WorldSpec(name="line", observation=Box(shape=(1,)), action=Box(shape=(1,), low=-2.0, high=2.0), task={}, batch=ROWS)


@struct
class Weights:
    """policy: float32 [], how many updates there were."""

    policy: jax.Array


@part
class Planning:
    """Plans the newest feature and its half, each with a thousandth of the updates that it had."""

    context: int = 3
    chunk: int = 2
    length: int = 3
    metrics = ()
    reads_to_come = True

    def init(self, key: jax.Array, width: int, action: Any) -> Weights:
        return Weights(policy=jnp.zeros(()))

    def act(self, key: jax.Array, state: Any, features: Any, mode: str, open: Any = None) -> jax.Array:
        newest = features.features[:, -1:]
        return jnp.concatenate([newest, newest / 2], axis=1) + 0.001 * state.policy

    def learn(self, key: jax.Array, state: Weights, batch: Any) -> Any:
        return Weights(policy=state.policy + 1.0), {}


def step(kind: int, *features: float, reward: float = 0.0) -> TimeStep:
    seen = np.float32(features)[:, None]
    return TimeStep(kind=np.full(ROWS, kind, np.int8), observation=seen, reward=np.full(ROWS, reward, np.float32))


def agent(**fields: Any) -> Sequenced:
    return Sequenced(learner=Planning(), memory=Trajectories(bytes=10_000, length=3), batch=4, **fields)


see = jax.jit(lambda part, state, now: part.see(KEY, state, now)[0], static_argnums=0)
remember = jax.jit(lambda part, state, made: part.remember(KEY, state, made)[0], static_argnums=0)
turn = jax.jit(lambda part, state, now: part.act(KEY, part.see(KEY, state, now)[0]), static_argnums=0)
begun = lru_cache(lambda part: part.init(KEY, ROOM))


@pytest.mark.parametrize(
    ("learner", "spec"),
    [
        (BeT(codes=KMeans(number=4, gather=1, kept=16, iterations=1), window=3, chunk=2, width=16), None),
        (DecisionTransformer(context=3, width=16, tells=("action", "state", "return"), regions=3), SPEC),
    ],
)
def test_agents_keep_the_contract(learner: Any, spec: Any) -> None:
    # the first compiles its whole life; the second differs in what it learns from alone
    whole = spec is None
    found = Sequenced(learner=learner, memory=Trajectories(bytes=100_000, length=8), batch=4)
    check.agent(found, spec, depth="values" if whole else "shapes").raise_if_broken()


def test_plans_are_done_in_order_and_dropped_where_an_episode_begins() -> None:
    part = agent()
    state, done = begun(part), []
    for now in (step(FIRST, 0.4, 0.8), step(MID, 9.0, 9.0), step(MID, 0.2, 0.6), step(FIRST, 0.1, 0.3)):
        state, action = turn(part, state, now)
        done.append(np.asarray(action)[:, 0].tolist())
    # units of a Box [-2, 2] are its halves; the plan of the third step is dropped by the fourth
    np.testing.assert_allclose(done, [[0.8, 1.6], [0.4, 0.8], [0.4, 1.2], [0.2, 0.6]], rtol=1e-5)
    single = agent(chunk=1)
    state = turn(single, begun(single), step(FIRST, 0.4, 0.8))[0]
    action = np.asarray(turn(single, state, step(MID, 0.2, 3.0))[1])
    np.testing.assert_allclose(action[:, 0], [0.4, 2.0], rtol=1e-5)


def test_a_history_is_forgotten_where_an_episode_begins_and_keeps_what_was_done() -> None:
    part = agent()
    state = begun(part)
    for now in (step(FIRST, 0.4, 0.4), step(MID, 0.5, 0.5, reward=2.0)):
        state, _ = turn(part, state, now)
    held = jax.tree.map(np.asarray, state.context)
    assert held.known[0].tolist() == [False, True, True]
    np.testing.assert_allclose(held.features[0, 1:, 0], [0.4, 0.5])
    np.testing.assert_allclose(held.actions[0, 1:, 0], [0.4, 0.2])
    assert held.rewards[0].tolist() == [0.0, 2.0, 0.0]
    state = see(part, state, step(FIRST, 0.1, 0.1))
    assert np.asarray(state.context.known)[0].tolist() == [False, False, True]


def test_the_largest_return_that_was_shown_is_asked_for_and_falls_by_each_reward() -> None:
    part = agent()
    state = begun(part)
    first, second = step(FIRST, 0.0, 0.0), step(MID, 0.1, 0.1, reward=1.0)
    zeros = np.zeros((ROWS, 1), np.float32)
    made = lived(first, zeros, second)
    for total, origin in (((3.0, 7.0), SHOWN), ((50.0, np.nan), 0)):
        origins = np.full(ROWS, origin, np.int8)
        state = remember(part, state, replace(made, origin=origins, to_come=np.float32(total)))
    # rewards to come from the middle of an episode are no return
    late = replace(made, step=second, next=second, origin=np.full(ROWS, SHOWN, np.int8), to_come=np.full(ROWS, 99.0, np.float32))
    state = remember(part, state, late)
    wanted = []
    for now in (first, second, step(MID, 0.2, 0.2, reward=-2.0), first):
        state = see(part, state, now)
        wanted.append(float(np.asarray(state.context.wanted)[0, -1]))
    assert wanted == [7.0, 6.0, 8.0, 7.0]
    fixed = agent(wanted=2.5)
    assert float(np.asarray(see(fixed, begun(fixed), first).context.wanted)[0, -1]) == 2.5


def test_what_is_learned_from_is_what_is_read_in_life() -> None:
    part, world = agent(), ROOM
    state, memory = begun(part), begun(part).memory
    steps = [
        step(FIRST, 0.1, 0.2),
        step(MID, 0.3, 0.4, reward=1.0),
        step(MID, 0.5, 0.6, reward=2.0),
        step(TRUNCATED, 0, 0, reward=4.0),
    ]
    actions, contexts = [], []
    for now in steps:
        state, action = turn(part, state, now)
        actions.append(action)
        contexts.append(jax.tree.map(np.asarray, state.context))
    read, add = contexts[2], jax.jit(part.memory.add)
    for index in range(3):
        to_come = np.full(ROWS, sum(each.reward[0] for each in steps[index + 1 :]), np.float32)
        made = replace(lived(steps[index], actions[index], steps[index + 1]), to_come=to_come)
        memory = add(KEY, memory, replace(made, task={}))

    @jax.jit
    def sampled(memory: Any) -> Any:
        return histories.of(KEY, state.seen, policies.over(world.action), part.memory.sample(KEY, memory, (64, 3)), False)

    batch = jax.tree.map(np.asarray, sampled(memory))
    row = int(np.argmin(np.abs(batch.context.features[:, 0, 0] - 0.1)))
    np.testing.assert_allclose(batch.context.features[row], read.features[0])
    np.testing.assert_allclose(batch.context.actions[row], read.actions[0], atol=1e-6)
    np.testing.assert_allclose(batch.context.rewards[row][:2], read.rewards[0][:2])
    np.testing.assert_array_equal(batch.context.known[row], read.known[0])
    np.testing.assert_allclose(batch.context.wanted[row], [7.0, 6.0, 4.0])
    np.testing.assert_allclose(batch.wanted_after[row], [6.0, 4.0, 0.0])


def test_of_two_episodes_in_one_stretch_one_is_known_and_watched_actions_are_not() -> None:
    kinds = np.array([[MID, TRUNCATED, FIRST, MID]])
    after = np.array([[TRUNCATED, FIRST, MID, MID]])
    shape = (1, 4)

    def steps(kind: Any) -> TimeStep:
        ones = np.ones(shape, np.float32)
        return TimeStep(kind=np.asarray(kind, np.int8), observation=5 * ones[..., None], reward=ones)

    made = lived(steps(kinds), np.ones((*shape, 1), np.float32), steps(after))
    watched = replace(made, origin=np.array([[0, 0, WATCHED, 0]], np.int8))
    state, found = begun(agent()), {}
    read = jax.jit(lambda seed: histories.of(jax.random.key(seed), state.seen, policies.over(ROOM.action), watched, False))
    for seed in range(12):
        batch = jax.tree.map(np.asarray, read(seed))
        found[tuple(batch.context.known[0].tolist())] = batch
        assert not np.any(batch.returned)
    assert set(found) == {(True, False, False, False), (False, False, True, True)}
    batch = found[False, False, True, True]
    assert batch.acted[0].tolist() == [False, False, False, True]
    assert batch.context.actions[0, :, 0].tolist() == [0.0, 0.0, 0.0, 0.5]
    assert batch.context.features[0, :, 0].tolist() == [0.0, 0.0, 5.0, 5.0]


def test_units_are_measured_in_the_first_lessons_and_then_frozen() -> None:
    part = agent(lessons=2)
    state = begun(part)
    drawn = np.random.default_rng(0).normal(3.0, 2.0, 200).astype(np.float32)
    steps = [step(MID, value, value) for value in drawn]
    for before, after in itertools.pairwise(steps):
        to_come = np.full(ROWS, before.observation[0, 0] * 10)
        made = replace(lived(before, np.zeros((ROWS, 1), np.float32), after, task={}), to_come=to_come)
        state = remember(part, state, made)
    part = replace(part, batch=64)
    learn, means = jax.jit(part.learn), []
    for index in range(4):
        state, _ = learn(jax.random.fold_in(KEY, index), state)
        means.append(float(state.units.mean[0]))
    assert means[1] == means[2] == means[3] != means[0]
    assert means[3] == pytest.approx(drawn.mean(), abs=0.5)
    assert float(state.units.deviation[0]) == pytest.approx(2.0, abs=0.5)
    assert float(state.returns.deviation[0]) == pytest.approx(20.0, abs=5.0)


def test_a_goal_is_an_observation_of_which_some_entries_are_shown() -> None:
    part = Sequenced(learner=BeT(goal="future"), memory=Trajectories(bytes=1_000_000, length=64), batch=2)
    world = Announced(world=Crossing(batch=ROWS), only=("goal",))
    gates = jax.tree.map(lambda *leaves: jnp.stack(leaves), *[world.tasks()[name] for name in ("left", "right")])
    state = jax.eval_shape(lambda: part.init(KEY, world.spec))
    assert state.context.features.shape == (ROWS, 10, 2)
    small = replace(part, learner=BeT(goal="future", window=2, width=8, ahead=3, codes=KMeans(number=1, gather=1, kept=2)))
    state = small.see(KEY, small.init(KEY, world.spec), world.init(KEY, gates)[1])[0]
    np.testing.assert_allclose(state.context.goal, [[-0.67, 1.0], [0.67, 1.0]], atol=1e-6)
    for wrong, wording in (({"entries": (0,)}, "entries"), ({"entries": (0, 5)}, "entries")):
        with pytest.raises(ValueError, match=wording):
            replace(small, **wrong).init(KEY, world.spec)
    with pytest.raises(ValueError, match="shows no goal"):
        small.init(KEY, Crossing().spec)


def test_a_plan_shorter_than_the_actions_that_are_to_be_done_is_refused() -> None:
    with pytest.raises(ValueError, match="chunk=3"):
        agent(chunk=3).init(KEY, ROOM)


def test_probes_act_by_the_running_mean_of_the_policy() -> None:
    part = replace(agent(average=0.75), batch=1)
    state = begun(part)
    for before, after in itertools.pairwise([step(FIRST, 0.4, 0.4), *[step(MID, 0.4, 0.4)] * 4]):
        made = lived(before, np.zeros((ROWS, 1), np.float32), after, task={})
        state = remember(part, state, replace(made, to_come=np.zeros(ROWS, np.float32)))
    learn = jax.jit(part.learn)
    for _ in range(2):
        state, _ = learn(KEY, state)
    # after updates to 1 and 2: 0.75 * 0.25 + 0.25 * 2
    np.testing.assert_allclose(state.mean, 0.6875)
    state = see(part, state, step(FIRST, 0.4, 0.4))
    zero = float(((0.4 - state.units.mean) / state.units.deviation)[0])
    for action, policy in ((part.act(KEY, state, "exploit")[1], 0.6875), (part.act(KEY, state, "explore")[1], 2.0)):
        np.testing.assert_allclose(action[:, 0], np.clip(2 * (zero + 0.001 * policy), -2.0, 2.0), atol=1e-6)
