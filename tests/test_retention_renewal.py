"""Dead units that are reset, in networks whose units were killed by hand."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from umwelt.check.plant import BOXES, plant_life
from umwelt.models import Ensemble, Implicit
from umwelt.networks import members
from umwelt.networks.members import Network
from umwelt.retention import Renewal

INPUTS = jnp.linspace(-1.0, 1.0, 64)[None, None]
WAVE = jnp.sin(4.0 * INPUTS)
STUCK = -1.2784645
"""Where SiLU has its least value, and no slope: a unit that stays there is constant."""


def grown(dead: tuple[int, ...], bias: float, widths: tuple[int, ...] = (1, 8, 8, 1)) -> Network:
    """One network; the dead units of its first hidden layer of 8 have no weights but this bias."""
    network = members.init(jax.random.key(1), 1, widths)
    ill = jnp.zeros(8, bool).at[jnp.array(dead, int)].set(True)[None, :, None]
    weights = (jnp.where(ill, 0.0, network.weights[0]), *network.weights[1:])
    return Network(weights=weights, biases=(jnp.where(ill, bias, 0.3 * network.weights[0]), *network.biases[1:]))


def loss(network: Network) -> jax.Array:
    return jnp.mean((members.apply(network, INPUTS) - WAVE) ** 2)


def taught(
    network: Network,
    protection: Any,
    steps: int,
    optimiser: Any = optax.adam(3e-3),  # noqa: B008
) -> tuple[Network, Any]:
    """The network and the optimiser's state after so many steps towards a wave."""
    optimiser = protection.around(optimiser) if protection else optimiser

    def step(carry: Any, _: None) -> tuple[Any, None]:
        network, state = carry
        update, state = optimiser.update(jax.grad(loss)(network), state, network)
        return (optax.apply_updates(network, update), state), None

    run = jax.jit(lambda network: jax.lax.scan(step, (network, optimiser.init(network)), None, steps)[0])
    return run(network)


def test_a_network_of_dead_units_learns_again() -> None:
    """One living unit bends once; a wave takes more."""
    dead = grown(tuple(range(1, 8)), -60.0, (1, 8, 1))
    without, _ = taught(dead, None, 3000)
    renewed, _ = taught(dead, Renewal(every=100), 3000)
    np.testing.assert_array_equal(without.biases[0][0, 1:, 0], -60.0)
    assert loss(renewed) < 0.02
    assert loss(without) > 0.1


@pytest.mark.parametrize("bias", [-60.0, STUCK], ids=["silent", "stuck"])
def test_predictions_do_not_jump_and_living_units_stay(bias: float) -> None:
    """Beside a plain step, a renewal changes the dead units, their outputs, and nothing else."""
    dead = (2, 5)
    before, after = (taught(grown(dead, bias), each, 10, optax.sgd(0.01))[0] for each in (None, Renewal(every=10)))
    np.testing.assert_allclose(members.apply(after, INPUTS), members.apply(before, INPUTS), atol=2e-5)
    alive = np.setdiff1d(np.arange(8), dead)
    for old, new in ((before.weights[0], after.weights[0]), (before.biases[0], after.biases[0])):
        np.testing.assert_allclose(new[0, alive], old[0, alive], atol=1e-7)
    np.testing.assert_allclose(after.weights[1][..., alive], before.weights[1][..., alive], atol=1e-7)
    np.testing.assert_array_equal(after.weights[1][..., dead], 0.0)
    assert np.all(np.abs(after.weights[0][0, list(dead)]) > 0.0)
    assert np.all(after.biases[0][0, list(dead)] == 0.0)


def test_the_optimiser_forgets_the_dead_units_alone() -> None:
    _, state = taught(grown((2,), STUCK), Renewal(every=10), 10)
    moments = state.inner[0].nu
    np.testing.assert_array_equal(moments.weights[1][0, :, 2], 0.0)
    assert np.all(np.delete(moments.weights[1][0], 2, axis=1) > 0.0)
    assert np.all(np.delete(moments.weights[0][0], 2, axis=0) > 0.0)


def test_a_healthy_network_is_left_alone() -> None:
    healthy = grown((), 0.0)
    plain, watched = (taught(healthy, each, 60)[0] for each in (None, Renewal(every=7)))
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-6), plain, watched)


def test_a_gradient_of_zero_kills_no_unit() -> None:
    network = grown((), 0.0)
    wrapped = Renewal(every=1).around(optax.sgd(0.1))
    update, _ = wrapped.update(jax.tree.map(jnp.zeros_like, network), wrapped.init(network), network)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(update))


def test_an_ensemble_takes_a_renewal_and_others_refuse_it() -> None:
    """A member's unit that was killed is reset, also inside a compiled update."""
    ensemble = Ensemble(units=8, members=2, layers=1, protection=Renewal(every=3))
    state = jax.jit(lambda key: ensemble.init(key, BOXES))(jax.random.key(0))
    network = state.weights.network
    dead = replace(network, biases=(network.biases[0].at[1, 4].set(-60.0), network.biases[1]))
    state = replace(state, weights=replace(state.weights, network=dead))
    batch = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), plant_life(1, BOXES, 8))
    learn = jax.jit(ensemble.learn)
    for index in range(3):
        state, _ = learn(jax.random.key(index), state, batch)
    assert (np.asarray(state.weights.network.biases[0])[..., 0] == 0.0).tolist() == [
        [False] * 8,
        [False] * 4 + [True] + [False] * 3,
    ]
    with pytest.raises(ValueError, match="give it to an `Ensemble`"):
        jax.eval_shape(lambda key: Implicit(protection=Renewal()).init(key, BOXES), jax.random.key(0))


def test_an_update_without_weights_is_refused() -> None:
    network = grown((), 0.0)
    wrapped = Renewal().around(optax.sgd(0.1))
    with pytest.raises(ValueError, match="params"):
        wrapped.update(network, wrapped.init(network))
