"""A model that tells worlds apart by its last moments, against one that cannot."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.core import FIRST, MID, TERMINATED, Box, Experience, TimeStep, WorldSpec
from umwelt.models import Ensemble, Losse, Recalling

SPEC = WorldSpec(
    name="turning", observation=Box(shape=(2,), low=-2.0, high=2.0), action=Box(shape=(1,), low=-1.0, high=1.0), task=Box()
)
KEY = jax.random.key(0)
SMALL = Ensemble(members=2, layers=2, units=64, propagation="mean", noisy=False, share=1.0, beta=1.0)


def sequences(number: int, length: int, seed: int) -> Experience:
    """Experience [number, length]: points that an action pushes along x, in half of the sequences backwards."""
    random = np.random.default_rng(seed)
    sign, action = np.sign(random.uniform(-1, 1, (number, 1))), random.uniform(-1, 1, (number, length))
    x = np.concatenate([random.uniform(-0.5, 0.5, (number, 1)), sign * 0.3 * action], axis=1).cumsum(axis=1)
    seen = np.stack([x, np.zeros_like(x)], axis=-1)
    steps = TimeStep(
        kind=jnp.full((number, length + 1), MID, jnp.int8),
        observation=jnp.asarray(seen, jnp.float32),
        reward=jnp.zeros((number, length + 1)),
    )
    before, after = (jax.tree.map(lambda leaf, cut=cut: leaf[:, cut], steps) for cut in (slice(-1), slice(1, None)))
    return Experience(
        step=before, action=jnp.asarray(action[..., None], jnp.float32), next=after, origin=jnp.zeros((number, length), jnp.int8)
    )


def taught(model, updates: int = 2000):
    some = sequences(4096, 3, 1)

    @jax.jit
    def run(state):
        def lesson(state, key):
            drawn = jax.random.randint(key, (128,), 0, 4096)
            return model.learn(key, state, jax.tree.map(lambda leaf: leaf[drawn], some))[0], None

        return jax.lax.scan(lesson, state, jax.random.split(KEY, updates))[0]

    return run(model.init(KEY, SPEC))


def test_it_knows_which_way_the_motor_is_wired_from_one_moment() -> None:
    model, probe = Recalling(model=SMALL, moments=2), sequences(200, 3, 10_000)
    state = taught(model)
    at = [jax.tree.map(lambda leaf, index=index: leaf[:, index], probe) for index in range(3)]
    unseen = model.start(state, 200)
    belief, _ = model.observe(KEY, state, unseen, at[0].action, jax.tree.map(lambda leaf: leaf, _first(at[0].step)))
    errors = []
    for moment in at:
        _, prediction = model.imagine(KEY, state, belief, moment.action)
        errors.append(float(jnp.mean(jnp.abs(prediction.observation - moment.next.observation)[:, 0])))
        assert prediction.observation.shape == (200, 2)
        belief, _ = model.observe(KEY, state, belief, moment.action, moment.next)
    assert errors[0] > 0.12, "before anything was done the mean of both is as good as it gets: 0.3 E|a| = 0.15"
    assert max(errors[1:]) < 0.4 * errors[0], "the first thing that is done tells"


def test_moments_are_what_was_done_and_an_episode_begins_with_none() -> None:
    model = Recalling(model=SMALL, moments=2)
    state, probe = model.init(KEY, SPEC), sequences(4, 3, 0)
    at = [jax.tree.map(lambda leaf, index=index: leaf[:, index], probe) for index in range(2)]
    belief, _ = model.observe(KEY, state, model.start(state, 4), at[0].action, _first(at[0].step))
    np.testing.assert_array_equal(belief.lately, 0.0)
    belief, _ = model.observe(KEY, state, belief, at[0].action, at[0].next)
    change = at[0].next.observation - at[0].step.observation
    wanted = jnp.concatenate([at[0].step.observation, at[0].action, change], axis=-1)
    np.testing.assert_allclose(belief.lately[:, 1], wanted, atol=1e-6)
    again, _ = model.observe(KEY, state, belief, at[1].action, _first(at[1].next))
    np.testing.assert_array_equal(again.lately, 0.0)


def test_sequences_with_a_seam_teach_nothing() -> None:
    model, some = Recalling(model=SMALL, moments=2), sequences(8, 3, 0)
    state = model.init(KEY, SPEC)
    torn = some.__class__(
        **{**vars(some), "step": some.step.__class__(**{**vars(some.step), "kind": some.step.kind.at[:, 0].set(TERMINATED)})}
    )
    after, _ = model.learn(KEY, state, torn)
    jax.tree.map(np.testing.assert_array_equal, after, state)


def test_it_keeps_the_contract_of_a_model() -> None:
    umwelt.check.model(Recalling(model=Ensemble(units=32), moments=1), length=2, quick=True).raise_if_broken()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="model=Losse eats a stream"):
        Recalling(model=Losse()).init(KEY, SPEC)
    with pytest.raises(ValueError, match="moments=0"):
        Recalling(model=SMALL, moments=0).init(KEY, SPEC)


def _first(step: TimeStep) -> TimeStep:
    return step.__class__(**{**vars(step), "kind": jnp.full_like(step.kind, FIRST)})
