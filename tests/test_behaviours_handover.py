"""Control that passes from one agent to another, and a model whose values doubt and whose proposals stay near."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours import Cloning, Handover, ModelFree, RandomAgent
from umwelt.core import FIRST, MID, SHOWN, Box, TimeStep, WorldSpec, lived
from umwelt.memory import Ring
from umwelt.models import Centred, Implicit
from umwelt.networks import layers
from umwelt.networks.layers import mish

KEY = jax.random.key(7)
BOX = Box(shape=(2,), low=-2.0, high=2.0)
SPEC = WorldSpec(name="plane", observation=Box(shape=(3,), low=-1.0, high=1.0), action=BOX, task=Box(shape=(1,)), batch=400)
SMALL = Implicit(latent=16, units=16, encoder_units=16, members=2)
CENTRED = Centred(model=SMALL)


def step(kind: int, rows: int = 400) -> TimeStep:
    seen = jax.random.uniform(KEY, (rows, 3), minval=-1.0, maxval=1.0)
    return TimeStep(kind=jnp.full(rows, kind, jnp.int8), observation=seen, reward=jnp.zeros(rows))


def test_the_first_acts_at_first_the_second_in_the_end_and_both_in_between() -> None:
    clone = ModelFree(learner=Cloning(units=8), memory=Ring(bytes=100_000), batch=8)
    agent = Handover(first=clone, then=RandomAgent(), begin=10, finish=20)
    state = agent.see(KEY, agent.init(KEY, SPEC), step(FIRST))[0]
    old = clone.act(jax.random.key(1), state.first, "exploit")[1]
    act = jax.jit(lambda state: agent.act(KEY, state, "exploit"))

    def share(decisions: int) -> float:
        after, action = act(replace(state, decisions=jnp.int32(decisions)))
        assert int(after.decisions) == decisions + 1
        return 1.0 - float(jnp.mean(jnp.all(jnp.abs(action - old) < 1e-5, axis=1)))

    assert share(0) == share(10) == 0.0
    assert share(20) == share(500) == 1.0
    assert share(15) == pytest.approx(0.5, abs=0.1)
    moment = lived(step(MID), jnp.zeros((400, 2)), step(MID), task=jnp.zeros((400, 1)), surprise=jnp.zeros(400))
    assert int(agent.remember(KEY, state, moment)[0].first.memory.filled) == 400
    with pytest.raises(ValueError, match="finish=5"):
        replace(agent, finish=5).init(KEY, SPEC)


@pytest.fixture(scope="module")
def begun() -> Any:
    """A model whose critics have been pulled apart, and beliefs."""
    state = CENTRED.init(KEY, SPEC)
    noisy = jax.tree.map(lambda leaf: leaf + 0.3 * jax.random.normal(KEY, leaf.shape), state.target)
    return replace(state, target=noisy), SMALL.encode(state.weights, step(FIRST).observation)


def test_proposals_lie_about_the_policys_middle_as_wide_as_asked(begun: Any) -> None:
    state, belief = begun
    rows = jnp.repeat(belief[:1], 4000, axis=0)
    middle = state.policy.action(state.policy.best(layers.apply(state.weights.policy, belief[:1], mish)))
    drawn = jax.jit(CENTRED.prior)(KEY, state, rows)
    np.testing.assert_allclose(drawn.mean(0), middle[0], atol=0.02)
    # a tenth of a half-range of 2
    np.testing.assert_allclose(drawn.std(0), [0.2, 0.2], atol=0.01)
    wide = replace(CENTRED, deviation=0.0)
    np.testing.assert_array_equal(wide.prior(KEY, state, rows), SMALL.prior(KEY, state, rows))


def test_values_are_the_mean_of_critics_less_their_spread(begun: Any) -> None:
    state, belief = begun
    unit = state.policy.best(layers.apply(state.weights.policy, belief, mish))
    each = np.asarray(SMALL._values(state.target, state.policy, belief, unit))
    assert each.std(0).mean() > 1e-3
    np.testing.assert_allclose(CENTRED.value(state, belief), each.mean(0) - 10.0 * each.std(0), rtol=1e-4, atol=1e-3)
    bold = replace(CENTRED, caution=0.0)
    np.testing.assert_allclose(bold.value(state, belief), SMALL.value(state, belief), rtol=1e-4, atol=1e-4)


def test_only_shown_actions_are_imitated() -> None:
    state, rows = CENTRED.init(KEY, SPEC), 64
    action = jnp.broadcast_to(jnp.array([1.5, -1.0]), (rows, 2))
    moment = lived(step(MID, rows), action, step(MID, rows))
    learn, alone = jax.jit(CENTRED.learn), jax.jit(SMALL.learn)
    same, plain = learn(KEY, state, moment)[0], alone(KEY, state, moment)[0]
    compare = lambda one, other: np.testing.assert_allclose(one, other, atol=1e-6)  # noqa: E731
    jax.tree.map(compare, same.weights.policy, plain.weights.policy)
    shown = replace(moment, origin=jnp.full(rows, SHOWN, jnp.int8))
    losses = []
    for _ in range(40):
        state, info = learn(KEY, state, shown)
        losses.append(float(info["imitation_loss"]))
    assert losses[-1] < losses[0] - 0.2
