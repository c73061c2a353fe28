"""An arm among discs, its guard, and an agent behind it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from umwelt import check
from umwelt.behaviours import SAC, Guarded, ModelFree
from umwelt.memory import Ring
from umwelt.worlds import Links, Pendulum
from umwelt.worlds.links import SKIN, LinksBody

KEY = jax.random.key(4)
LINKS = Links()
guard = jax.jit(LINKS.guard)
onward = jax.jit(lambda angles, action: LINKS.advance(KEY, LinksBody(angles=angles), action, LINKS.tasks()["open"])[0].angles)
clear = jax.jit(LINKS.clearance)


def test_the_arm_keeps_the_contract_and_ends_where_complex_numbers_say():
    check.world(Links(batch=2)).raise_if_broken()
    angles = np.array([0.3, -0.5, 0.8, 1.1])
    wanted = np.sum(np.exp(1j * np.cumsum(angles))) / 4
    np.testing.assert_allclose(LINKS.end(jnp.asarray(angles)), [wanted.real, wanted.imag], atol=1e-6)


@given(st.integers(0, 10_000), st.sampled_from(["noise", "one way", "to the discs"]))
@settings(max_examples=25)
def test_from_any_safe_posture_any_wishes_stay_safe(seed: int, kind: str) -> None:
    random = np.random.default_rng(seed)
    angles = jnp.zeros(4)
    way = random.choice([-1.0, 1.0], 4)
    for _ in range(60):
        noise = random.uniform(-1, 1, 4)
        wish = {"noise": noise, "one way": way, "to the discs": np.where(noise > 0.6, noise, way * 0.9)}[kind]
        angles = onward(angles, guard(angles[None], jnp.asarray(wish[None], jnp.float32))[0])
        assert float(clear(angles[None])[0]) > -1e-3


def test_an_action_far_from_all_limits_passes_unchanged_and_one_towards_them_loses_what_approaches():
    far = jnp.zeros((1, 4))
    wish = jnp.array([[0.5, -0.2, 0.3, 1.0]])
    np.testing.assert_allclose(guard(far, wish), wish, atol=1e-6)
    # bend only the first joint until it is near its limit: its motion stops there, and that of the others goes on
    near = jnp.array([[2.4 - 0.01, 0.0, 0.0, 0.0]])
    sent = np.asarray(guard(near, jnp.array([[1.0, 0.0, 0.0, 0.7]])))[0]
    assert abs(sent[0]) < 1e-4
    assert sent[3] == pytest.approx(0.7, abs=1e-3)


def test_a_demand_that_is_met_leaves_no_motion_along_its_slope():
    angles = jnp.zeros(4)
    for _ in range(40):
        angles = onward(angles, guard(angles[None], jnp.array([[1.0, 0.5, 0.2, 0.1]]))[0])
    distance, slope = LINKS._distances(angles), jax.jacobian(LINKS._distances)(angles)
    assert float(distance.min()) < 0.05
    sent = guard(angles[None], jnp.array([[1.0, 0.5, 0.2, 0.1]]))[0]
    approach = np.asarray(0.06 * slope @ sent)[np.asarray(distance) < 0.05]
    assert approach.min() > -max(float(distance.min()) - SKIN, 0.0) - 1e-5


def test_an_agent_behind_a_guard_sends_and_remembers_what_is_allowed():
    agent = Guarded(agent=ModelFree(learner=SAC(units=4), memory=Ring(bytes=10_000), batch=4), world=LINKS)
    check.agent(agent, LINKS.spec, depth="shapes").raise_if_broken()
    state = jax.jit(lambda key: agent.init(key, LINKS.spec))(KEY)
    near = jnp.array([[2.4 - 0.001, 0.0, 0.0, 0.0]])
    state = type(state)(**{**vars(state), "observation": near})
    sent = np.asarray(jax.jit(jax.vmap(lambda key: agent.act(key, state, "random")[1]))(jax.random.split(KEY, 20)))
    assert sent[..., 0].max() < 1e-3
    with pytest.raises(ValueError, match="guard"):
        Guarded(agent=agent.agent, world=Pendulum()).init(KEY, Pendulum().spec)
