"""The known world as a model: it predicts every step of the world itself, and planning in it swings a pendulum up."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours import ModelPredictive
from umwelt.core import FIRST, scan, spaces
from umwelt.models.truth import Truth
from umwelt.planners import CEM
from umwelt.worlds import BUILT_IN, Announced, Pendulum, PointMaze, pictured, stream

KEY = jax.random.key(0)


def gaps(world: Any, model: Truth, task: Any, steps: int = 60) -> dict[str, np.ndarray]:
    """How far each prediction is from what the world does, [steps, B]; NaN where an episode begins."""
    batch = world.spec.batch
    rows = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (batch, *np.shape(leaf))), task)
    state, step = world.init(KEY, rows)
    actions = spaces.sample(jax.random.key(1), world.spec.action, steps, batch)

    @jax.jit
    def run(state: Any, step: Any) -> Any:
        begun = model.observe(KEY, (), model.start((), batch), jax.tree.map(lambda leaf: leaf[0], actions), step)[0]

        def tick(carry: Any, x: Any) -> Any:
            (state, belief), (key, action) = carry, x
            _, told = model.imagine(key, (), belief, action)
            state, step = world.step(key, state, action, rows)
            belief, info = model.observe(key, (), belief, action, step)
            space = world.spec.observation
            off = {
                "observation": jnp.abs(spaces.features(space, told.observation) - spaces.features(space, step.observation)).max(
                    1
                ),
                "reward": jnp.abs(told.reward - step.reward),
                "continues": jnp.abs(told.continues - (1.0 - step.terminated)),
                "surprise": info["surprise"],
            }
            return (state, belief), {name: jnp.where(step.kind == FIRST, jnp.nan, gap) for name, gap in off.items()}

        return scan(tick, (state, begun), (jax.random.split(KEY, steps), actions))[1]

    return jax.device_get(run(state, step))


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_world_is_foreseen_without_error(name: str) -> None:
    world = BUILT_IN[name](batch=3, time_limit=25)
    for label, gap in gaps(world, Truth(world=world), next(iter(world.tasks().values()))).items():
        assert np.nanmax(gap) < 2e-3, label
        assert np.isnan(gap).any(), "episodes ended and began"


def test_the_announced_task_is_read_and_what_the_motor_still_holds_is_remembered() -> None:
    world = Announced(world=Pendulum(batch=3, time_limit=25))
    for name in ("late", "mirrored"):
        found = gaps(world, Truth(world=world), world.tasks()[name])
        assert np.nanmax(found["observation"]) < 2e-3
        assert np.nanmax(found["reward"]) < 2e-3


def test_a_task_that_is_not_shown_is_that_of_the_field_and_a_wrong_one_surprises() -> None:
    world = Pendulum(batch=3)
    right, wrong = (gaps(world, Truth(world=world, task=task), world.tasks()["moon"]) for task in ("moon", "earth"))
    assert np.nanmax(right["surprise"]) < 1e-3 < np.nanmean(wrong["surprise"])


def test_it_keeps_the_contract_of_a_model() -> None:
    world = Pendulum()
    check.model(Truth(world=world), spec=world.spec, steps=40).raise_if_broken()


def test_planning_in_it_swings_the_pendulum_up_and_holds_it() -> None:
    world = Pendulum(batch=4, time_limit=200)
    agent = ModelPredictive(model=Truth(world=world), planner=CEM(horizon=20, samples=64, iterations=3))
    task = stream.rows(world.tasks()["earth"], 4)
    state, step = world.init(KEY, task)

    def tick(carry: Any, key: jax.Array) -> Any:
        state, step, mind = carry
        mind, _ = agent.see(key, mind, step)
        mind, action = agent.act(key, mind, "exploit")
        state, step = world.step(key, state, action, task)
        return (state, step, mind), (step.reward, step.observation)

    start = (state, step, agent.init(KEY, world.spec))
    rewards, seen = jax.jit(lambda start: scan(tick, start, jax.random.split(KEY, 150))[1])(start)
    assert float(seen[-50:, :, 0].min()) > 0.95, "upright, in every row"
    assert float(rewards.sum(0).min()) > -450.0


def test_a_world_that_does_not_give_its_model_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="world of Truth: Pictured has no `body`"):
        Truth(world=pictured(Pendulum())).init(KEY, pictured(Pendulum()).spec)
    with pytest.raises(ValueError, match="Truth knows 'pendulum'"):
        Truth(world=Pendulum()).init(KEY, PointMaze().spec)
    with pytest.raises(ValueError, match="known: earth, moon"):
        Truth(world=Pendulum(), task="mars").init(KEY, Pendulum().spec)
