"""The kinds of played episodes whose actions are an expert's with something taken away."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.core import Box, WorldSpec, part
from umwelt.memory import Played
from umwelt.memory.played import acting
from umwelt.worlds import Cartpole, Pendulum

KEY = jax.random.key(0)
WORLD = Pendulum(batch=3, time_limit=6)


@part
class Still:
    """A world whose expert does nothing, or always the same."""

    batch: int = 100
    always: float = 0.0

    @property
    def spec(self) -> WorldSpec:
        action = Box(shape=(1,), low=-2.0, high=2.0)
        return WorldSpec(name="still", observation=Box(shape=(1,)), action=action, task=Box(), batch=self.batch)

    def tasks(self) -> dict[str, Any]:
        return {"rest": np.float32(0)}

    def expert(self, key: Any, observation: Any, task: Any = None) -> Any:
        return jnp.full((self.batch, 1), self.always)


def actions(world: Still, how: str, draws: int) -> np.ndarray:
    """Actions [draws, episodes] in half-ranges."""
    act = acting(Played(world=world, how=how, episodes=world.batch, batch=world.batch), world)  # type: ignore[arg-type]
    numbers = jnp.arange(world.batch)
    drawn = jax.vmap(lambda key: act(key, jnp.zeros((world.batch, 1)), None, numbers))(jax.random.split(KEY, draws))
    return np.asarray(drawn)[..., 0] / 2.0


def test_a_faint_action_is_six_tenths_of_the_experts() -> None:
    pieces = Played(world=WORLD, how="faint-0", episodes=7, batch=4).read(KEY, WORLD.spec)
    streams = jax.tree.map(lambda *leaves: np.concatenate(leaves), *pieces)
    valid = np.asarray(streams.valid)
    wanted = WORLD.expert(KEY, jnp.asarray(streams.step.observation[valid]))
    assert float(jnp.abs(wanted).max()) > 1.0
    np.testing.assert_allclose(streams.action[valid], 0.6 * wanted, rtol=1e-4, atol=1e-4)


def test_faint_noise_is_as_wide_as_its_number() -> None:
    found = actions(Still(always=0.5), "faint-0.2", 400)
    assert found.mean() == pytest.approx(0.6 * 0.5 / 2.0, abs=0.005)
    assert found.std() == pytest.approx(0.2, rel=0.02)


def test_every_noisy_episode_has_a_deviation_of_its_own_between_0_and_a_half() -> None:
    found = actions(Still(), "noisy", 4000)
    # 0.6827 of a normal lies within a deviation, and the bounds are at two of the widest
    deviation = np.quantile(np.abs(found), 0.6827, axis=0)
    np.testing.assert_allclose(np.sort(deviation), np.linspace(0.0, 0.5, 100), atol=0.03)
    assert np.abs(found.mean(axis=0)).max() < 0.05


@pytest.mark.parametrize(
    ("world", "how", "message"),
    [
        (WORLD, "faint", "how='faint': it is one of 'expert', 'random', 'noisy', 'mixed-0.3' and 'faint-0.3'"),
        (WORLD, "faint-2", "how='faint-2': the number behind 'faint' lies between 0 and 1"),
        (WORLD, "faint-x", "how='faint-x': the number behind 'faint' lies between 0 and 1"),
        (WORLD, "noisy-0.3", "how='noisy-0.3': it is one of"),
        (Cartpole(), "faint-0.3", "how='faint-0.3': a faint action needs a Box, and cartpole has"),
    ],
)
def test_what_cannot_act_is_refused(world: Any, how: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Played(world=world, how=how).check(world.spec)


def test_noise_beside_a_kind_that_has_its_own_is_refused() -> None:
    with pytest.raises(ValueError, match=r"noise=0\.1: how='noisy' has a noise of its own"):
        Played(world=WORLD, how="noisy", noise=0.1).check(WORLD.spec)
