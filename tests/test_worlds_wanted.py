"""Worlds with goals, legs of an episode, hindsight, and how much of a world was visited."""

from dataclasses import replace
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.core import FIRST, MID, TERMINATED, TRUNCATED, Box, TimeStep, WorldSpec, capability, lived, part
from umwelt.evaluation.coverage import area, distinct, shift, visited_by, visits
from umwelt.memory import Trajectories
from umwelt.memory.hindsight import Hindsight
from umwelt.networks.cells import cells_of
from umwelt.networks.later import later_moment
from umwelt.worlds import Announced, Pendulum, PointMaze, stream
from umwelt.worlds.legs import Legs
from umwelt.worlds.point_maze import SNAKE, TRAP
from umwelt.worlds.wanted import Wanted, WantedTask, announcing_goals


@part
class Line:
    """A walker on a line of whole numbers, from 0; an action above zero is one step to the right. Truncated after 5."""

    batch: int = 1
    time_limit: int = 5

    @property
    def spec(self) -> WorldSpec:
        space, task = Box(shape=(2,), low=(0.0, -1.0), high=(9.0, 1.0)), Box(low=0.0, high=1.0)
        return WorldSpec(name="line", observation=space, action=Box(shape=(1,), low=-1.0, high=1.0), task=task, batch=self.batch)

    def tasks(self) -> dict[str, Any]:
        return {"only": np.float32(0.5)}

    def begin(self, key: Any, task: Any) -> Any:
        return jnp.float32(0.0)

    def advance(self, key: Any, body: Any, action: Any, task: Any) -> Any:
        return body + jnp.where(action[0] > 0, 1.0, -0.0), jnp.float32(7.0), jnp.bool_(False)

    def observe(self, body: Any, task: Any) -> Any:
        return jnp.stack([body, jnp.float32(0.5)])

    def init(self, key: Any, task: Any) -> Any:
        return stream.init(self, key, task)

    def step(self, key: Any, state: Any, action: Any, next_task: Any) -> Any:
        return stream.step(self, key, state, action, next_task)


def goal(*places: float) -> WantedTask:
    return WantedTask(inner=jnp.full(len(places), 0.5), goal=jnp.array(places, jnp.float32)[:, None])


def walked(world: Any, tasks: list[WantedTask]) -> tuple[list[int], list[float], list[float]]:
    """Kinds, places and rewards of row 0 on the way to the right; the next task of each step is given."""
    state, step = world.init(jax.random.key(0), tasks[0])
    kinds, places, rewards = [int(step.kind[0])], [float(step.observation[0, 0])], [0.0]
    go = jax.jit(world.step)
    for task in tasks[1:]:
        state, step = go(jax.random.key(1), state, jnp.ones((1, 1)), task)
        kinds.append(int(step.kind[0]))
        places.append(float(step.observation[0, 0]))
        rewards.append(float(step.reward[0]))
    return kinds, places, rewards


def test_a_goal_pays_and_the_episode_goes_on_or_ends_there():
    stays = walked(Wanted(world=Line(), entries=(0,)), [goal(2.0)] * 7)
    assert stays == ([0, 1, 1, 1, 1, 3, 0], [0, 1, 2, 3, 4, 5, 0], [0, 0, 1, 0, 0, 0, 0])
    ends = walked(Wanted(world=Line(), entries=(0,), ends=True), [goal(2.0)] * 3 + [goal(1.0)] * 3)
    assert ends == ([FIRST, MID, TERMINATED, FIRST, TERMINATED, FIRST], [0, 1, 2, 0, 1, 0], [0, 0, 1, 0, 1, 0])


def test_wanted_keeps_the_contract_and_refuses_what_it_cannot_do():
    world = Wanted(world=Line(batch=2), entries=(0,), radius=0.5, ends=True, goals=(("near", (2.0,)),))
    umwelt.check.world(world, depth="shapes").raise_if_broken()
    assert float(world.tasks()["near"].goal[0]) == 2.0
    assert Wanted(world=Line(), entries=(0,)).tasks()["middle"].goal.tolist() == [4.5]
    with pytest.raises(ValueError, match="entries"):
        _ = Wanted(world=Line(), entries=(5,)).spec

    class Hosted(Line):
        @property
        def spec(self) -> WorldSpec:
            return replace(super().spec, hosted=True)

    with pytest.raises(ValueError, match="world: line is hosted"):
        _ = Wanted(world=Hosted()).spec


def test_the_known_reward_and_end_are_those_of_the_world():
    world = Wanted(world=Line(), entries=(0,), ends=True)
    rows = jnp.array([[1.0, 0.5], [2.0, 0.5]])
    np.testing.assert_array_equal(world.reward(rows, None, rows, goal(2.0, 2.0)), [0.0, 1.0])
    np.testing.assert_array_equal(world.continues(rows, None, rows, goal(2.0, 2.0)), [1.0, 0.0])
    np.testing.assert_array_equal(world.achieved(rows), [[1.0], [2.0]])


def test_a_leg_ends_at_its_goal_or_its_time_and_the_world_inside_stands_still():
    legs = Legs(world=Wanted(world=Line(), entries=(0,)), length=2)
    tasks = [goal(1.0), goal(1.0), goal(9.0), goal(9.0), goal(9.0), *[goal(4.0)] * 5]
    kinds, places, rewards = walked(legs, tasks)
    # reached at 1; a leg of two that misses 9; the world ends at 5 by its own limit, or the leg at its goal, 4
    assert kinds == [FIRST, TERMINATED, FIRST, MID, TRUNCATED, FIRST, TERMINATED, FIRST, TRUNCATED, FIRST]
    assert places == [0, 1, 1, 2, 3, 3, 4, 4, 5, 0]
    assert rewards == [0, 1, 0, 0, 0, 0, 1, 0, 0, 0]
    umwelt.check.world(Legs(world=Wanted(world=Line(batch=2), entries=(0,)), length=3), steps=40).raise_if_broken()
    with pytest.raises(ValueError, match="ends=False"):
        _ = Legs(world=Wanted(world=Line(), ends=True)).spec


def test_an_announced_world_shows_only_the_fields_that_are_named():
    world = Announced(world=PointMaze(batch=2), only=("goal",))
    umwelt.check.world(world, depth="shapes").raise_if_broken()
    task = world.tasks()["east"]
    _, step = world.init(jax.random.key(0), jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), task))
    assert set(step.observation["task"]) == {"goal"}
    shown = world.task_of(step.observation)
    np.testing.assert_allclose(shown.goal, np.stack([task.goal] * 2), atol=1e-5)
    np.testing.assert_array_equal(shown.doors, np.ones((2, 4)))
    other = world.posed(step.observation, jnp.array([[1.5, 7.5], [2.5, 2.5]]))
    np.testing.assert_allclose(world.task_of(other).goal, [[1.5, 7.5], [2.5, 2.5]], atol=1e-5)
    with pytest.raises(ValueError, match="no field called door"):
        _ = Announced(world=PointMaze(), only=("door",)).spec


def test_a_world_without_goals_gets_its_observation_as_goal():
    assert isinstance(announcing_goals(Pendulum()).world, Wanted)
    assert announcing_goals(WORLD) == WORLD
    assert capability(announcing_goals(Pendulum()), "achieved") is not None


WORLD = Announced(world=Wanted(world=Line(batch=2), entries=(0,), ends=True), only=("goal",))


MEMORY = Hindsight(memory=Trajectories(bytes=20_000, length=4, across=True), world=WORLD, share=1.0, horizon=4)
SAMPLE = jax.jit(MEMORY.sample, static_argnums=2)


@cache
def story() -> Any:
    """Two rows of the line, 12 ticks: goal 3 is reached by row 0 and missed by row 1, whose walk is truncated."""
    memory = MEMORY
    task = goal(3.0, 9.0)
    state, step = WORLD.init(jax.random.key(0), task)
    held, go, add = None, jax.jit(WORLD.step), jax.jit(memory.add)
    for _ in range(12):
        state, next = go(jax.random.key(1), state, jnp.ones((2, 1)), task)
        moment = lived(step, jnp.ones((2, 1)), next, task=state.task)
        held = memory.init(moment) if held is None else held
        held, step = add(jax.random.key(2), held, moment), next
    return memory, held


def test_relabelled_rewards_and_ends_follow_the_goal_that_is_shown():
    _, held = story()
    found = SAMPLE(jax.random.key(3), held, (400,))
    keep = np.asarray(found.valid)
    goals = np.asarray(WORLD.task_of(found.step.observation).goal)[keep, 0]
    places = np.asarray(found.next.observation["seen"])[keep, 0]
    hit = np.abs(goals - places) < 0.1
    np.testing.assert_array_equal(np.asarray(found.next.reward)[keep], hit)
    np.testing.assert_array_equal(np.asarray(found.next.kind)[keep] == TERMINATED, hit)
    np.testing.assert_allclose(np.asarray(found.task.goal)[keep, 0], goals, atol=1e-5)
    # a goal is met now or later, never before; the last moment of an episode is among them; a truncation stays one
    assert np.all(goals >= places - 1e-4)
    assert {float(round(each)) for each in goals} >= {3.0, 5.0}
    truncated = np.asarray(found.next.kind)[keep] == TRUNCATED
    assert np.all(places[truncated] == 5.0)


def test_no_goal_is_taken_from_behind_a_seam_and_share_0_changes_nothing():
    valid = jnp.array([[True, True, False, True, True]] * 300)
    later = np.asarray(later_moment(jax.random.key(0), valid, jnp.zeros(300, jnp.int32)))
    assert set(later) == {0, 1}
    memory, held = story()
    plain = jax.jit(replace(memory, share=0.0).sample, static_argnums=2)(jax.random.key(3), held, (200,))
    goals = np.asarray(WORLD.task_of(plain.step.observation).goal)
    assert {float(round(each)) for each in goals[np.asarray(plain.valid), 0]} == {3.0, 9.0}
    umwelt.check.memory(memory, example=jax.tree.map(lambda leaf: leaf[:2], plain), depth="shapes").raise_if_broken()
    with pytest.raises(ValueError, match="share=2"):
        replace(memory, share=2.0).init(plain)
    with pytest.raises(ValueError, match="world: it does not show"):
        replace(memory, world=WORLD.world).init(plain)


def test_an_empty_memory_gives_rows_that_are_not_valid():
    memory, held = story()
    step = TimeStep(kind=jnp.zeros(2, jnp.int8), observation=WORLD.init(jax.random.key(0), goal(1.0, 1.0))[1].observation,
                    reward=jnp.zeros(2))  # fmt: skip
    empty = memory.init(lived(step, jnp.zeros((2, 1)), step, task=goal(1.0, 1.0)))
    found = SAMPLE(jax.random.key(3), empty, (400,))
    assert not np.any(found.valid)
    assert int(memory.count(empty)) == 0 < int(memory.count(held))
    assert int(memory.held(held)) > 0


def test_in_the_snake_the_far_end_is_38_steps_away_and_the_trap_is_open_at_the_start():
    snake, trap = PointMaze(layout=SNAKE), PointMaze(layout=TRAP)
    far = np.asarray(snake._steps_from(snake.tasks()["south"]))
    assert far[2, 2] == far[np.isfinite(far)].max() == 38
    steps = np.asarray(trap._steps_from(trap.tasks()["east"]))
    assert np.isfinite(steps).sum() == 36


def test_coverage_counts_cells_once():
    cells = jnp.array([0, 1, 1, 3, 0])
    curve = visited_by(cells, 4)
    assert curve.tolist() == [1, 2, 2, 3, 3]
    assert float(area(curve, 4)) == pytest.approx(11 / 20)
    assert visited_by(jnp.array([[0, 1], [1, 2]]), 4).tolist() == [2, 3]
    assert distinct(cells, jnp.array([0, 0, 1, 1, 1]), 2, 4).tolist() == [2, 3]
    assert visits(cells, 4).tolist() == [2, 2, 0, 1]
    places = jnp.array([[0.5, 0.5], [1.5, 0.5], [0.5, 1.5], [9.0, 9.0]])
    assert cells_of(places, (0.0, 0.0), (2.0, 3.0), (2, 3)).tolist() == [0, 3, 1, 5]
    assert float(shift(visits(cells, 4), visits(cells, 4))) == 0.0
    assert float(shift(jnp.array([2.0, 0.0]), jnp.array([0.0, 5.0]))) == 1.0
