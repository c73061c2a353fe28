"""What a GPU does: the lessons of the processor, and whole lives. `python -m pytest -m gpu` where there is one.

Everywhere else these are skipped; no other test needs a GPU.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.check.plant import BOXES, plant_life
from umwelt.core import Box, WorldSpec
from umwelt.life.composition import Life
from umwelt.life.engine import Engine
from umwelt.life.rhythm import Rhythm
from umwelt.models import Doubted, Ensemble, Implicit, Losse, Rssm
from umwelt.recipes import ALL
from umwelt.teachers import Blocks
from umwelt.worlds import Pendulum, pictured

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(jax.default_backend() != "gpu", reason="JAX sees no GPU on this machine"),
]
KEY = jax.random.key(3)
MODELS: dict[str, Any] = {
    "ensemble": Ensemble(units=32),
    "implicit": Implicit(latent=32, units=32, encoder_units=32),
    "recurrent": Rssm(deterministic=32, groups=4, classes=8, units=32),
    "doubted": Doubted(model=Rssm(deterministic=32, groups=4, classes=8, units=32), last=4),
}


def both(function: Any, *arguments: Any) -> tuple[Any, Any]:
    """What a function says on the processor and on the GPU, in products of full precision."""
    found = []
    for device in (jax.devices("cpu")[0], jax.devices("gpu")[0]):
        with jax.default_matmul_precision("highest"):
            placed = jax.device_put(arguments, device)
            found.append(jax.tree.map(np.asarray, jax.jit(function)(*placed)))
    return found[0], found[1]


@pytest.mark.parametrize("name", MODELS)
def test_lessons_are_those_of_the_processor(name: str) -> None:
    model = MODELS[name]
    batch = jax.tree.map(lambda leaf: jnp.swapaxes(leaf[:8], 0, 1), plant_life(1, BOXES, 8))
    if name == "ensemble":
        batch = jax.tree.map(
            lambda leaf: jnp.tile(leaf.reshape(-1, *leaf.shape[2:]), (model.members, *[1] * (leaf.ndim - 2))), batch
        )
    on_processor, on_gpu = both(lambda key, state, batch: model.learn(key, state, batch)[1], KEY, model.init(KEY, BOXES), batch)
    for metric, value in on_processor.items():
        np.testing.assert_allclose(on_gpu[metric], value, rtol=1e-2, atol=1e-3, err_msg=metric)


def test_the_linear_model_learns_a_stream_as_the_processor_does() -> None:
    model, life = Losse(), plant_life(1, BOXES, 40)

    def streamed(key: jax.Array, life: Any) -> Any:
        # born where it learns: what is of 64 bits cannot be moved
        return jax.lax.scan(lambda state, each: model.learn(key, state, each), model.init(key, BOXES), life)[1]

    on_processor, on_gpu = both(streamed, KEY, life)
    for metric, value in on_processor.items():
        np.testing.assert_allclose(on_gpu[metric], value, rtol=2e-2, atol=1e-3, err_msg=metric)


def test_updates_from_pictures_are_those_of_the_processor() -> None:
    model = Rssm(deterministic=32, groups=4, classes=8, units=32, depth=4)
    spec = WorldSpec(
        name="pictures",
        observation=Box(shape=(64, 64, 3), low=0, high=255, dtype="uint8"),
        action=BOXES.action,
        task=Box(),
        batch=4,
    )
    batch = jax.tree.map(lambda leaf: jnp.swapaxes(leaf[:8], 0, 1), plant_life(1, BOXES, 8))
    seen = jax.random.randint(KEY, (4, 8, 64, 64, 3), 0, 256).astype(jnp.uint8)
    batch = dataclasses.replace(
        batch,
        step=dataclasses.replace(batch.step, observation=seen),
        next=dataclasses.replace(batch.next, observation=seen[:, ::-1]),
    )
    on_processor, on_gpu = both(lambda key, state, batch: model.learn(key, state, batch)[1], KEY, model.init(KEY, spec), batch)
    for metric, value in on_processor.items():
        np.testing.assert_allclose(on_gpu[metric], value, rtol=1e-2, atol=1e-3, err_msg=metric)


@pytest.mark.parametrize(("name", "pictures"), [("tdmpc2", False), ("dreamer_v3", False), ("dreamer_v3", True)])
def test_two_seeds_live_on_the_gpu(name: str, pictures: bool) -> None:
    world = pictured(Pendulum(time_limit=20)) if pictures else Pendulum(time_limit=20)
    rhythm = Rhythm(random=40, learn_every=10, updates=1, first_updates=1, chunk=40)
    engine = Engine(Life(world=world, agent=ALL[name].agent, teacher=Blocks(), rhythm=rhythm, seeds=2))
    value, (_, learned) = engine.advance(engine.begin(), rhythm.segment(0, 80))
    assert {device.platform for leaf in jax.tree.leaves(value) for device in leaf.devices()} == {"gpu"}
    assert learned
    for metric, values in learned.items():
        assert np.isfinite(values).all(), metric
