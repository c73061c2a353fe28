"""The recurrent state-space model, its encoders, and the beliefs that it hands out."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.check.plant import BOXES, CHOICES, plant_life, random_life
from umwelt.core import FIRST, WATCHED, Box, Discrete, TimeStep, WorldSpec
from umwelt.models import Doubted, Ensemble, Rssm, grasp, rssm, vision
from umwelt.networks import beliefs, layers
from umwelt.networks.form import form, numbers
from umwelt.networks.twohot import Bins

KEY = jax.random.key(6)
RSSM = Rssm(deterministic=32, groups=4, classes=8, units=32, free_nats=0.1, learning_rate=3e-3)
TINY = Rssm(deterministic=8, groups=2, classes=4, units=8)


def sequences_of(life, length):
    """The first transitions of every row, as sequences [N, L]."""
    return jax.tree.map(lambda leaf: jnp.swapaxes(leaf[:length], 0, 1), life)


def born(model, spec):
    """A model without data, compiled."""
    return jax.jit(lambda key: model.init(key, spec))(KEY)


def repeated(model, spec, batch, times):
    """The state and the metrics of `times` updates on one batch."""

    def update(state, key):
        return model.learn(key, state, batch)

    return jax.jit(lambda state: jax.lax.scan(update, state, jax.random.split(KEY, times)))(born(model, spec))


def test_recurrent_keeps_the_contract():
    """Of boxes; the shapes of choices are those of its recipes, in `test_recipes`."""
    umwelt.check.model(Doubted(model=RSSM, last=4), spec=BOXES, steps=40, length=8).raise_if_broken()


def test_beliefs_of_an_update_are_those_of_recall_before_it():
    """Of the model itself, and through `Doubted`, whose networks learn from them; across the ends of episodes."""
    batch, doubted = sequences_of(plant_life(1, BOXES, 16), 16), Doubted(model=TINY, last=16)
    state = born(doubted, BOXES)
    expected = jax.jit(TINY.recall)(KEY, state.inner, batch)
    for model, held in ((TINY, state.inner), (doubted, state)):
        after, info, found = jax.jit(lambda *given, model=model: beliefs.learned(given[0], model, *given[1:]))(KEY, held, batch)
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
    state, seen = born(RSSM, BOXES), jax.random.normal(KEY, (4, 3))
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
    noise = jax.random.normal(KEY, (4, 8))
    belief = dataclasses.replace(TINY.start(state, 4), deterministic=noise)
    step = TimeStep(kind=jnp.array([FIRST, 1, FIRST, 1], jnp.int8), observation=jnp.ones((4, 3)), reward=jnp.zeros(4))
    one, _ = TINY.observe(KEY, state, belief, jnp.ones((4, 2)), step)
    other, info = TINY.observe(KEY, state, TINY.start(state, 4), jnp.zeros((4, 2)), step)
    same = np.isclose(one.deterministic, other.deterministic).all(axis=1)
    assert same.tolist() == [True, False, True, False]
    assert np.isnan(info["surprise"]).tolist() == [True, False, True, False]


def test_units_of_the_actions_do_not_matter():
    """In thousands or in ones, and around any middle, the same pushes make the same loss and the same beliefs."""
    life, found = random_life(1, BOXES, 4), {}
    model = dataclasses.replace(TINY, targets="value and action")
    for middle, half in ((0.0, 1.0), (250.0, 1000.0)):
        spec = dataclasses.replace(BOXES, action=Box(shape=(2,), low=middle - half, high=middle + half))
        batch = sequences_of(dataclasses.replace(life, action=middle + half * life.action), 4)
        state = born(model, spec)
        info = jax.jit(lambda state, batch: model.learn(KEY, state, batch)[1])(state, batch)
        belief, _ = model.observe(
            KEY, state, model.start(state, 4), batch.action[:, 0], jax.tree.map(lambda leaf: leaf[:, 0], batch.next)
        )
        found[half] = info, belief, model.imagine(KEY, state, belief, batch.action[:, 1])[0]
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-3), found[1.0], found[1000.0])


def test_pictures_are_encoded_and_decoded():
    spec = WorldSpec(
        name="pictures",
        observation=Box(shape=(64, 64, 1), low=0, high=255, dtype="uint8"),
        action=Discrete(n=2),
        task=Box(),
        batch=4,
    )
    model = Rssm(deterministic=16, groups=4, classes=4, units=32, depth=4, fold=4, learning_rate=1e-2)
    rows = jnp.arange(64)[:, None, None] < jnp.arange(8, 64, 14)[:, None, None, None]
    shown = jnp.broadcast_to(jnp.where(rows, 255, 0).astype(jnp.uint8), (4, 64, 64, 1))
    batch = sequences_of(random_life(1, spec, 4), 2)
    every = jnp.broadcast_to(shown[:, None], (4, 2, 64, 64, 1))
    batch = dataclasses.replace(
        batch, step=dataclasses.replace(batch.step, observation=every), next=dataclasses.replace(batch.next, observation=every)
    )
    state, info = repeated(model, spec, batch, 90)
    assert float(info["decoder_loss"][-1]) < 0.25 * float(info["decoder_loss"][0])
    step = TimeStep(kind=jnp.zeros(4, jnp.int8), observation=shown, reward=jnp.zeros(4))
    belief, _ = model.observe(KEY, state, model.start(state, 4), jnp.zeros(4, jnp.int32), step)
    _, prediction = model.imagine(KEY, state, belief, jnp.zeros(4, jnp.int32))
    assert prediction.observation.dtype == jnp.uint8
    assert float(jnp.abs(prediction.observation.astype(jnp.float32) - shown).mean()) < 60.0
    unfolded = dataclasses.replace(model, fold=1)

    def imagined(key):
        fresh = unfolded.init(key, spec)
        return unfolded.imagine(key, fresh, unfolded.start(fresh, 4), jnp.zeros(4, jnp.int32))[1].observation

    assert jax.eval_shape(imagined, KEY).shape == (4, 64, 64, 1)


def test_a_model_without_a_decoder_learns_actions_and_values():
    model = Rssm(deterministic=16, groups=4, classes=4, units=32, targets="value and action", discount=0.5, learning_rate=3e-3)
    life = random_life(1, CHOICES, 60)
    # the observation is the action that led there, and every step pays 1, so that every value is 2
    shown = jnp.repeat(life.action[..., None].astype(jnp.float32), 3, axis=-1)
    kind = jnp.ones_like(life.next.kind)
    life = dataclasses.replace(
        life,
        step=dataclasses.replace(life.step, kind=kind, observation=jnp.roll(shown, 1, axis=0)),
        next=dataclasses.replace(life.next, kind=kind, observation=shown, reward=jnp.ones_like(life.next.reward)),
    )
    state, info = repeated(model, CHOICES, sequences_of(life, 12), 300)
    # the least loss of values is the entropy of two bins, and that of actions is zero
    assert float(info["grasp_loss"][-1]) < 1.0 < float(info["grasp_loss"][0]) / 4
    belief = model.start(state, 4)
    for tick in range(6):
        belief, _ = model.observe(KEY, state, belief, life.action[tick], jax.tree.map(lambda leaf, at=tick: leaf[at], life.next))
    value = layers.apply(state.weights.decoder.value, numbers(belief), jax.nn.silu)
    np.testing.assert_allclose(model.bins.mean(value), 2.0, atol=0.3)
    assert model.imagine(KEY, state, belief, life.action[0])[1].observation is None
    with pytest.raises(ValueError, match="targets='pictures'"):
        dataclasses.replace(model, targets="pictures").init(KEY, CHOICES)


def _over_a_seam(batch):
    """Sequences of four transitions: two of one episode without any target, a seam, and one of the next."""
    kinds = jnp.broadcast_to(jnp.array([2, 2, 3, FIRST, 1], jnp.int8), (4, 5))
    step, after = (
        dataclasses.replace(one, kind=kinds[:, cut]) for one, cut in ((batch.step, slice(4)), (batch.next, slice(1, 5)))
    )
    return dataclasses.replace(batch, step=step, next=after)


def test_nothing_of_an_episode_is_learned_from_the_one_before():
    batch = _over_a_seam(sequences_of(plant_life(1, BOXES, 4), 4))
    noise = jax.random.normal(KEY, batch.step.observation.shape)
    before = dataclasses.replace(
        batch,
        step=dataclasses.replace(batch.step, observation=batch.step.observation.at[:, :3].add(noise[:, :3])),
        next=dataclasses.replace(
            batch.next,
            observation=batch.next.observation.at[:, :2].add(noise[:, 1:3]),
            reward=batch.next.reward.at[:, :3].set(jnp.nan),
        ),
        action=batch.action.at[:, 2].set(jnp.inf).at[:, :2].add(1.0),
    )
    after = dataclasses.replace(batch, action=batch.action.at[:, 3].add(1.0))
    # heads that begin at zero would predict the same of everything
    learn = jax.jit(RSSM.learn)
    warm, _ = learn(KEY, born(RSSM, BOXES), batch)
    plain, other, later = (learn(KEY, warm, each)[1] for each in (batch, before, after))
    assert float(plain["reward_loss"]) == float(other["reward_loss"])
    assert float(plain["reward_loss"]) != float(later["reward_loss"])
    assert all(np.isfinite(float(value)) for value in other.values())


def test_a_sequence_of_short_episodes_teaches_rewards_and_ends():
    model = dataclasses.replace(RSSM, learning_rate=1e-2)
    life = random_life(1, BOXES, 40)
    # every second step begins an episode, which pays what its first observation shows
    kinds = jnp.where(jnp.arange(41)[:, None] % 2 == 0, FIRST, 2).astype(jnp.int8) * jnp.ones((1, 4), jnp.int8)
    step, after = dataclasses.replace(life.step, kind=kinds[:-1]), dataclasses.replace(life.next, kind=kinds[1:])
    paid = jnp.where(after.kind == 2, jnp.sign(step.observation[..., 0]), 0.0)
    batch = sequences_of(dataclasses.replace(life, step=step, next=dataclasses.replace(after, reward=paid)), 16)
    state, info = repeated(model, BOXES, batch, 200)
    assert float(info["reward_loss"][-1]) < 0.3 * float(info["reward_loss"][0])
    first = jax.tree.map(lambda leaf: leaf[0], step)
    belief, _ = model.observe(KEY, state, model.start(state, 4), life.action[0], first)
    assert (model.imagine(KEY, state, belief, life.action[0])[1].continues < 0.2).all()


@pytest.mark.parametrize("balance", ["fixed", "harmony"])
def test_the_loss_by_hand(balance):
    model = dataclasses.replace(TINY, balance=balance, free_nats=1e6, dynamics_weight=1.0, representation_weight=0.1)
    scales = jnp.array([0.5, -1.0, 2.0])
    state = dataclasses.replace(born(model, BOXES), balance=scales)
    batch = sequences_of(plant_life(1, BOXES, 6), 5)
    after, info = jax.jit(model.learn)(KEY, state, batch)
    # all divergences lie below the free nats, which count once and by a tenth; the model expects no end yet
    assert float(info["latent_loss"]) == pytest.approx(1e6)
    parts = np.array([float(info["decoder_loss"]), float(info["reward_loss"]), 1.1e6])
    weighed = parts * np.exp(-np.array(scales)) + np.log(1 + np.exp(np.array(scales))) if balance == "harmony" else parts
    ends = np.log1p(np.exp(-6.0)) + 6.0 * np.mean(np.asarray(batch.next.terminated))
    assert float(info["model_loss"]) == pytest.approx(weighed.sum() + ends, rel=1e-6)
    moved = np.abs(after.balance - scales)
    assert (moved > 0).all() if balance == "harmony" else (moved == 0).all()


def test_values_bootstrap_at_a_limit_by_hand():
    bins, certain = Bins(low=-12.0, high=12.0, count=25), jnp.zeros(25).at[13].set(40.0)
    weights = grasp.init(KEY, 3, 4, 8, bins, form(CHOICES.action))
    # every belief has the value of bin 13, which is symexp(1)
    value = (*weights.value[:-1], dataclasses.replace(weights.value[-1], bias=certain))
    found = grasp.loss(
        dataclasses.replace(weights, value=value, action=jax.tree.map(jnp.zeros_like, weights.action)),
        bins,
        0.5,
        form(CHOICES.action),
        jnp.ones((4, 3)),
        jnp.ones((4, 1, 4)),
        jax.nn.one_hot(jnp.array([[0], [1], [2]]), 3),
        jnp.array([[2.0], [jnp.nan], [3.0]]),
        jnp.array([[0.0], [0.0], [1.0]]),
        jnp.array([[True], [False], [True]]),
    )
    later = np.expm1(1.0)
    expected = float(jnp.mean(bins.loss(certain[None], jnp.array([2.0 + 0.5 * later, 3.0]))))
    assert float(found) == pytest.approx(expected + np.log(3), rel=1e-5)


def test_pictures_of_the_wrong_form_are_refused():
    def showing(*shape, beside=False):
        picture = Box(shape=shape, low=0, high=255, dtype="uint8")
        return dataclasses.replace(BOXES, observation={"a": picture, "b": Box(shape=(2,))} if beside else picture)

    for spec in (showing(84, 84, 1), showing(4, 64, 64), showing(64, 64, 1, beside=True)):
        with pytest.raises(ValueError, match=r"\(64, 64, channels\)"):
            born(RSSM, spec)
    # a board of bytes is no picture
    jax.eval_shape(lambda key: RSSM.init(key, showing(7, 7, 3)), KEY)
