"""The recurrent state-space model, its encoders, and the beliefs that it hands out."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.check.plant import BOXES, CHOICES, plant_life, random_life
from umwelt.core import FIRST, WATCHED, Box, TimeStep
from umwelt.models import Doubted, Ensemble, Rssm, grasp, rssm, vision
from umwelt.networks import beliefs, layers
from umwelt.networks.form import form, numbers
from umwelt.networks.twohot import Bins

KEY = jax.random.key(6)
TINY = Rssm(deterministic=8, groups=2, classes=4, units=8, learning_rate=1e-2)
GRASPING = dataclasses.replace(TINY, targets="value and action", balance="harmony")


def sequences_of(life, length):
    """The first transitions of every row, as sequences [N, L]."""
    return jax.tree.map(lambda leaf: jnp.swapaxes(leaf[:length], 0, 1), life)


@functools.cache
def born(model, spec):
    """A model without data, compiled."""
    return jax.jit(lambda key: model.init(key, spec))(KEY)


@functools.partial(jax.jit, static_argnums=0)
def lesson(model, free_nats, state, batch):
    """One update from sequences of six transitions, and its beliefs: one program of a model for all tests."""
    return beliefs.learned(KEY, dataclasses.replace(model, free_nats=free_nats), state, batch)


def repeated(model, spec, batch, times):
    """The state and the metrics of `times` updates on one batch."""

    def update(state, key):
        return model.learn(key, state, batch)

    return jax.jit(lambda state: jax.lax.scan(update, state, jax.random.split(KEY, times)))(born(model, spec))


def test_recurrent_keeps_the_contract():
    """Of boxes; the shapes of choices are those of its recipes, in `test_recipes`."""
    umwelt.check.model(Doubted(model=TINY, last=4), spec=BOXES, steps=40, length=6).raise_if_broken()


def test_beliefs_of_an_update_are_those_of_recall_before_it():
    """Of the model itself, and through `Doubted`, whose networks learn from them; across the ends of episodes."""
    batch, doubted = sequences_of(plant_life(1, BOXES, 6), 6), Doubted(model=TINY, last=6)
    assert np.asarray(batch.next.last).any()
    state = born(doubted, BOXES)
    expected = jax.jit(TINY.recall)(KEY, state.inner, batch)
    around = jax.jit(lambda state, batch: beliefs.learned(KEY, doubted, state, batch))
    for held, learned in ((state.inner, lesson(TINY, 0.1, state.inner, batch)), (state, around(state, batch))):
        after, info, found = learned
        jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-5), found, expected)
        assert float(info["model_loss"]) > 0.0
        assert not np.array_equal(*(numbers(jax.tree.leaves(each)[0][None]) for each in (after, held)))
    # the networks read exactly these beliefs: after one update the scale of their inputs is that of the beliefs
    before = np.asarray(jax.vmap(numbers)(expected))[:-1]
    valid = np.asarray(batch.valid).T
    np.testing.assert_allclose(after.inputs.mean[:16], before[valid].mean(axis=0), atol=1e-4)


def test_beliefs_of_a_model_without_recall_are_observed_step_by_step():
    model, batch = Ensemble(units=8, layers=1, members=2), sequences_of(random_life(1, BOXES, 6), 6)
    state = born(model, BOXES)
    seen = np.concatenate([batch.step.observation[:, :1], batch.next.observation], axis=1).swapaxes(0, 1)
    for length in (3, 6):
        some = jax.tree.map(lambda leaf, length=length: leaf[:, :length], batch)
        found = jax.jit(lambda state, some: beliefs.recalled(KEY, model, state, some))(state, some)
        np.testing.assert_allclose(found[:, :, 0], seen[: length + 1], rtol=1e-6)


def test_a_sequence_with_an_unknown_action_is_not_usable():
    batch = sequences_of(random_life(1, BOXES, 5), 5)
    origin = batch.origin.at[0, 3].set(WATCHED)
    np.testing.assert_array_equal(
        beliefs.usable(dataclasses.replace(batch, origin=origin)), np.asarray(batch.valid) & ~np.eye(4, dtype=bool)[0][:, None]
    )


def test_encoder_separates_an_observation_from_twice_the_same():
    state, seen = born(TINY, BOXES), jax.random.normal(KEY, (4, 3))
    once, twice = (np.asarray(vision.encode(state.weights.encoder, state.observation_form, size * seen)) for size in (1, 2))
    assert (np.abs(twice - once).mean(axis=1) > 0.05 * np.abs(once).mean()).all()


def test_divergence_by_hand_and_draws_that_pass_gradients():
    one, other = jnp.log(jnp.array([[[0.5, 0.5]]])), jnp.log(jnp.array([[[0.25, 0.75]]]))
    assert float(rssm._divergence(one, other)[0]) == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3), rel=1e-5)
    drawn = rssm._draw(KEY, one)
    assert sorted(np.asarray(drawn).round(4).ravel()) == [0.0, 1.0]
    gradient = jax.grad(lambda logits: rssm._draw(KEY, jax.nn.log_softmax(logits))[0, 0, 0])(jnp.zeros((1, 1, 2)))
    np.testing.assert_allclose(gradient[0, 0], [0.25, -0.25], rtol=1e-5)


def test_a_first_step_resets_its_own_row_only():
    state = born(TINY, BOXES)
    noise = np.random.default_rng(0).normal(size=(4, 8)).astype(np.float32)
    belief = dataclasses.replace(TINY.start(state, 4), deterministic=noise)
    step = TimeStep(kind=jnp.array([FIRST, 1, FIRST, 1], jnp.int8), observation=jnp.ones((4, 3)), reward=jnp.zeros(4))
    one, _ = TINY.observe(KEY, state, belief, jnp.ones((4, 2)), step)
    other, info = TINY.observe(KEY, state, TINY.start(state, 4), jnp.zeros((4, 2)), step)
    same = np.isclose(one.deterministic, other.deterministic).all(axis=1)
    assert same.tolist() == [True, False, True, False]
    assert np.isnan(info["surprise"]).tolist() == [True, False, True, False]


def test_units_of_the_actions_do_not_matter():
    """In thousands or in ones, and around any middle, the same pushes make the same loss and the same beliefs."""
    life, found = random_life(1, BOXES, 6), {}

    @jax.jit
    def believed(state, batch):
        first = jax.tree.map(lambda leaf: leaf[:, 0], batch.next)
        belief, _ = GRASPING.observe(KEY, state, GRASPING.start(state, 4), batch.action[:, 0], first)
        return belief, GRASPING.imagine(KEY, state, belief, batch.action[:, 1])[0]

    for middle, half in ((0.0, 1.0), (250.0, 1000.0)):
        spec = dataclasses.replace(BOXES, action=Box(shape=(2,), low=middle - half, high=middle + half))
        batch = sequences_of(dataclasses.replace(life, action=middle + half * life.action), 6)
        state = dataclasses.replace(born(GRASPING, BOXES), action_form=form(spec.action))
        found[half] = lesson(GRASPING, 0.1, state, batch)[1], believed(state, batch)
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-3), found[1.0], found[1000.0])


def test_pictures_are_encoded_and_decoded():
    spec = dataclasses.replace(CHOICES, observation=Box(shape=(64, 64, 1), low=0, high=255, dtype="uint8"))
    model = Rssm(deterministic=16, groups=4, classes=4, units=32, depth=4, fold=4, learning_rate=1e-2)
    rows = np.arange(64)[:, None, None] < np.arange(8, 64, 14)[:, None, None, None]
    shown = np.broadcast_to(np.where(rows, 255, 0).astype(np.uint8), (4, 64, 64, 1))
    batch = sequences_of(random_life(1, CHOICES, 6), 2)
    every = np.broadcast_to(shown[:, None], (4, 2, 64, 64, 1))
    batch = dataclasses.replace(
        batch, step=dataclasses.replace(batch.step, observation=every), next=dataclasses.replace(batch.next, observation=every)
    )
    state, info = repeated(model, spec, batch, 45)
    assert float(info["decoder_loss"][-1]) < 0.25 * float(info["decoder_loss"][0])
    step = TimeStep(kind=np.zeros(4, np.int8), observation=shown, reward=np.zeros(4, np.float32))

    @jax.jit
    def seen_and_imagined(state, step):
        belief, _ = model.observe(KEY, state, model.start(state, 4), jnp.zeros(4, jnp.int32), step)
        return model.imagine(KEY, state, belief, jnp.zeros(4, jnp.int32))[1].observation

    found = np.asarray(seen_and_imagined(state, step))
    assert found.dtype == np.uint8
    assert np.abs(found.astype(np.float32) - shown).mean() < 60.0
    unfolded = dataclasses.replace(model, fold=1)

    def imagined(key):
        fresh = unfolded.init(key, spec)
        return unfolded.imagine(key, fresh, unfolded.start(fresh, 4), jnp.zeros(4, jnp.int32))[1].observation

    assert jax.eval_shape(imagined, KEY).shape == (4, 64, 64, 1)


def test_a_model_without_a_decoder_learns_actions_and_values():
    model = dataclasses.replace(TINY, targets="value and action", discount=0.5)
    life = random_life(1, CHOICES, 60)
    # the observation is the action that led there, and every step pays 1, so that every value is 2
    shown = np.repeat(np.asarray(life.action, np.float32)[..., None], 3, axis=-1)
    kind = np.ones_like(life.next.kind)
    life = dataclasses.replace(
        life,
        step=dataclasses.replace(life.step, kind=kind, observation=np.roll(shown, 1, axis=0)),
        next=dataclasses.replace(life.next, kind=kind, observation=shown, reward=np.ones_like(life.next.reward)),
    )
    state, info = repeated(model, CHOICES, sequences_of(life, 12), 120)
    # the least loss of values is the entropy of two bins, and that of actions is zero
    assert float(info["grasp_loss"][-1]) < 1.0 < float(info["grasp_loss"][0]) / 4

    @jax.jit
    def valued(state, life):
        def tick(belief, moment):
            return model.observe(KEY, state, belief, *moment)[0], None

        belief, _ = jax.lax.scan(tick, model.start(state, 4), (life.action[:6], jax.tree.map(lambda leaf: leaf[:6], life.next)))
        value = layers.apply(state.weights.decoder.value, numbers(belief), jax.nn.silu)
        return model.bins.mean(value), model.imagine(KEY, state, belief, life.action[0])[1]

    value, prediction = valued(state, life)
    np.testing.assert_allclose(value, 2.0, atol=0.3)
    assert prediction.observation is None
    with pytest.raises(ValueError, match="targets='pictures'"):
        dataclasses.replace(model, targets="pictures").init(KEY, CHOICES)


def _over_a_seam(batch):
    """Sequences of six transitions: two of one episode without any target, a seam, and three of the next."""
    kinds = np.broadcast_to(np.array([2, 2, 3, FIRST, 1, 1, 1], np.int8), (4, 7))
    step, after = (
        dataclasses.replace(one, kind=kinds[:, cut]) for one, cut in ((batch.step, slice(6)), (batch.next, slice(1, 7)))
    )
    return dataclasses.replace(batch, step=step, next=after)


def test_nothing_of_an_episode_is_learned_from_the_one_before():
    batch = jax.tree.map(np.array, _over_a_seam(sequences_of(plant_life(1, BOXES, 6), 6)))
    noise = np.random.default_rng(0).normal(size=(4, 6, 3)).astype(np.float32)
    before, after = jax.tree.map(np.copy, (batch, batch))
    before.step.observation[:, :3] += noise[:, :3]
    before.next.observation[:, :2] += noise[:, 1:3]
    before.next.reward[:, :3] = np.nan
    before.action[:, 2] = np.inf
    before.action[:, :2] += 1.0
    after.action[:, 3] += 1.0
    # heads that begin at zero would predict the same of everything
    warm, *_ = lesson(TINY, 0.1, born(TINY, BOXES), batch)
    plain, other, later = (lesson(TINY, 0.1, warm, each)[1] for each in (batch, before, after))
    assert float(plain["reward_loss"]) == float(other["reward_loss"])
    assert float(plain["reward_loss"]) != float(later["reward_loss"])
    assert all(np.isfinite(float(value)) for value in other.values())


def test_a_sequence_of_short_episodes_teaches_rewards_and_ends():
    life = jax.tree.map(np.asarray, random_life(1, BOXES, 6))
    # every second step begins an episode, which pays what its first observation shows
    kinds = np.where(np.arange(7)[:, None] % 2 == 0, FIRST, 2).astype(np.int8) * np.ones((1, 4), np.int8)
    step, after = dataclasses.replace(life.step, kind=kinds[:-1]), dataclasses.replace(life.next, kind=kinds[1:])
    paid = np.where(after.kind == 2, np.sign(step.observation[..., 0]), np.float32(0.0))
    batch = sequences_of(dataclasses.replace(life, step=step, next=dataclasses.replace(after, reward=paid)), 6)
    state, losses = born(TINY, BOXES), []
    for _ in range(300):
        state, info, _ = lesson(TINY, 0.1, state, batch)
        losses.append(float(info["reward_loss"]))
    assert losses[-1] < 0.3 * losses[0]
    first = jax.tree.map(lambda leaf: leaf[0], step)
    belief, _ = TINY.observe(KEY, state, TINY.start(state, 4), life.action[0], first)
    assert (TINY.imagine(KEY, state, belief, life.action[0])[1].continues < 0.2).all()


@pytest.mark.parametrize("balance", ["fixed", "harmony"])
def test_the_loss_by_hand(balance):
    """With the weights 1 and 0.1 of the two pulls, which are the defaults."""
    scales = np.array([0.5, -1.0, 2.0], np.float32)
    model = TINY if balance == "fixed" else GRASPING
    state = dataclasses.replace(born(model, BOXES), balance=scales)
    batch = sequences_of(plant_life(1, BOXES, 6), 6)
    after, info, _ = lesson(model, 1e6, state, batch)
    # all divergences lie below the free nats, which count once and by a tenth; the model expects no end yet
    assert float(info["latent_loss"]) == pytest.approx(1e6)
    parts = np.array([float(info["decoder_loss" if model.decodes else "grasp_loss"]), float(info["reward_loss"]), 1.1e6])
    weighed = parts * np.exp(-scales) + np.log(1 + np.exp(scales)) if balance == "harmony" else parts
    ends = np.log1p(np.exp(-6.0)) + 6.0 * np.mean(np.asarray(batch.next.terminated))
    assert float(info["model_loss"]) == pytest.approx(weighed.sum() + ends, rel=1e-6)
    moved = np.abs(after.balance - scales)
    assert (moved > 0).all() if balance == "harmony" else (moved == 0).all()


def test_values_bootstrap_at_a_limit_by_hand():
    bins, certain = Bins(low=-12.0, high=12.0, count=25), np.float32(40.0) * np.eye(25, dtype=np.float32)[13]
    weights = jax.jit(lambda: grasp.init(KEY, 3, 4, 8, bins, form(CHOICES.action)))()
    # every belief has the value of bin 13, which is symexp(1)
    value = (*weights.value[:-1], dataclasses.replace(weights.value[-1], bias=certain))
    weights = dataclasses.replace(weights, value=value, action=jax.tree.map(np.zeros_like, weights.action))
    found = jax.jit(lambda weights, *given: grasp.loss(weights, bins, 0.5, form(CHOICES.action), *given))(
        weights,
        np.ones((4, 3), np.float32),
        np.ones((4, 1, 4), np.float32),
        np.eye(3, dtype=np.float32)[:, None],
        np.array([[2.0], [np.nan], [3.0]], np.float32),
        np.array([[0.0], [0.0], [1.0]], np.float32),
        np.array([[True], [False], [True]]),
    )
    later = np.expm1(1.0)
    expected = np.mean(bins.loss(certain[None], np.array([2.0 + 0.5 * later, 3.0], np.float32)))
    assert float(found) == pytest.approx(float(expected) + np.log(3), rel=1e-5)


def test_pictures_of_the_wrong_form_are_refused():
    def showing(*shape, beside=False):
        picture = Box(shape=shape, low=0, high=255, dtype="uint8")
        return dataclasses.replace(BOXES, observation={"a": picture, "b": Box(shape=(2,))} if beside else picture)

    for spec in (showing(84, 84, 1), showing(4, 64, 64), showing(64, 64, 1, beside=True)):
        with pytest.raises(ValueError, match=r"\(64, 64, channels\)"):
            jax.eval_shape(lambda key, spec=spec: TINY.init(key, spec), KEY)
    # a board of bytes is no picture
    jax.eval_shape(lambda key: TINY.init(key, showing(7, 7, 3)), KEY)
