"""Agents that head for goals: contrastive, and with goals of their own."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.behaviours.autotelic import Autotelic
from umwelt.behaviours.batch import Batch
from umwelt.behaviours.contrastive import Contrastive
from umwelt.core import FIRST, MID, TimeStep, lived, part
from umwelt.curiosity.faraway import Faraway
from umwelt.memory import Trajectories
from umwelt.worlds import Announced, Cartpole, Pendulum, PointMaze
from umwelt.worlds.point_maze import SNAKE
from umwelt.worlds.wanted import announcing_goals

MAZE = Announced(world=PointMaze(batch=2, time_limit=20), only=("goal",))
MEMORY = Trajectories(bytes=20_000, length=4, across=True)
CONTRAST = Contrastive(memory=MEMORY, units=16, size=8, horizon=4, batch=16, learning_rate=3e-3)
KEY = jax.random.key(0)


@part
class Stones:
    """Two subgoals, at 0.2 and 0.4 along the first entry; reached within 0.05. Its state counts lessons."""

    metrics = ()
    ends = True

    def init(self, key: Any, width: int, actions: int) -> Any:
        return jnp.int32(0)

    def choose(self, key: Any, state: Any, seen: Any) -> Any:
        stones = jnp.array([0.2, 0.4])[None, :, None]
        return jnp.broadcast_to(stones, (seen.shape[0], 2, seen.shape[1]))

    def near(self, state: Any, now: Any, after: Any, goal: Any) -> Any:
        hit = jnp.abs(after[:, 0] - goal[:, 0]) < 0.05
        return hit - 1.0, hit

    def bonus(self, state: Any, after: Any) -> Any:
        return after[:, 0]

    def learn(self, key: Any, state: Any, seen: Any, done: Any, valid: Any) -> Any:
        return state + 1, {}


@part
class Push:
    """Pushes by the last number that it reads, times `scale`; its state is the last batch that it learned from."""

    scale: float = 1.0
    discount = 0.9
    protection = None
    metrics = ()

    def init(self, key: Any, width: int, action: Any) -> Any:
        rows, none = jnp.zeros((8, width)), jnp.zeros(8)
        done = jnp.zeros((8, *action.shape))
        return Batch(now=rows, action=done, reward=none, continues=none, after=rows, weight=none)

    def act(self, key: Any, state: Any, features: Any, mode: Any, open: Any = None) -> Any:
        return self.scale * jnp.broadcast_to(features[:, -1:], (features.shape[0], state.action.shape[1]))

    def learn(self, key: Any, state: Any, batch: Batch) -> Any:
        return batch, {}


OWN = Autotelic(learner=Push(), goals=Stones(), memory=MEMORY, leg=3, rest=2, batch=8, horizon=4)

SEE = jax.jit(OWN.see)
BEGUN = OWN.init(KEY, Pendulum().spec)


def step(place: float, kind: int = MID) -> TimeStep:
    """A step of the pendulum whose first entry is `place`."""
    observation = jnp.array([[place, 0.0, 0.0]])
    return TimeStep(kind=jnp.full(1, kind, jnp.int8), observation=observation, reward=jnp.zeros(1))


def test_a_leg_goes_from_stone_to_stone_then_rests_then_begins_again():
    state, told = BEGUN, []
    for place, kind in ((0.0, FIRST), (0.2, MID), (0.3, MID), (0.4, MID), (0.9, MID), (0.9, MID), (0.0, MID), (0.0, FIRST)):
        state, _ = SEE(KEY, state, step(place, kind))
        told.append((int(state.at[0]), bool(state.resting[0])))
    assert told == [(0, False), (1, False), (1, False), (2, True), (2, True), (0, False), (0, False), (0, False)]


def test_a_leg_that_takes_too_long_rests_too_and_subgoals_may_be_skipped():
    state, _ = SEE(KEY, BEGUN, step(0.0, FIRST))
    for _ in range(3):
        assert not state.resting[0]
        state, _ = SEE(KEY, state, step(0.4))
    assert bool(state.resting[0])
    state, _ = SEE(KEY, BEGUN, step(0.0, FIRST))
    state, _ = jax.jit(replace(OWN, ahead=2).see)(KEY, state, step(0.4))
    assert int(state.at[0]) == 2


def test_at_rest_the_explorer_acts_and_in_a_probe_the_announced_goal_is_sought():
    agent = replace(OWN, explorer=Push(scale=10.0))
    state = replace(agent.init(KEY, MAZE.spec), seen=jnp.full((2, 4), 0.07), given=jnp.full((2, 2), 0.5))
    resting, going = (replace(state, route=state.route + 0.4, resting=jnp.full(2, each)) for each in (True, False))
    np.testing.assert_allclose(agent.act(KEY, going)[1], 0.4, rtol=1e-5)
    np.testing.assert_allclose(agent.act(KEY, resting)[1], 0.7, rtol=1e-5)
    np.testing.assert_allclose(agent.act(KEY, resting, "exploit")[1], 0.5, rtol=1e-5)


def test_a_goal_that_the_world_announces_is_read_in_the_units_of_what_is_seen():
    tasks = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), MAZE.tasks()["far"])
    _, step = MAZE.init(KEY, tasks)
    state, _ = jax.jit(OWN.see)(KEY, OWN.init(KEY, MAZE.spec), step)
    np.testing.assert_allclose(state.given[0], [2 * 7.5 / 9 - 1] * 2, atol=1e-5)
    np.testing.assert_allclose(state.seen[0, :2], 2 * step.observation["seen"][0, :2] / 9 - 1, atol=1e-5)


def life(agent: Any, world: Any, task: str, ticks: int = 30) -> Any:
    """The agent's state after some random ticks, and the last step."""
    spec = world.spec
    tasks = jax.tree.map(lambda leaf: jnp.broadcast_to(jnp.asarray(leaf), (spec.batch, *jnp.shape(leaf))), world.tasks()[task])
    state, now = world.init(KEY, tasks)
    mind, _ = agent.see(KEY, agent.init(KEY, spec), now)

    def tick(held: Any, key: Any) -> Any:
        state, mind, now = held
        mind, action = agent.act(key, mind, "random")
        state, next = world.step(key, state, action, tasks)
        mind, _ = agent.see(key, mind, next)
        mind, _ = agent.remember(key, mind, lived(now, action, next, task=tasks, surprise=next.reward))
        return (state, mind, next), None

    return jax.jit(lambda held: jax.lax.scan(tick, held, jax.random.split(KEY, ticks))[0])((state, mind, now))[1:]


def test_a_contrastive_agent_learns_from_what_it_lived_and_from_nothing_else():
    fresh = CONTRAST.init(KEY, MAZE.spec)
    learn = jax.jit(CONTRAST.learn)
    unmoved, _ = learn(KEY, fresh)
    jax.tree.map(np.testing.assert_array_equal, unmoved.critic, fresh.critic)
    state, _ = life(CONTRAST, MAZE, "far")
    seen = [learn(KEY, state)]
    for index in range(150):
        seen.append(learn(jax.random.fold_in(KEY, index), seen[-1][0]))
    apart = [float(info["told_apart"]) for _, info in seen]
    assert np.mean(apart[-40:]) > 1.5 * np.mean(apart[:10])
    assert all(np.isfinite(value) for value in seen[-1][1].values())


def test_a_contrastive_agent_says_what_it_lacks():
    with pytest.raises(ValueError, match="shows no goal"):
        CONTRAST.init(KEY, Pendulum().spec)
    with pytest.raises(ValueError, match="entries"):
        replace(CONTRAST, entries=(0,)).init(KEY, MAZE.spec)
    with pytest.raises(ValueError, match="continuous"):
        CONTRAST.init(KEY, announcing_goals(Cartpole()).spec)
    with pytest.raises(ValueError, match="entries"):
        replace(OWN, entries=(7,)).init(KEY, Pendulum().spec)


def test_goals_are_relabelled_and_paid_by_the_distances_of_today():
    goals = Faraway(straight=True, pool=4, known=8, reach=0.01)
    agent = replace(OWN, goals=goals, explorer=Push(), share=1.0)
    state, _ = life(agent, MAZE, "far")
    after, info = jax.jit(agent.learn)(KEY, state)
    batch, paid = after.learner, after.explorer
    now, then, goal = batch.now[:, :2], batch.after[:, :2], batch.now[:, 4:]
    gained = np.linalg.norm(now - goal, axis=1) - np.linalg.norm(then - goal, axis=1)
    keep = np.asarray(batch.weight) > 0
    np.testing.assert_allclose(np.asarray(batch.reward)[keep], gained[keep], atol=1e-5)
    np.testing.assert_array_equal(batch.after[:, 4:], goal)
    np.testing.assert_array_equal(paid.now, batch.now[:, :4])
    np.testing.assert_allclose(paid.reward, goals.bonus(after.goals, then), rtol=1e-4)
    # a goal is a place of the same walk, at most four decisions away
    assert np.linalg.norm(now - goal, axis=1)[keep].max() < 4 * 0.5 * 2 / 9 * 1.5
    assert "apart" in info


def test_a_task_may_have_leaves_of_no_numbers():
    """A maze without doors has such a task."""
    snake = PointMaze(batch=2, layout=SNAKE)
    state = jax.eval_shape(lambda key: OWN.init(key, snake.spec), KEY)
    after, _ = jax.eval_shape(OWN.learn, KEY, state)
    assert jax.tree.structure(after) == jax.tree.structure(state)


@pytest.mark.parametrize("agent", [CONTRAST, OWN])
def test_goal_agents_keep_the_contract(agent: Any):
    umwelt.check.agent(agent, MAZE.spec, depth="shapes").raise_if_broken()


def test_far_goals_pay_for_what_is_gained_and_skip_moments_without_weight():
    goals = Faraway(straight=True, pool=2, known=4, nearest=2, reach=0.3)
    state = jax.jit(goals.init, static_argnums=(1, 2))(KEY, 1, 1)
    paid, hit = jax.jit(goals.near)(state, jnp.array([[0.0]]), jnp.array([[0.5]]), jnp.array([[0.7]]))
    assert float(paid[0]) == pytest.approx(0.5)
    assert bool(hit[0])
    line = jnp.array([0.0, 0.1, 0.2, 0.9, 5.0])[:, None, None]
    stretches = jnp.concatenate([line, line], axis=1)
    valid = jnp.array([[True]] * 4 + [[False]])
    state, _ = jax.jit(goals.learn)(KEY, state, stretches, jnp.zeros((5, 1, 1)), valid)
    assert float(state.pool[0, 0]) == pytest.approx(0.9)
    far, close = jax.jit(goals.bonus)(state, jnp.array([[3.0], [0.1]]))
    assert float(far) > float(close)
