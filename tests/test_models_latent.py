"""The latent models: the implicit one, the recurrent one, and the doubt that both are given."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.check.plant import BOXES, CHOICES, plant_life, random_life
from umwelt.core import FIRST, Box, Discrete, TimeStep, WorldSpec
from umwelt.models import Doubted, Implicit, Rssm, vision, grasp, sequences
from umwelt.models.rssm import _divergence, _draw
from umwelt.networks import layers
from umwelt.networks.form import form, numbers
from umwelt.networks.twohot import Bins

KEY = jax.random.key(6)
IMPLICIT = Implicit(latent=32, units=32, encoder_units=32, learning_rate=2e-3)
# few free nats: a surprise below them need not fall
RSSM = Rssm(deterministic=32, groups=4, classes=8, units=32, free_nats=0.1, learning_rate=3e-3)


@pytest.mark.parametrize(("model", "length"), [(Doubted(model=IMPLICIT), 3), (Doubted(model=RSSM, last=4), 8)])
def test_latent_models_keep_the_contract(model, length):
    umwelt.check.model(model, steps=200, length=length, quick=True).raise_if_broken()


@pytest.mark.parametrize("model", [IMPLICIT, Rssm(deterministic=16, groups=2, classes=4, units=16)])
def test_several_seeds_at_once_are_the_single_ones(model):
    meal = _sequences(plant_life(1, BOXES, 8), 1)

    def birth(key):
        return model.learn(key, model.init(key, BOXES), meal)[0]

    # Adam's first step is as long where a gradient is rounding alone
    draws = jax.random.split(KEY, 2)
    together, alone = jax.jit(jax.vmap(birth))(draws), jax.jit(birth)(draws[1])
    jax.tree.map(lambda one, both: np.testing.assert_allclose(one, both[1], atol=5e-3), alone, together)


def test_a_plan_ends_at_the_mean_of_what_the_slow_copies_say():
    state, latents = IMPLICIT.init(KEY, BOXES), jax.random.uniform(KEY, (5, 32))

    def sure_of(*chosen):
        """Values whose members each put everything on one bin."""
        ends = [(*rest[:-1], dataclasses.replace(rest[-1], bias=100.0 * jax.nn.one_hot(bin, 101)))
                for rest, bin in zip(state.target.rest, chosen, strict=True)]  # fmt: skip
        return dataclasses.replace(state.target, rest=tuple(ends))

    latest = dataclasses.replace(state, weights=dataclasses.replace(state.weights, values=sure_of(90, 90)))
    np.testing.assert_allclose(IMPLICIT.value(latest, latents), 0.0, atol=1e-3)
    # bins 60 and 65 stand at 2 and 3 in symlog units
    slow = dataclasses.replace(state, target=sure_of(60, 65))
    np.testing.assert_allclose(IMPLICIT.value(slow, latents), (np.expm1(2.0) + np.expm1(3.0)) / 2, rtol=1e-4)


def test_the_implicit_model_is_surprised_in_standard_deviations():
    state = dataclasses.replace(IMPLICIT.init(KEY, BOXES), spread=jnp.float32(0.04))
    belief, action, seen = jax.random.uniform(KEY, (4, 32)), jnp.zeros((4, 2)), jax.random.normal(KEY, (4, 3))
    expected, _ = IMPLICIT.imagine(KEY, state, belief, action)
    step = TimeStep(kind=jnp.ones(4, jnp.int8), observation=seen, reward=jnp.zeros(4))
    found, info = IMPLICIT.observe(KEY, state, belief, action, step)
    errors = np.asarray(found - expected)
    np.testing.assert_allclose(info["surprise"], [np.sqrt(np.mean(row**2)) / 0.2 for row in errors], rtol=1e-4)


@pytest.mark.parametrize("model", [IMPLICIT, RSSM], ids=["implicit", "recurrent"])
def test_twice_what_is_seen_is_something_else(model):
    state = model.init(KEY, BOXES)
    seen = jax.random.normal(KEY, (4, 3))

    def looked(observation):
        step = TimeStep(kind=jnp.zeros(4, jnp.int8), observation=observation, reward=jnp.zeros(4))
        flat = state.observation_form.flat(step.observation)
        if isinstance(model, Implicit):
            return model.encode(state.weights, flat)
        return vision.encode(state.weights.encoder, state.observation_form, step.observation)

    gap = np.abs(looked(2 * seen) - looked(seen)).mean(axis=1)
    assert (gap > 0.05 * np.abs(looked(seen)).mean()).all()


def _sequences(life, length):
    """The first transitions of every row, as sequences [N, L]."""
    return jax.tree.map(lambda leaf: jnp.swapaxes(leaf[:length], 0, 1), life)


@pytest.mark.parametrize("trust", [0.0, 1.0])
def test_td_targets_by_hand(trust):
    model = dataclasses.replace(IMPLICIT, discount=0.5, lambda_=trust)
    state = model.init(KEY, BOXES)
    meal = _sequences(plant_life(1, BOXES, 3), 1)
    ended = dataclasses.replace(meal.next, reward=jnp.full((4, 1), 2.0), kind=jnp.array([[1], [1], [2], [3]], jnp.int8))
    worth = jnp.log(jnp.full(model.bins.count, 1e-9).at[60].set(1.0))

    def expecting(values):
        rest = tuple((*each[:-1], dataclasses.replace(each[-1], bias=worth)) for each in values.rest)
        return dataclasses.replace(values, rest=rest)

    state = dataclasses.replace(state, target=expecting(state.target))
    _, info = jax.jit(model.learn)(KEY, state, dataclasses.replace(meal, next=ended))
    later = float(jnp.expm1(2.0))
    # a time limit is bootstrapped, an end is not
    assert float(info["value"]) == pytest.approx((3 * (2 + 0.5 * later) + 2) / 4, rel=1e-3)


def test_targets_that_look_along_a_sequence_by_hand():
    model = dataclasses.replace(IMPLICIT, discount=0.5, lambda_=1.0)
    state = model.init(KEY, BOXES)
    meal = _sequences(plant_life(1, BOXES, 3), 3)
    kinds = jnp.array([[1, 1, 1], [1, 2, 1], [1, 1, 2], [1, 1, 3]], jnp.int8)
    rewards = jnp.array([[1.0, 2.0, 4.0]] * 4)
    inside = dataclasses.replace(meal.step, kind=jnp.ones((4, 3), jnp.int8))
    meal = dataclasses.replace(meal, step=inside, next=dataclasses.replace(meal.next, reward=rewards, kind=kinds))
    _, info = jax.jit(model.learn)(KEY, state, meal)
    # an untrained value is worth nothing: 1 + 2 / 2 + 4 / 4 = 3, then 4, then 4; what follows an end does not count
    assert float(info["value"]) == pytest.approx(np.mean([[3, 4, 4], [2, 2, 4], [3, 4, 4], [3, 4, 4]]), rel=1e-5)


def test_a_policy_is_taught_by_the_first_latents_only():
    state = IMPLICIT.init(KEY, CHOICES)
    rows = sequences.rows(state.observation_form, state.policy, _sequences(random_life(1, CHOICES, 3), 3))
    latents = jax.random.uniform(KEY, (4, rows.weight.shape[1], IMPLICIT.latent))
    # an untrained value is the same everywhere, and would teach nothing
    bias = jax.tree.map(lambda leaf: leaf + jax.random.normal(KEY, leaf.shape), state.weights.values)
    weights = dataclasses.replace(state.weights, values=bias)

    def lesson(taught, latents):
        model = dataclasses.replace(IMPLICIT, policy_latents=taught)
        return jax.grad(model._policy_loss, has_aux=True)(state.weights.policy, weights, state, latents, rows, KEY)[0]

    # what stands in the later ones reaches nothing
    jax.tree.map(np.testing.assert_array_equal, lesson(2, latents.at[2:].set(jnp.nan)), lesson(0, latents[:2]))
    others = jax.tree.map(np.array_equal, lesson(2, latents), lesson(0, latents))
    assert not all(jax.tree.leaves(others))
    with pytest.raises(ValueError, match="policy_latents=-1 must be"):
        dataclasses.replace(IMPLICIT, policy_latents=-1).init(KEY, BOXES)


@pytest.mark.parametrize("spec", [BOXES, CHOICES], ids=["boxes", "choices"])
def test_a_policy_imitates_what_it_is_shown(spec):
    model = dataclasses.replace(IMPLICIT, improves=False, learning_rate=1e-2)
    life = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), random_life(1, spec, 40))
    # with a little spread, or the policy would grow narrower for ever, and the least error be beyond measure
    spread = 0.1 * jax.random.normal(KEY, life.action.shape)
    chosen = jnp.full_like(life.action, 1) if spec is CHOICES else 0.5 + spread
    shown = dataclasses.replace(life, action=chosen)

    def lesson(state, key):
        return model.imitate(key, state, shown)

    begin = model.init(KEY, spec)
    state, info = jax.jit(lambda state: jax.lax.scan(lesson, state, jax.random.split(KEY, 150)))(begin)
    assert float(info["imitation_loss"][-1]) < 0.2 < float(info["imitation_loss"][0])
    belief, _ = model.observe(KEY, state, model.start(state, 8), life.action[:8], jax.tree.map(lambda leaf: leaf[:8], life.next))
    np.testing.assert_allclose(np.mean(model.prior(KEY, state, belief), axis=0), np.mean(chosen[:8], axis=0), atol=0.1)
    # rows that are no transitions teach nothing, whatever stands in them
    seam = dataclasses.replace(shown.step, kind=jnp.full_like(shown.step.kind, 2), observation=shown.step.observation * jnp.nan)
    untaught, _ = model.imitate(KEY, begin, dataclasses.replace(shown, step=seam))
    jax.tree.map(np.testing.assert_array_equal, untaught, begin)
    # and nothing but the policy has changed
    same = jax.tree.map(
        np.array_equal, dataclasses.replace(state.weights, policy=()), dataclasses.replace(begin.weights, policy=())
    )
    assert all(jax.tree.leaves(same))


def test_an_implicit_model_of_choices_prefers_what_pays():
    model = dataclasses.replace(IMPLICIT, discount=0.0, learning_rate=3e-3)
    life = random_life(1, CHOICES, 60)
    paid = dataclasses.replace(life.next, reward=(life.action == 1).astype(jnp.float32))
    meal = _sequences(jax.tree.map(lambda leaf: leaf[life.valid.all(1)], dataclasses.replace(life, next=paid)), 40)
    meal = jax.tree.map(lambda leaf: leaf.reshape(-1, 1, *leaf.shape[2:]), meal)

    def lesson(state, key):
        return model.learn(key, state, meal)

    state, _ = jax.jit(lambda state: jax.lax.scan(lesson, state, jax.random.split(KEY, 200)))(model.init(KEY, CHOICES))
    belief, _ = model.observe(KEY, state, model.start(state, 4), life.action[0], jax.tree.map(lambda leaf: leaf[0], life.step))
    drawn = jax.vmap(lambda key: model.prior(key, state, belief))(jax.random.split(KEY, 100))
    assert float(jnp.mean(drawn == 1)) > 0.8
    assert float(jnp.mean(model.value(state, belief))) == pytest.approx(1.0, abs=0.15)


def test_the_divergence_by_hand_and_draws_that_pass_gradients():
    one, other = jnp.log(jnp.array([[[0.5, 0.5]]])), jnp.log(jnp.array([[[0.25, 0.75]]]))
    assert float(_divergence(one, other)[0]) == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3), rel=1e-5)
    drawn = _draw(KEY, one)
    assert sorted(np.asarray(drawn).round(4).ravel()) == [0.0, 1.0]
    gradient = jax.grad(lambda logits: _draw(KEY, jax.nn.log_softmax(logits))[0, 0, 0])(jnp.zeros((1, 1, 2)))
    np.testing.assert_allclose(gradient[0, 0], [0.25, -0.25], rtol=1e-5)


def test_a_first_step_forgets_the_past_in_its_own_row_only():
    model = Rssm(deterministic=8, groups=2, classes=4, units=8)
    state = model.init(KEY, BOXES)
    noise = jax.random.normal(KEY, (4, 8))
    belief = dataclasses.replace(model.start(state, 4), deterministic=noise)
    step = TimeStep(kind=jnp.array([FIRST, 1, FIRST, 1], jnp.int8), observation=jnp.ones((4, 3)), reward=jnp.zeros(4))
    one, _ = model.observe(KEY, state, belief, jnp.ones((4, 2)), step)
    other, info = model.observe(KEY, state, model.start(state, 4), jnp.zeros((4, 2)), step)
    same = np.isclose(one.deterministic, other.deterministic).all(axis=1)
    assert same.tolist() == [True, False, True, False]
    assert np.isnan(info["surprise"]).tolist() == [True, False, True, False]


def test_what_a_recurrent_model_reads_of_an_action_knows_no_units():
    """Told in thousands or in ones, and around whichever middle, the same pushes are believed and learned alike."""
    model = Rssm(deterministic=8, groups=2, classes=4, units=8, targets="value and action")
    life = random_life(1, BOXES, 6)
    told = {}
    for middle, half in ((0.0, 1.0), (250.0, 1000.0)):
        spec = dataclasses.replace(BOXES, action=Box(shape=(2,), low=middle - half, high=middle + half))
        meal = _sequences(dataclasses.replace(life, action=middle + half * life.action), 6)
        state, info = model.learn(KEY, model.init(KEY, spec), meal)
        belief, _ = model.observe(
            KEY, state, model.start(state, 4), meal.action[:, 0], jax.tree.map(lambda leaf: leaf[:, 0], meal.next)
        )
        told[half] = info, belief, model.imagine(KEY, state, belief, meal.action[:, 1])[0]
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-3), told[1.0], told[1000.0])


@pytest.mark.parametrize("fold", [1, 4])
def test_pictures_are_seen_and_told(fold):
    spec = WorldSpec(
        name="pictures",
        observation=Box(shape=(64, 64, 1), low=0, high=255, dtype="uint8"),
        action=Discrete(n=2),
        task=Box(),
        batch=4,
    )
    model = Rssm(deterministic=16, groups=4, classes=4, units=32, depth=4, fold=fold, learning_rate=1e-2)
    rows = jnp.arange(64)[:, None, None] < jnp.arange(8, 64, 14)[:, None, None, None]
    shown = jnp.broadcast_to(jnp.where(rows, 255, 0).astype(jnp.uint8), (4, 64, 64, 1))
    life = random_life(1, spec, 4)
    meal = _sequences(life, 2)
    every = jnp.broadcast_to(shown[:, None], (4, 2, 64, 64, 1))
    meal = dataclasses.replace(
        meal, step=dataclasses.replace(meal.step, observation=every), next=dataclasses.replace(meal.next, observation=every)
    )

    def lesson(state, key):
        return model.learn(key, state, meal)

    state, info = jax.jit(lambda state: jax.lax.scan(lesson, state, jax.random.split(KEY, 90)))(model.init(KEY, spec))
    assert float(info["decoder_loss"][-1]) < 0.25 * float(info["decoder_loss"][0])
    step = TimeStep(kind=jnp.zeros(4, jnp.int8), observation=shown, reward=jnp.zeros(4))
    belief, _ = model.observe(KEY, state, model.start(state, 4), jnp.zeros(4, jnp.int32), step)
    _, prediction = model.imagine(KEY, state, belief, jnp.zeros(4, jnp.int32))
    assert prediction.observation.dtype == jnp.uint8
    error = jnp.abs(prediction.observation.astype(jnp.float32) - shown).mean()
    assert float(error) < 60.0


def test_a_model_without_a_decoder_tells_actions_and_values():
    model = Rssm(deterministic=16, groups=4, classes=4, units=32, targets="value and action", discount=0.5, learning_rate=3e-3)
    life = random_life(1, CHOICES, 60)
    # what is seen is the action that led there, and every step pays 1, so that all is worth 2
    shown = jnp.repeat(life.action[..., None].astype(jnp.float32), 3, axis=-1)
    kind = jnp.ones_like(life.next.kind)
    life = dataclasses.replace(
        life,
        step=dataclasses.replace(life.step, kind=kind, observation=jnp.roll(shown, 1, axis=0)),
        next=dataclasses.replace(life.next, kind=kind, observation=shown, reward=jnp.ones_like(life.next.reward)),
    )
    meal = _sequences(life, 12)

    def lesson(state, key):
        return model.learn(key, state, meal)

    state, info = jax.jit(lambda state: jax.lax.scan(lesson, state, jax.random.split(KEY, 300)))(model.init(KEY, CHOICES))
    # nobody can tell the values better than the entropy of two bins, nor the actions than certainly
    assert float(info["grasp_loss"][-1]) < 1.0 < float(info["grasp_loss"][0]) / 4
    belief = model.start(state, 4)
    for tick in range(6):
        belief, _ = model.observe(KEY, state, belief, life.action[tick], jax.tree.map(lambda leaf, at=tick: leaf[at], life.next))
    value = layers.apply(state.weights.decoder.value, numbers(belief), jax.nn.silu)
    np.testing.assert_allclose(model.bins.mean(value), 2.0, atol=0.3)
    assert model.imagine(KEY, state, belief, life.action[0])[1].observation is None
    with pytest.raises(ValueError, match="targets='pictures'"):
        dataclasses.replace(model, targets="pictures").init(KEY, CHOICES)


def _over_a_seam(meal):
    """Sequences of four transitions: two of one episode, of which nothing is to be learned, a seam, and one of the next."""
    kinds = jnp.broadcast_to(jnp.array([2, 2, 3, FIRST, 1], jnp.int8), (4, 5))
    step, after = (dataclasses.replace(one, kind=kinds[:, cut]) for one, cut in ((meal.step, slice(4)), (meal.next, slice(1, 5))))
    return dataclasses.replace(meal, step=step, next=after)


def test_nothing_of_an_episode_is_learned_from_the_one_before():
    state = RSSM.init(KEY, BOXES)
    meal = _over_a_seam(_sequences(plant_life(1, BOXES, 4), 4))
    noise = jax.random.normal(KEY, meal.step.observation.shape)
    before = dataclasses.replace(
        meal,
        step=dataclasses.replace(meal.step, observation=meal.step.observation.at[:, :3].add(noise[:, :3])),
        next=dataclasses.replace(
            meal.next,
            observation=meal.next.observation.at[:, :2].add(noise[:, 1:3]),
            reward=meal.next.reward.at[:, :3].set(jnp.nan),
        ),
        action=meal.action.at[:, 2].set(jnp.inf).at[:, :2].add(1.0),
    )
    after = dataclasses.replace(meal, action=meal.action.at[:, 3].add(1.0))
    # heads that begin at zero would say the same of everything
    learn = jax.jit(RSSM.learn)
    warm, _ = learn(KEY, state, meal)
    plain, other, later = (learn(KEY, warm, each)[1] for each in (meal, before, after))
    assert float(plain["reward_loss"]) == float(other["reward_loss"])
    assert float(plain["reward_loss"]) != float(later["reward_loss"])
    assert all(np.isfinite(float(value)) for value in other.values())


def test_a_sequence_of_short_episodes_teaches_a_recurrent_model():
    model = dataclasses.replace(RSSM, learning_rate=1e-2)
    life = random_life(1, BOXES, 40)
    # every second moment begins an episode, which pays what its first moment shows
    kinds = jnp.where(jnp.arange(41)[:, None] % 2 == 0, FIRST, 2).astype(jnp.int8) * jnp.ones((1, 4), jnp.int8)
    step, after = dataclasses.replace(life.step, kind=kinds[:-1]), dataclasses.replace(life.next, kind=kinds[1:])
    paid = jnp.where(after.kind == 2, jnp.sign(step.observation[..., 0]), 0.0)
    meal = _sequences(dataclasses.replace(life, step=step, next=dataclasses.replace(after, reward=paid)), 16)

    def lesson(state, key):
        return model.learn(key, state, meal)

    state, info = jax.jit(lambda state: jax.lax.scan(lesson, state, jax.random.split(KEY, 200)))(model.init(KEY, BOXES))
    assert float(info["reward_loss"][-1]) < 0.3 * float(info["reward_loss"][0])
    # that every episode ends at its second moment is learned too
    first = jax.tree.map(lambda leaf: leaf[0], step)
    belief, _ = model.observe(KEY, state, model.start(state, 4), life.action[0], first)
    assert (model.imagine(KEY, state, belief, life.action[0])[1].continues < 0.2).all()


@pytest.mark.parametrize("balance", ["fixed", "harmony"])
def test_what_the_recurrent_model_minimises_by_hand(balance):
    model = dataclasses.replace(RSSM, balance=balance, free_nats=1e6, guess_weight=1.0, draw_weight=0.1)
    scales = jnp.array([0.5, -1.0, 2.0])
    state = dataclasses.replace(model.init(KEY, BOXES), balance=scales)
    meal = _sequences(plant_life(1, BOXES, 6), 5)
    after, info = jax.jit(model.learn)(KEY, state, meal)
    # all divergences lie below the free nats, twice of which are weighed; nobody expects an end yet
    assert float(info["latent_loss"]) == pytest.approx(1e6)
    parts = np.array([float(info["decoder_loss"]), float(info["reward_loss"]), 1.1e6])
    weighed = parts * np.exp(-np.array(scales)) + np.log(1 + np.exp(np.array(scales))) if balance == "harmony" else parts
    ends = np.log1p(np.exp(-6.0)) + 6.0 * np.mean(np.asarray(meal.next.terminated))
    assert float(info["model_loss"]) == pytest.approx(weighed.sum() + ends, rel=1e-6)
    moved = np.abs(after.balance - scales)
    assert (moved > 0).all() if balance == "harmony" else (moved == 0).all()


def test_values_that_are_grasped_stop_at_a_limit_but_count_it():
    bins, certain = Bins(low=-12.0, high=12.0, count=25), jnp.zeros(25).at[13].set(40.0)
    weights = grasp.init(KEY, 3, 4, 8, bins, form(CHOICES.action))
    # whoever is asked expects the value of bin 13, which is symexp(1)
    value = (*weights.value[:-1], dataclasses.replace(weights.value[-1], bias=certain))
    told = grasp.loss(
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
    wanted = float(jnp.mean(bins.loss(certain[None], jnp.array([2.0 + 0.5 * later, 3.0]))))
    assert float(told) == pytest.approx(wanted + np.log(3), rel=1e-5)


def test_pictures_that_cannot_be_looked_at_are_refused():
    def showing(*shape, beside=False):
        picture = Box(shape=shape, low=0, high=255, dtype="uint8")
        return dataclasses.replace(BOXES, observation={"a": picture, "b": Box(shape=(2,))} if beside else picture)

    with pytest.raises(ValueError, match="Implicit reads numbers"):
        IMPLICIT.init(KEY, showing(64, 64, 3))
    for spec in (showing(84, 84, 1), showing(4, 64, 64), showing(64, 64, 1, beside=True)):
        with pytest.raises(ValueError, match=r"\(64, 64, channels\)"):
            RSSM.init(KEY, spec)
    # a board of bytes is no picture
    IMPLICIT.init(KEY, showing(7, 7, 3))
    RSSM.init(KEY, showing(7, 7, 3))


def test_doubt_is_for_models_that_replay():
    from umwelt.models import Losse

    with pytest.raises(ValueError, match="diet is replay"):
        Doubted(model=Losse()).init(KEY, BOXES)
    assert not hasattr(Doubted(model=RSSM), "value")
    assert hasattr(Doubted(model=IMPLICIT), "value")
