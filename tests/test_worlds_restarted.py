"""Returns are copies of moments, and a shelf keeps the best way to each cell."""

from dataclasses import replace
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours import RandomAgent
from umwelt.core import FIRST, MID, Box, Discrete, TimeStep, WorldSpec, part, spaces
from umwelt.core.contracts import World
from umwelt.teachers.retreat import Retreat
from umwelt.teachers.returning import Returning
from umwelt.worlds import stream
from umwelt.worlds.restarted import Restarted, RestartedState, Tiles
from umwelt.worlds.stream import rows

KEY = jax.random.key(3)
SLOTS = 30
CELLS = Tiles(entries=(0,), low=(-15.0,), high=(15.0,), bins=(SLOTS,))


@part
class Line:
    """Walk on a line whose ground slips; a step to the right pays."""

    batch: int = 1
    time_limit: int = 40

    @property
    def spec(self) -> WorldSpec:
        task = {"pay": Box(low=0.0, high=1.0)}
        return WorldSpec(name="line", observation=Box(shape=(1,)), action=Discrete(n=2), task=task, batch=self.batch)

    def tasks(self) -> Any:
        return {"paid": {"pay": np.float32(1.0)}}

    def begin(self, key: Any, task: Any) -> Any:
        return jnp.zeros(1)

    def advance(self, key: Any, body: Any, action: Any, task: Any) -> Any:
        shift = jnp.where(jax.random.bernoulli(key, 0.2), 0.0, 2.0 * action - 1.0)
        return jnp.clip(body + shift, -14.5, 14.5), task["pay"] * (shift > 0), jnp.bool_(False)

    def observe(self, body: Any, task: Any) -> Any:
        return body

    def init(self, key: Any, task: Any) -> Any:
        return stream.init(self, key, task)

    def step(self, key: Any, state: Any, action: Any, next_task: Any) -> Any:
        return stream.step(self, key, state, action, next_task)


def around(batch: int, limit: int = 40) -> Restarted:
    return Restarted(world=Line(batch=batch, time_limit=limit), cells=CELLS, slots=SLOTS)


@cache
def walked(batch: int, ticks: int, limit: int) -> Any:
    """A random walk from the usual beginning: (world, states, steps, actions, keys), leaves [ticks, ...]."""
    world = around(batch, limit)
    task = rows(world.tasks()["paid"], batch)
    begun, _ = world.init(KEY, task)
    actions = jax.random.bernoulli(KEY, 0.6, (ticks, batch)).astype(jnp.int32)
    keys = jax.random.split(KEY, ticks)

    def tick(state: Any, given: Any) -> Any:
        state, step = world.step(given[0], state, given[1], task)
        return state, (state, step)

    _, (states, steps) = jax.jit(lambda state: jax.lax.scan(tick, state, (keys, actions)))(begun)
    return world, states, steps, actions, keys


@cache
def stepping(world: Restarted) -> Any:
    return jax.jit(world.step)


def test_a_return_is_bit_for_bit_what_was_stored_and_so_are_the_steps_after_it() -> None:
    world, states, steps, actions, keys = walked(1, 60, 200)
    at = lambda tree, index: jax.tree.map(lambda leaf: leaf[index], tree)  # noqa: E731 - used in this test alone
    end = at(states, -1)
    # the newest moment on the shelf that twenty others followed
    cell = int(jnp.argmax(jnp.where(end.shelf.held & (end.shelf.steps < 40), end.shelf.steps, -1)))
    moment = int(end.shelf.steps[cell]) - 1
    ended = replace(end, inner=replace(end.inner, kind=jnp.full(1, 3, jnp.int8)))
    start = replace(rows(world.tasks()["paid"], 1), start=jnp.full(1, cell + 1, jnp.int32))
    step = stepping(world)
    state, shown = step(KEY, ended, actions[0], start)
    assert int(shown.kind[0]) == FIRST
    assert float(shown.reward[0]) == 0.0
    np.testing.assert_array_equal(shown.observation, steps.observation[moment])
    for leaf, then in zip(jax.tree.leaves(state.inner.body), jax.tree.leaves(at(states.inner.body, moment)), strict=True):
        np.testing.assert_array_equal(leaf, then)
    assert int(state.inner.age[0]) == 0
    assert int(state.steps[0]) == moment + 1
    for index in range(moment + 1, moment + 21):
        state, shown = step(keys[index], state, actions[index], start)
        np.testing.assert_array_equal(shown.observation, steps.observation[index])
        assert int(shown.kind[0]) == MID


def test_a_score_never_falls_and_a_way_never_grows_at_an_equal_score() -> None:
    _, states, _, _, _ = walked(1, 60, 200)
    shelf = states.shelf
    before = jax.tree.map(lambda leaf: np.asarray(leaf[:-1]), shelf)
    after = jax.tree.map(lambda leaf: np.asarray(leaf[1:]), shelf)
    held = before.held
    assert np.all(after.held[held])
    assert np.all(after.score[held] >= before.score[held])
    same = held & (after.score == before.score)
    assert np.all(after.steps[same] <= before.steps[same])
    assert int(shelf.visits[-1].sum()) == 61
    assert np.all(shelf.visits[-1][shelf.held[-1]] > 0)


def test_of_rows_in_one_cell_the_best_is_kept() -> None:
    world = around(4)
    cell, score = jnp.array([7, 7, 7, 2]), jnp.array([1.0, 2.0, 2.0, 0.0])
    best = world._best(jnp.array([True, True, True, False]), cell, score, jnp.array([1, 9, 5, 1]))
    assert best.tolist() == [False, False, True, False]


def test_a_chain_leads_back_to_the_beginning_and_turns_in_no_circle() -> None:
    world, states, _, _, _ = walked(1, 60, 200)
    shelf = jax.tree.map(lambda leaf: leaf[-1], states.shelf)
    parent = jnp.full(SLOTS, -1, jnp.int32).at[jnp.array([3, 2, 1, 8, 9])].set(jnp.array([2, 1, 0, 9, 8]))
    shelf = replace(shelf, parent=parent)
    assert world.chain(shelf, 3, 6).tolist() == [3, 2, 1, 0, -1, -1]
    assert world.chain(shelf, 8, 4).tolist() == [8, 9, -1, -1]


def test_an_empty_place_begins_as_usual_and_a_hosted_world_is_refused() -> None:
    world, states, _, actions, _ = walked(1, 60, 200)
    end: RestartedState = jax.tree.map(lambda leaf: leaf[-1], states)
    ended = replace(end, inner=replace(end.inner, kind=jnp.full(1, 3, jnp.int8)))
    empty = int(jnp.argmin(end.shelf.held)) + 1
    tasks = [replace(rows(world.tasks()["paid"], 1), start=jnp.full(1, each, jnp.int32)) for each in (0, empty)]
    (_, usual), (_, other) = (stepping(world)(KEY, ended, actions[0], task) for task in tasks)
    np.testing.assert_array_equal(usual.observation, other.observation)

    class Outside:
        spec = WorldSpec(name="outside", observation=Box(), action=Box(), task=Box(), hosted=True)

    with pytest.raises(TypeError, match="copies states"):
        _ = Restarted(world=Outside(), cells=CELLS, slots=SLOTS).spec


def test_the_world_and_its_teachers_keep_their_contracts() -> None:
    world: World = around(2)
    check.world(world, depth="shapes").raise_if_broken()
    space, named = world.spec.task, world.tasks()
    start = Box(low=1, high=SLOTS, dtype="int32")
    check.teacher(Returning(), space, named, achieved=start, depth="shapes").raise_if_broken()
    check.teacher(Retreat(starts=(5, 4), episodes=2), space, named, achieved=start, depth="shapes").raise_if_broken()
    for teacher in (Returning(), Retreat()):
        with pytest.raises(ValueError, match="Restarted"):
            teacher.init(KEY, Line().spec.task, Line().tasks())


def test_a_place_is_chosen_by_how_seldom_it_was_seen_or_by_a_judge() -> None:
    world = around(1)
    teacher = Returning()
    state = teacher.init(KEY, world.spec.task, world.tasks())
    state = replace(state, seen=state.seen.at[3].set(3).at[5].set(8))
    weights = teacher.weights(KEY, state)
    assert float(weights[3] / weights[5]) == pytest.approx(1.5)
    assert float(weights.sum()) == pytest.approx(float(weights[3] + weights[5]))
    _, tasks = teacher.ask(KEY, state, 2000)
    assert float(jnp.mean(tasks.start == 3)) == pytest.approx(0.6, abs=0.04)
    # a judge with one opinion of all is the even choice, with the same draws
    even, judged = Returning(power=0.0), Returning(judge=lambda key, starts: jnp.full(starts.shape, 7.0))
    np.testing.assert_array_equal(even.ask(KEY, state, 50)[1].start, judged.ask(KEY, state, 50)[1].start)
    blind = Returning(judge=lambda key, starts: jnp.zeros(starts.shape))
    np.testing.assert_array_equal(even.ask(KEY, state, 50)[1].start, blind.ask(KEY, state, 50)[1].start)


def test_an_action_is_held_for_a_geometric_time_and_an_episode_draws_its_own() -> None:
    spec = WorldSpec(name="plain", observation=Box(shape=(1,)), action=Box(shape=(1,), low=-1.0, high=1.0), task=Box(), batch=400)
    step = TimeStep(kind=jnp.full(400, MID, jnp.int8), observation=jnp.zeros((400, 1)), reward=jnp.zeros(400))

    agent = RandomAgent(hold=5.0)

    def changes(kind: int) -> float:
        def tick(held: Any, key: Any) -> Any:
            state, last = held
            state, _ = agent.see(key, state, replace(step, kind=jnp.full(400, kind, jnp.int8)))
            state, action = agent.act(key, state)
            return (state, action), jnp.mean(action != last)

        begun = agent.init(KEY, spec)
        return float(jax.lax.scan(tick, (begun, jnp.zeros((400, 1))), jax.random.split(KEY, 50))[1][1:].mean())

    assert changes(MID) == pytest.approx(0.2, abs=0.01)
    assert changes(FIRST) == 1.0
    plain = RandomAgent().act(KEY, RandomAgent().init(KEY, spec))[1]
    np.testing.assert_array_equal(plain, spaces.sample(KEY, spec.action, 400))
    with pytest.raises(ValueError, match="hold"):
        RandomAgent(hold=0.5).init(KEY, spec)
    check.agent(RandomAgent(hold=3.0), depth="shapes").raise_if_broken()
