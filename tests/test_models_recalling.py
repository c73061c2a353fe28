"""A model that distinguishes worlds by its recent past."""

from dataclasses import replace

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
        kind=np.full((number, length + 1), MID, np.int8),
        observation=seen.astype(np.float32),
        reward=np.zeros((number, length + 1), np.float32),
    )
    before, after = (jax.tree.map(lambda leaf, cut=cut: leaf[:, cut], steps) for cut in (slice(-1), slice(1, None)))
    return Experience(
        step=before, action=action[..., None].astype(np.float32), next=after, origin=np.zeros((number, length), np.int8)
    )


def taught(model, updates: int = 2000):
    some = jax.tree.map(jnp.asarray, sequences(4096, 3, 1))

    @jax.jit
    def run(state):
        def update(state, key):
            drawn = jax.random.randint(key, (128,), 0, 4096)
            return model.learn(key, state, jax.tree.map(lambda leaf: leaf[drawn], some))[0], None

        return jax.lax.scan(update, state, jax.random.split(KEY, updates))[0]

    return run(jax.jit(lambda key: model.init(key, SPEC))(KEY))


def test_one_transition_shows_which_way_the_motor_is_wired() -> None:
    model, probe = Recalling(model=SMALL, moments=2), sequences(200, 3, 10_000)
    state = taught(model)
    at = [jax.tree.map(lambda leaf, index=index: leaf[:, index], probe) for index in range(3)]
    observe, imagine = jax.jit(model.observe), jax.jit(model.imagine)
    belief, _ = observe(KEY, state, model.start(state, 200), at[0].action, _first(at[0].step))
    errors = []
    for moment in at:
        _, prediction = imagine(KEY, state, belief, moment.action)
        errors.append(np.abs(np.asarray(prediction.observation) - moment.next.observation)[:, 0].mean())
        assert prediction.observation.shape == (200, 2)
        belief, _ = observe(KEY, state, belief, moment.action, moment.next)
    assert errors[0] > 0.12, "before any action the mean of both worlds is the best prediction: 0.3 E|a| = 0.15"
    assert max(errors[1:]) < 0.4 * errors[0], "the first action shows it"


def test_the_past_holds_transitions_and_an_episode_begins_without() -> None:
    model = Recalling(model=SMALL, moments=2)
    state, probe = jax.jit(lambda key: model.init(key, SPEC))(KEY), sequences(4, 3, 0)
    at = [jax.tree.map(lambda leaf, index=index: leaf[:, index], probe) for index in range(2)]
    belief, _ = model.observe(KEY, state, model.start(state, 4), at[0].action, _first(at[0].step))
    np.testing.assert_array_equal(belief.past, 0.0)
    belief, _ = model.observe(KEY, state, belief, at[0].action, at[0].next)
    change = at[0].next.observation - at[0].step.observation
    expected = np.concatenate([at[0].step.observation, at[0].action, change], axis=-1)
    np.testing.assert_allclose(belief.past[:, 1], expected, atol=1e-6)
    again, _ = model.observe(KEY, state, belief, at[1].action, _first(at[1].next))
    np.testing.assert_array_equal(again.past, 0.0)


def test_sequences_with_a_seam_teach_nothing() -> None:
    model, some = Recalling(model=SMALL, moments=2), sequences(8, 3, 0)
    state = jax.jit(lambda key: model.init(key, SPEC))(KEY)
    kind = np.where(np.arange(3) == 0, np.int8(TERMINATED), some.step.kind)
    torn = replace(some, step=replace(some.step, kind=kind))
    after, _ = jax.jit(model.learn)(KEY, state, torn)
    jax.tree.map(np.testing.assert_array_equal, after, state)


def test_recalling_keeps_the_contract_of_a_model() -> None:
    """Also where the task is announced, which stands beside the past."""
    small = Ensemble(units=16, layers=1, members=2)
    umwelt.check.model(Recalling(model=small, moments=1), spec=SPEC, steps=40, length=2).raise_if_broken()
    announced = replace(SPEC, observation={"seen": SPEC.observation, "task": Box(shape=(2,))})
    umwelt.check.model(Recalling(model=small), spec=announced, length=5, depth="shapes").raise_if_broken()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="model=Losse learns from a stream"):
        Recalling(model=Losse()).init(KEY, SPEC)
    with pytest.raises(ValueError, match="field `constant` holds 'past'"):
        Recalling(model=replace(SMALL, constant=("task",))).init(KEY, SPEC)
    with pytest.raises(ValueError, match="moments=0"):
        Recalling(model=SMALL, moments=0).init(KEY, SPEC)


def _first(step: TimeStep) -> TimeStep:
    return replace(step, kind=np.full_like(step.kind, FIRST))
