"""The implicit latent model, against targets and gradients worked by hand."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.check.plant import BOXES, CHOICES, plant_life, random_life
from umwelt.core import Box, TimeStep, capability
from umwelt.models import Doubted, Implicit, Losse, sequences

KEY = jax.random.key(6)
IMPLICIT = Implicit(latent=32, units=32, encoder_units=32, learning_rate=2e-3)


def sequences_of(life, length):
    """The first transitions of every row, as sequences [N, L]."""
    return jax.tree.map(lambda leaf: np.swapaxes(np.asarray(leaf)[:length], 0, 1), life)


@functools.cache
def born(model, spec):
    """A model without data, compiled."""
    return jax.jit(lambda key: model.init(key, spec))(KEY)


@functools.partial(jax.jit, static_argnums=0)
def value_of_update(lambda_, state, batch):
    """The mean target of an update of IMPLICIT at a discount of 0.5, compiled without the update."""
    return dataclasses.replace(IMPLICIT, discount=0.5, lambda_=lambda_).learn(KEY, state, batch)[1]["value"]


def repeated(model, state, update, times):
    """The state and the metrics of `times` updates."""
    run = jax.jit(lambda state: jax.lax.scan(lambda held, key: update(key, held), state, jax.random.split(KEY, times)))
    return run(state)


def test_implicit_keeps_the_contract():
    """Of choices, whose policy has odds too; the shapes of boxes are those of its recipes, in `test_recipes`."""
    small = dataclasses.replace(IMPLICIT, latent=8, units=8, encoder_units=8)
    umwelt.check.model(Doubted(model=small, members=2, units=8), spec=CHOICES, steps=40, length=2).raise_if_broken()


def test_value_is_the_mean_of_the_target_networks():
    state, latents = born(IMPLICIT, BOXES), np.random.default_rng(0).random((5, 32), np.float32)

    def certain(*chosen):
        """Values whose members each put everything on one bin."""
        ends = [(*rest[:-1], dataclasses.replace(rest[-1], bias=np.float32(100.0) * np.eye(101, dtype=np.float32)[bin]))
                for rest, bin in zip(state.target.rest, chosen, strict=True)]  # fmt: skip
        return dataclasses.replace(state.target, rest=tuple(ends))

    online = dataclasses.replace(state, weights=dataclasses.replace(state.weights, values=certain(90, 90)))
    value = jax.jit(IMPLICIT.value)
    np.testing.assert_allclose(value(online, latents), 0.0, atol=1e-3)
    # bins 60 and 65 stand at 2 and 3 in symlog units
    target = dataclasses.replace(state, target=certain(60, 65))
    np.testing.assert_allclose(value(target, latents), (np.expm1(2.0) + np.expm1(3.0)) / 2, rtol=1e-4)


def test_surprise_is_in_standard_deviations_of_the_latents():
    state = dataclasses.replace(born(IMPLICIT, BOXES), spread=jnp.float32(0.04))
    belief, action, seen = jax.random.uniform(KEY, (4, 32)), jnp.zeros((4, 2)), jax.random.normal(KEY, (4, 3))
    expected, _ = IMPLICIT.imagine(KEY, state, belief, action)
    step = TimeStep(kind=jnp.ones(4, jnp.int8), observation=seen, reward=jnp.zeros(4))
    found, info = IMPLICIT.observe(KEY, state, belief, action, step)
    errors = np.asarray(found - expected)
    np.testing.assert_allclose(info["surprise"], [np.sqrt(np.mean(row**2)) / 0.2 for row in errors], rtol=1e-4)


def test_encoder_separates_an_observation_from_twice_the_same():
    state, seen = born(IMPLICIT, BOXES), jax.random.normal(KEY, (4, 3))
    once, twice = (np.asarray(IMPLICIT.encode(state.weights, size * seen)) for size in (1, 2))
    assert (np.abs(twice - once).mean(axis=1) > 0.05 * np.abs(once).mean()).all()


@pytest.mark.parametrize("lambda_", [0.0, 1.0])
def test_targets_of_one_step_by_hand(lambda_):
    state = born(IMPLICIT, BOXES)
    batch = sequences_of(plant_life(1, BOXES, 3), 1)
    rewards, kinds = np.full((4, 1), 2.0, np.float32), np.array([[1], [1], [2], [3]], np.int8)
    ended = dataclasses.replace(batch.next, reward=rewards, kind=kinds)
    bias = np.where(np.arange(IMPLICIT.bins.count) == 60, 0.0, np.log(1e-9)).astype(np.float32)
    rest = tuple((*each[:-1], dataclasses.replace(each[-1], bias=bias)) for each in state.target.rest)
    state = dataclasses.replace(state, target=dataclasses.replace(state.target, rest=rest))
    value = value_of_update(lambda_, state, dataclasses.replace(batch, next=ended))
    # a time limit is bootstrapped, an end is not
    assert float(value) == pytest.approx((3 * (2 + 0.5 * np.expm1(2.0)) + 2) / 4, rel=1e-3)


def test_targets_of_a_sequence_by_hand():
    batch = sequences_of(plant_life(1, BOXES, 3), 3)
    kinds = np.array([[1, 1, 1], [1, 2, 1], [1, 1, 2], [1, 1, 3]], np.int8)
    rewards = np.array([[1.0, 2.0, 4.0]] * 4, np.float32)
    inside = dataclasses.replace(batch.step, kind=np.ones((4, 3), np.int8))
    batch = dataclasses.replace(batch, step=inside, next=dataclasses.replace(batch.next, reward=rewards, kind=kinds))
    value = value_of_update(1.0, born(IMPLICIT, BOXES), batch)
    # an untrained value is 0: 1 + 2 / 2 + 4 / 4 = 3, then 4, then 4; the second row's sequence holds a seam
    assert float(value) == pytest.approx(np.mean([[3, 4, 4], [2, 2, 4], [3, 4, 4], [3, 4, 4]]), rel=1e-5)


def test_policy_learns_from_the_first_latents_only():
    state = born(IMPLICIT, CHOICES)
    rows = sequences.rows(state.observation_form, state.policy, sequences_of(random_life(1, CHOICES, 3), 3))
    random = np.random.default_rng(0)
    latents = random.random((4, rows.weight.shape[1], IMPLICIT.latent), np.float32)
    # an untrained value is the same everywhere, and has no gradient
    values = jax.tree.map(lambda leaf: leaf + random.normal(size=leaf.shape).astype(np.float32), state.weights.values)
    weights = dataclasses.replace(state.weights, values=values)

    @functools.partial(jax.jit, static_argnums=0)
    def slope(policy_latents, latents):
        model = dataclasses.replace(IMPLICIT, policy_latents=policy_latents)
        return jax.grad(model._policy_loss, has_aux=True)(state.weights.policy, weights, state, latents, rows, KEY)[0]

    # the later ones reach nothing
    spoilt = np.where(np.arange(4)[:, None, None] < 2, latents, np.nan)
    jax.tree.map(np.testing.assert_array_equal, slope(2, spoilt), slope(0, latents[:2]))
    assert not all(jax.tree.leaves(jax.tree.map(np.array_equal, slope(2, latents), slope(0, latents))))
    with pytest.raises(ValueError, match="policy_latents=-1 must be"):
        dataclasses.replace(IMPLICIT, policy_latents=-1).init(KEY, BOXES)


@pytest.mark.parametrize("spec", [BOXES, CHOICES], ids=["boxes", "choices"])
def test_policy_imitates_what_it_is_shown(spec):
    model = dataclasses.replace(IMPLICIT, improves=False, learning_rate=1e-2)
    life = jax.tree.map(lambda leaf: np.reshape(leaf, (-1, *leaf.shape[2:])), random_life(1, spec, 40))
    # with a little spread, or the policy would narrow without end, and the least loss be -inf
    spread = 0.1 * np.random.default_rng(0).normal(size=life.action.shape).astype(np.float32)
    chosen = np.full_like(life.action, 1) if spec is CHOICES else 0.5 + spread
    shown = dataclasses.replace(life, action=chosen)
    begin = born(model, spec)
    state, info = repeated(model, begin, lambda key, held: model.imitate(key, held, shown), 150)
    assert float(info["imitation_loss"][-1]) < 0.2 < float(info["imitation_loss"][0])
    first = jax.tree.map(lambda leaf: leaf[:8], (life.action, life.next))

    @jax.jit
    def drawn(state):
        return model.prior(KEY, state, model.observe(KEY, state, model.start(state, 8), *first)[0])

    np.testing.assert_allclose(np.mean(drawn(state), axis=0), np.mean(chosen[:8], axis=0), atol=0.1)
    # nothing but the policy has changed
    same = jax.tree.map(
        np.array_equal, dataclasses.replace(state.weights, policy=()), dataclasses.replace(begin.weights, policy=())
    )
    assert all(jax.tree.leaves(same))


def test_imitation_ignores_the_contents_of_seams():
    model, life = IMPLICIT, random_life(1, BOXES, 2)
    shown = jax.tree.map(lambda leaf: leaf[0], life)
    seam = dataclasses.replace(shown.step, kind=jnp.full_like(shown.step.kind, 2), observation=shown.step.observation * jnp.nan)
    begin = born(model, BOXES)
    after, _ = jax.jit(model.imitate)(KEY, begin, dataclasses.replace(shown, step=seam))
    jax.tree.map(np.testing.assert_array_equal, after, begin)


def test_policy_of_choices_prefers_what_pays():
    model = dataclasses.replace(IMPLICIT, discount=0.0, learning_rate=3e-3)
    life = jax.tree.map(np.asarray, random_life(1, CHOICES, 60))
    paid = dataclasses.replace(life.next, reward=(life.action == 1).astype(np.float32))
    valid = np.asarray(life.valid).all(1)
    batch = sequences_of(jax.tree.map(lambda leaf: leaf[valid], dataclasses.replace(life, next=paid)), 16)
    batch = jax.tree.map(lambda leaf: leaf.reshape(-1, 1, *leaf.shape[2:]), batch)
    state, _ = repeated(model, born(model, CHOICES), lambda key, held: model.learn(key, held, batch), 200)
    first = jax.tree.map(lambda leaf: leaf[0], (life.action, life.step))

    @jax.jit
    def read(state):
        belief, _ = model.observe(KEY, state, model.start(state, 4), *first)
        return jax.vmap(lambda key: model.prior(key, state, belief))(jax.random.split(KEY, 100)), model.value(state, belief)

    drawn, value = jax.tree.map(np.asarray, read(state))
    assert np.mean(drawn == 1) > 0.8
    assert np.mean(value) == pytest.approx(1.0, abs=0.15)


def test_implicit_refuses_pictures():
    picture = Box(shape=(64, 64, 3), low=0, high=255, dtype="uint8")
    with pytest.raises(ValueError, match="Implicit reads numbers"):
        IMPLICIT.init(KEY, dataclasses.replace(BOXES, observation=picture))
    # a board of bytes is no picture
    board = Box(shape=(7, 7, 3), low=0, high=255, dtype="uint8")
    jax.eval_shape(lambda key: IMPLICIT.init(key, dataclasses.replace(BOXES, observation=board)), KEY)


def test_doubted_passes_the_inner_capabilities_on():
    """Its `value` and `imitate` read the inner part of its own state."""
    doubted = Doubted(model=IMPLICIT, members=2, units=8)
    state, belief = born(doubted, BOXES), np.random.default_rng(0).random((3, 32), np.float32)
    prior = jax.jit(lambda state: (capability(doubted, "prior")(KEY, state, belief), IMPLICIT.prior(KEY, state.inner, belief)))
    np.testing.assert_array_equal(*prior(state))
    shown = jax.tree.map(lambda leaf: np.asarray(leaf)[0], random_life(1, BOXES, 2))
    after, _ = jax.jit(capability(doubted, "imitate"))(KEY, state, shown)
    expected, _ = jax.jit(IMPLICIT.imitate)(KEY, state.inner, shown)
    jax.tree.map(np.testing.assert_array_equal, after, dataclasses.replace(state, inner=expected))
    assert capability(doubted, "odds") is None


def test_doubted_refuses_a_stream():
    with pytest.raises(ValueError, match="diet is replay"):
        Doubted(model=Losse()).init(KEY, BOXES)
