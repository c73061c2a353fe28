"""What the built-in worlds say about themselves, against their own steps."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.core import capability, scan, spaces
from umwelt.worlds import (
    BUILT_IN,
    Announced,
    Arm,
    Pendulum,
    PointMaze,
    Varied,
    limited,
    repeated,
    scaled_reward,
    stack_frames,
    sticky,
    stream,
)
from umwelt.worlds.arm import WISHES
from umwelt.worlds.position import position_of

KEY = jax.random.key(0)
ROWS = 32


def returns(world: Any, tasks: Any, choose: Callable[[jax.Array, jax.Array], Any]) -> np.ndarray:
    """The return of the first episode of each row."""

    @jax.jit
    def run(key: jax.Array) -> jax.Array:
        state, step = world.init(key, tasks)

        def tick(carry: Any, key: jax.Array) -> Any:
            state, step, going, total = carry
            state, step = world.step(key, state, choose(key, step.observation), tasks)
            return (state, step, going & ~step.last, total + jnp.where(going, step.reward, 0.0)), None

        start = (state, step, jnp.ones(ROWS, bool), jnp.zeros(ROWS))
        return scan(tick, start, jax.random.split(key, world.time_limit))[0][3]

    return np.asarray(run(KEY))


@pytest.mark.parametrize(
    ("name", "least", "margin"),
    [
        # mean return of the expert over all named tasks, and how far it is above random actions
        ("pendulum", -250.0, 500.0),
        ("cartpole", 499.0, 400.0),
        ("cartpole_swingup", 110.0, 90.0),
        ("acrobot", -110.0, 350.0),
        ("mountain_car", -160.0, 30.0),
        ("mountain_car_continuous", 85.0, 100.0),
        ("point_maze", 1.0, 0.6),
    ],
)
def test_an_expert_is_far_better_than_chance_under_every_task(name: str, least: float, margin: float) -> None:
    world = BUILT_IN[name](batch=ROWS)
    named = list(world.tasks().values())
    tasks = jax.tree.map(lambda *leaves: jnp.stack([leaves[row % len(named)] for row in range(ROWS)]), *named)
    found = returns(world, tasks, lambda key, seen: world.expert(key, seen, tasks))
    chance = returns(world, tasks, lambda key, seen: spaces.sample(key, world.spec.action, ROWS))
    assert found.mean() >= least
    assert found.mean() >= chance.mean() + margin


def test_the_maze_expert_takes_a_shortest_way_around_a_shut_door() -> None:
    world = PointMaze(batch=1)
    far = PointMaze().tasks()["far_without_b"]
    # from below door A: to the left lies door B, straight above door A
    seen = jnp.array([[3.5, 3.5, 0.0, 0.0]])
    for task, expected in ((PointMaze().tasks()["south"], (-1.0, 0.0)), (far, (0.0, -1.0))):
        np.testing.assert_allclose(np.sign(world.expert(KEY, seen, stream.rows(task, 1)))[0], expected)


def test_the_maze_expert_steers_to_its_goal_inside_its_cell() -> None:
    task = stream.rows(PointMaze().tasks()["home"], 1)
    found = PointMaze().expert(KEY, jnp.array([[1.9, 1.1, 0.0, 0.0]]), task)
    np.testing.assert_allclose(found, [[-0.8, 0.8]], atol=1e-5)


def test_what_is_achieved_has_the_form_of_the_goal_and_full_marks_where_it_is_reached() -> None:
    seen = jnp.array([[7.0, 2.0, 0.0, 0.0], [1.0, 5.5, 0.0, 0.0]])
    np.testing.assert_array_equal(PointMaze().achieved(seen), [[7.0, 2.0], [1.0, 5.5]])
    angles = jnp.array([0.5, -2.0])
    seen = jnp.stack([jnp.cos(angles), jnp.sin(angles), jnp.ones(2)], axis=1)
    np.testing.assert_allclose(Pendulum().achieved(seen), angles, rtol=1e-5)
    # a wish is paid two thirds for what is achieved, and one third for the way of the tip
    world = Arm(batch=len(WISHES))
    wishes = jax.tree.map(lambda *leaves: jnp.stack(leaves), *world.tasks().values())
    state, step = world.init(KEY, wishes)
    _, step = world.step(KEY, state, jnp.ones((len(WISHES), 3)), wishes)
    achieved = np.diag(np.asarray(world.achieved(step.observation).wish))
    assert (np.asarray(step.reward) >= 2 / 3 * achieved - 1e-6).all()
    assert (np.asarray(step.reward) <= 2 / 3 * achieved + 1 / 3 + 1e-6).all()


def test_an_episode_continues_but_where_it_terminates() -> None:
    world = BUILT_IN["cartpole"](batch=1)
    seen = {
        name: jnp.array([[x, 0.0, angle, 0.0]]) for name, x, angle in (("up", 0.0, 0.0), ("down", 0.0, 0.3), ("away", 2.5, 0.0))
    }
    found = {name: float(world.continues(seen["up"], jnp.zeros(1, int), after, None)[0]) for name, after in seen.items()}
    assert found == {"up": 1.0, "down": 0.0, "away": 0.0}
    right = stream.rows(world.tasks()["right"], 1)
    assert float(world.continues(seen["up"], jnp.zeros(1, int), seen["away"], right)[0]) == 1.0
    held = PointMaze(ends=False)
    at_goal = jnp.array([[7.5, 7.5, 0.0, 0.0]])
    for maze, expected in ((PointMaze(), 0.0), (held, 1.0)):
        assert float(maze.continues(at_goal, jnp.zeros((1, 2)), at_goal, None)[0]) == expected


@pytest.mark.parametrize(
    ("wrap", "kept", "lost"),
    [
        (lambda world: limited(world, 9), {"reward", "advance", "expert", "position"}, set()),
        (sticky, {"position", "achieved", "body", "observe", "expert"}, {"reward", "continues", "advance"}),
        (lambda world: scaled_reward(world, 0.1), {"position", "continues", "body"}, {"reward", "advance", "expert"}),
        (lambda world: repeated(world, 2), {"position", "body", "expert"}, {"reward", "continues", "advance"}),
        (lambda world: stack_frames(world, 2), {"advance"}, {"position", "body", "reward", "expert"}),
        (lambda world: Announced(world=world), {"position", "reward", "body", "observe", "advance", "task_of"}, set()),
        (lambda world: Announced(world=sticky(world)), {"position", "body", "task_of"}, {"reward", "advance"}),
    ],
)
def test_a_wrapper_lets_through_what_it_leaves_true(wrap: Any, kept: set[str], lost: set[str]) -> None:
    world = wrap(PointMaze())
    assert {name for name in kept | lost if capability(world, name) is not None} == kept


def test_a_varied_world_without_a_task_takes_its_own_first_one() -> None:
    world = Varied(world=Pendulum(), within=(("goal", 1.0, 2.0),), number=3)
    reward = capability(world, "reward", required="here")
    seen, push = jnp.array([[1.0, 0.0, 0.0]]), jnp.zeros((1, 1))
    np.testing.assert_allclose(reward(seen, push, seen), [-(world.tasks()["t00"].goal ** 2)], rtol=1e-5)


def test_positions_are_found_behind_wrappers() -> None:
    seen = jnp.array([[2.0, 3.0, 0.0, 0.0]])
    for world in (PointMaze(), sticky(PointMaze()), Varied(world=PointMaze(), within=())):
        np.testing.assert_array_equal(position_of(world)(seen), [[2.0, 6.0]])
    shown = {"seen": seen, "task": spaces.zeros(PointMaze().spec.task, 1)}
    np.testing.assert_array_equal(position_of(Announced(world=PointMaze()))(shown), [[2.0, 6.0]])
    # two or three numbers are their own position
    np.testing.assert_array_equal(position_of(Pendulum())(seen[:, :3]), seen[:, :3])
    shown = {"seen": seen[:, :3], "task": spaces.zeros(Pendulum().spec.task, 1)}
    np.testing.assert_array_equal(position_of(Announced(world=Pendulum()))(shown), seen[:, :3])
    np.testing.assert_array_equal(position_of(Arm())(jnp.arange(24.0).reshape(2, 12)), [[4.0, 5.0], [16.0, 17.0]])
    assert position_of(stack_frames(PointMaze(), 2)) is None
    assert position_of(BUILT_IN["acrobot"]()) is None
