"""Pages are filled and submitted, help is weaned off, and instructions are read off what was filled."""

from dataclasses import replace
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours.batch import Batch
from umwelt.behaviours.matching import Matching
from umwelt.core import Feedback, lived
from umwelt.core.contracts import World
from umwelt.memory import Ring
from umwelt.memory.filled import Filled
from umwelt.networks import matched
from umwelt.teachers.weaning import Weaning
from umwelt.worlds.page_form import ANY, Page, PageBody
from umwelt.worlds.stream import rows

KEY = jax.random.key(0)
SMALL = Page(fields=2, values=2, time_limit=5)


def test_the_expert_fills_in_order_and_is_always_paid() -> None:
    page = Page(batch=64)
    state, step = page.init(KEY, rows(page.tasks()["half"], 64))
    taken = jax.jit(page.step)
    returns, over = np.zeros(64), np.zeros(64, bool)
    for index in range(7):
        action = page.expert(KEY, step.observation)
        state, step = taken(jax.random.fold_in(KEY, index), state, action, state.task)
        returns += np.where(over, 0.0, step.reward)
        over |= np.asarray(step.last)
    assert np.all(over)
    assert np.all(returns == 1.0)
    # half of the fields are right from the start
    begun = page.init(KEY, rows(page.tasks()["half"], 64))[0].body
    assert float(jnp.mean(begun.page == begun.instruction)) == pytest.approx(0.5, abs=0.1)


def optimal(shaping: float) -> np.ndarray:
    """Value iteration on the page of 2 x 2 under one instruction: the best actions [9, 5] of each state, as bits."""
    world = replace(SMALL, shaping=shaping, discount=0.9)
    states = list(product((-1, 0, 1), repeat=2))
    table = []
    for page, action in product(states, range(5)):
        body = PageBody(instruction=jnp.array([0, 1]), page=jnp.array(page))
        after, reward, ended = world.advance(KEY, body, jnp.int32(action), world.tasks()["empty"])
        table.append((states.index(tuple(after.page.tolist())), float(reward), float(ended)))
    there, reward, ended = (np.array(column).reshape(9, 5) for column in zip(*table, strict=True))
    values = np.zeros((9, 5))
    for _ in range(100):
        values = reward + 0.9 * (1.0 - ended) * values.max(axis=1)[there]
    return values >= values.max(axis=1, keepdims=True) - 1e-6


def test_a_potential_leaves_the_best_policy_as_it_was() -> None:
    np.testing.assert_array_equal(optimal(0.0), optimal(0.7))


def test_the_world_keeps_the_contract_and_says_what_it_pays() -> None:
    world: World = replace(SMALL, batch=2)
    check.world(world, depth="shapes").raise_if_broken()
    state, before = world.init(KEY, rows(world.tasks()["half"], 2))
    paid: Any = world
    for index, action in enumerate(([0, 3], [1, 2], [4, 4])):
        state, after = world.step(jax.random.fold_in(KEY, index), state, jnp.array(action), state.task)
        np.testing.assert_allclose(paid.reward(before.observation, jnp.array(action), after.observation), after.reward)
        np.testing.assert_array_equal(paid.continues(before.observation, jnp.array(action), after.observation), ~after.last)
        before = after


def test_values_depend_on_what_matches_and_not_on_which_value_it_is() -> None:
    network = matched.stack(KEY, 2, 8)
    seen = lambda instruction, page: matched.values(  # noqa: E731 - used in this test alone
        network, *(jax.nn.one_hot(jnp.array([each]), 3) for each in (instruction, page))
    )[0].reshape(-1)
    one, other = seen([0, 1], [0, ANY]), seen([2, 0], [2, ANY])
    swapped = [2, 1, 0, 4, 3, 5, 6]  # the choices that mean the same under the other instruction
    np.testing.assert_allclose(one, other[jnp.array(swapped)], atol=1e-6)
    assert float(one[0]) != pytest.approx(float(one[1]))
    assert float(one[1]) == pytest.approx(float(one[2])), "two values that are both wrong"


def test_the_learner_finds_that_a_right_page_is_submitted() -> None:
    learner = Matching(fields=2, units=16)
    world = replace(SMALL, batch=64)
    _, step = world.init(KEY, replace(rows(world.tasks()["empty"], 64), done=jnp.linspace(0.3, 1.0, 64)))
    action = jnp.where(jnp.arange(64) % 2 == 0, 4, world.expert(KEY, step.observation))
    features = jnp.concatenate([step.observation[name].reshape(64, -1) for name in ("instruction", "page")], axis=1)
    features = features.astype(jnp.float32)
    reward = world.reward(step.observation, action, step.observation)
    ones = jnp.ones(64)
    batch = Batch(now=features, action=action, reward=reward, continues=0 * ones, after=features, weight=ones)
    state = learner.init(KEY, features.shape[1], world.spec.action)

    def lesson(held: Any, _: None) -> Any:
        return learner.learn(KEY, held, batch)[0], None

    state = jax.jit(lambda state: jax.lax.scan(lesson, state, None, 200)[0])(state)
    values = learner._values(state.network, features)[:, -1]
    right = jnp.all(step.observation["instruction"] == step.observation["page"], axis=(1, 2))
    assert 0 < int(right.sum()) < 64
    assert float(values[right].min()) > 0.7
    assert float(values[~right].max()) < 0.3
    with pytest.raises(ValueError, match="no page"):
        learner.init(KEY, 7, world.spec.action)


def test_an_instruction_is_read_off_the_page_with_its_reward_and_its_end() -> None:
    world = replace(SMALL, batch=2)
    state, step = world.init(KEY, rows(world.tasks()["empty"], 2))
    full = PageBody(instruction=jnp.array([[0, 1], [0, 1]]), page=jnp.array([[1, 1], [1, ANY]]))
    state = replace(state, body=full)
    before = replace(step, observation=jax.vmap(world.observe)(full, state.task))
    action = jnp.array([4, 2])  # submit a wrong page; fill 0 into the second field
    _, after = world.step(KEY, state, action, state.task)
    memory = Filled(memory=Ring(bytes=4000), world=world, share=1.0)
    moment = lived(before, action, after, task=state.task)
    found = memory.sample(KEY, memory.add(KEY, memory.init(moment), moment), (32,))
    submitted = np.asarray(found.action) == 4
    assert np.all(after.reward == 0.0)
    assert np.all(np.asarray(found.next.reward) == submitted)
    assert np.all(np.asarray(found.next.terminated) == submitted)
    asked = np.asarray(world.achieved({"page": found.next.observation["instruction"]}))
    assert np.all(asked[submitted] == [1, 1])
    assert np.all(asked[~submitted] == [1, 0])


def test_help_falls_with_success_alone_and_never_below_none() -> None:
    world = replace(SMALL, batch=4)
    teacher = Weaning(field="done", step=0.4, episodes=4)
    check.teacher(teacher, world.spec.task, world.tasks(), depth="shapes").raise_if_broken()
    state = teacher.init(KEY, world.spec.task, world.tasks())
    ones = jnp.ones(4)
    seen = []
    for returns in (1.0, 0.0, 1.0, 1.0, 1.0):
        tasks = teacher.ask(KEY, state, 4)[1]
        seen.append(round(float(tasks.done[0]), 2))
        feedback = Feedback(finished=ones > 0, returns=returns * ones, length=ones, surprise=ones, doubt=ones)
        state = teacher.tell(KEY, state, tasks, feedback)
    assert seen == [1.0, 0.6, 0.6, 0.2, 0.0]
    late = replace(teacher.ask(KEY, state, 4)[1], done=ones)
    assert float(teacher.tell(KEY, state, late, feedback).tried) == 0.0, "episodes that began with other help do not count"
    with pytest.raises(ValueError, match="field='aid'"):
        Weaning(field="aid").init(KEY, world.spec.task, world.tasks())
