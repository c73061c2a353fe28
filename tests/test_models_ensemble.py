"""The probabilistic ensemble against NumPy, SciPy and closed forms."""

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from umwelt.core import FIRST, MID, TERMINATED, Box, Discrete, Experience, TimeStep, WorldSpec, lived
from umwelt.models import Ensemble, gaussian, lots, patience, transitions
from umwelt.networks import members, scale

KEY = jax.random.key(3)
SPEC = WorldSpec(name="test", observation=Box(shape=(2,)), action=Box(shape=(1,), low=-1.0, high=1.0), task=Box())
SMALL = Ensemble(members=3, layers=2, units=16, noisy=False)
LEARN = jax.jit(SMALL.learn)


def steps(observation: Any, reward: Any = 0.0, kind: Any = MID) -> TimeStep:
    rows = len(observation)
    return TimeStep(
        kind=np.broadcast_to(np.asarray(kind, np.int8), rows),
        observation=np.asarray(observation, np.float32),
        reward=np.broadcast_to(np.asarray(reward, np.float32), rows),
    )


def random_experience(rows: int, seed: int = 0) -> Experience:
    random = np.random.default_rng(seed)
    before = random.normal(size=(rows, 2)) * [1.0, 5.0] + [0.0, 20.0]
    action = random.uniform(-1, 1, size=(rows, 1)).astype(np.float32)
    after = before + action * [0.3, 2.0] + 0.1 * before
    return lived(steps(before), jnp.asarray(action), steps(after, before[:, 0]))


def taught(model: Ensemble, experience: Any, updates: int, spec: WorldSpec = SPEC) -> tuple[Any, dict[str, Any]]:
    """The state after `updates` updates from random halves of the experience, and the last Info."""
    rows = experience.origin.shape[0]

    @jax.jit
    def run(state: Any, experience: Any) -> Any:
        def update(held: Any, key: Any) -> Any:
            drawn = jax.random.randint(key, (rows // 2,), 0, rows)
            return model.learn(key, held, jax.tree.map(lambda leaf: leaf[drawn], experience))

        return jax.lax.scan(update, state, jax.random.split(KEY, updates))

    state, info = run(model.init(KEY, spec), experience)
    return state, {name: np.asarray(value)[-1] for name, value in info.items()}


def by_hand(state: Any, member: int, observation: np.ndarray, action: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One member in NumPy, float64: mean [N, T] and variance [N, T] in the world's units, reward last."""
    x = np.concatenate([observation, action], -1).astype(np.float64)
    hidden = ((x - np.asarray(state.inputs.mean)) / np.asarray(state.inputs.deviation)).T
    pairs = list(zip(state.weights.network.weights, state.weights.network.biases, strict=True))
    for index, (weight, bias) in enumerate(pairs):
        hidden = np.asarray(weight[member], np.float64) @ hidden + np.asarray(bias[member])
        if index < len(pairs) - 1:
            hidden = hidden * special.expit(hidden)
    lowest, highest = np.asarray(state.weights.lowest), np.asarray(state.weights.highest)
    targets = len(lowest)
    log_variance = highest - np.logaddexp(0, highest - hidden[targets : 2 * targets])
    log_variance = lowest + np.logaddexp(0, log_variance - lowest)
    deviation = np.asarray(state.targets.deviation)
    mean = hidden[:targets].T * deviation + np.asarray(state.targets.mean)
    return mean, np.exp(log_variance.T) * deviation**2


@pytest.fixture(scope="module")
def trained() -> Any:
    return taught(SMALL, random_experience(300), 60)[0]


def test_nats_are_those_of_scipy():
    random = np.random.default_rng(0)
    target, mean, log_variance = random.normal(size=(3, 4, 2, 5)).astype(np.float32)
    expected = -stats.norm.logpdf(target, mean, np.exp(0.5 * log_variance))
    np.testing.assert_allclose(gaussian.nats(target, mean, log_variance), expected, rtol=1e-5)
    mixture = -special.logsumexp(-expected.sum(1), axis=0) + math.log(4)
    np.testing.assert_allclose(gaussian.mixture_nats(target, mean, log_variance), mixture, rtol=1e-5)


def test_surprise_is_the_density_of_the_observation_in_its_own_units(trained):
    random = np.random.default_rng(1)
    before, after = random.normal(size=(2, 6, 2)) * [1, 5] + [0, 20]
    action = random.uniform(-1, 1, size=(6, 1)).astype(np.float32)
    belief, _ = SMALL.observe(KEY, trained, SMALL.start(trained, 6), action, steps(before, kind=FIRST))
    kind = np.array([MID, MID, FIRST, TERMINATED, MID, FIRST])
    belief, info = SMALL.observe(KEY, trained, belief, action, steps(after, kind=kind))
    members = [by_hand(trained, member, before, action) for member in range(3)]
    logs = [stats.norm.logpdf(after - before, mean[:, :2], np.sqrt(variance[:, :2])).sum(1) for mean, variance in members]
    expected = -(special.logsumexp(logs, axis=0) - math.log(3)) / 2
    means = np.stack([mean[:, :2] for mean, _ in members]) / np.asarray(trained.targets.deviation[:2])
    doubt = np.sqrt(np.mean(np.var(means, axis=0), axis=1))
    np.testing.assert_allclose(info["surprise"], np.where(kind == FIRST, np.nan, expected), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(info["doubt"], np.where(kind == FIRST, np.nan, doubt), rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(belief, np.repeat(after.astype(np.float32)[:, None], 3, axis=1))


def test_particles_follow_their_member(trained):
    random = np.random.default_rng(2)
    particles = np.repeat(random.normal([0, 20], size=(4, 1, 2)), 3, axis=1)
    belief = jnp.asarray(particles, jnp.float32)
    for _ in range(4):
        action = random.uniform(-1, 1, size=(4, 1)).astype(np.float32)
        belief, prediction = SMALL.imagine(KEY, trained, belief, action)
        moved = [by_hand(trained, member, particles[:, member], action)[0] for member in range(3)]
        particles = np.stack([particles[:, member] + mean[:, :2] for member, mean in enumerate(moved)], axis=1)
        np.testing.assert_allclose(belief, particles, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(prediction.observation, particles.mean(1), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(prediction.reward, np.mean([mean[:, 2] for mean in moved], axis=0), rtol=1e-3, atol=1e-4)


def test_ts1_deals_each_member_once_in_each_step(trained):
    model = dataclasses.replace(SMALL, propagation="ts1")
    start = jnp.asarray([[[0.1, 20.0], [0.5, 22.0], [-0.4, 15.0]]])
    action = jnp.zeros((1, 1))
    moves = np.stack([np.asarray(start[0] + by_hand(trained, m, np.asarray(start[0]), np.zeros((3, 1)))[0][:, :2])
                      for m in range(3)])  # fmt: skip
    deals = set()
    for seed in range(12):
        after, _ = model.imagine(jax.random.key(seed), trained, start, action)
        gaps = np.abs(moves[:, None] - np.asarray(after)[0][None, :, None]).max(-1)
        member, found, particle = np.nonzero(gaps < 1e-3)
        np.testing.assert_array_equal(np.sort(member), np.arange(3))
        np.testing.assert_array_equal(np.sort(particle), np.arange(3))
        deals.add(tuple(particle[np.argsort(member)]))
        assert len(found) == 3
    assert len(deals) > 2


def test_mean_propagation_keeps_one_particle(trained):
    model = dataclasses.replace(SMALL, propagation="mean")
    observation, action = np.array([[0.3, 21.0], [1.0, 18.0]]), np.array([[0.5], [-0.5]], np.float32)
    belief, _ = model.observe(KEY, trained, model.start(trained, 2), action, steps(observation))
    assert belief.shape == (2, 1, 2)
    after, prediction = model.imagine(KEY, trained, belief, action)
    mean = np.mean([by_hand(trained, member, observation, action)[0] for member in range(3)], axis=0)
    np.testing.assert_allclose(after[:, 0], observation + mean[:, :2], rtol=1e-4)
    np.testing.assert_allclose(prediction.reward, mean[:, 2], rtol=1e-3, atol=1e-4)


def test_members_that_agree_have_no_doubt(trained):
    alike = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf[:1], leaf.shape), trained.weights.network)
    state = dataclasses.replace(trained, weights=dataclasses.replace(trained.weights, network=alike))
    belief, action = jnp.full((4, 3, 2), 7.0), jnp.ones((4, 1))
    _, info = SMALL.observe(KEY, state, belief, action, steps(np.ones((4, 2))))
    _, prediction = SMALL.imagine(KEY, state, belief, action)
    np.testing.assert_allclose(info["doubt"], 0, atol=1e-6)
    np.testing.assert_allclose(prediction.doubt, 0, atol=1e-6)
    _, prediction = SMALL.imagine(KEY, trained, belief, action)
    assert np.all(prediction.doubt > 1e-3)


def test_variance_stays_between_its_bounds():
    raw = jnp.asarray([-1e4, -11.0, -1.0, 0.0, 0.6, 30.0, 1e4])
    found = np.asarray(gaussian.bounded(raw, jnp.float32(-10), jnp.float32(0.5)))
    assert np.all(found >= -10)
    assert np.all(found <= 0.5 + 1e-4)
    assert np.all(np.diff(found) >= 0)
    np.testing.assert_allclose(gaussian.bounded(jnp.float32(-4.0), jnp.float32(-10), jnp.float32(0.5)), -4.0, atol=0.02)


def test_known_noise_is_learned_and_drawn():
    """The change is pure noise of two sizes: surprise goes to its entropy, imagined particles to its spread."""
    random = np.random.default_rng(4)
    before = random.normal(size=(4000, 2))
    after = before + random.normal(size=(4000, 2)) * [0.2, 3.0]
    experience = lived(steps(before), jnp.asarray(random.uniform(-1, 1, (4000, 1)), jnp.float32), steps(after))
    model = dataclasses.replace(SMALL, noisy=True, members=4)
    state, _ = taught(model, experience, 300)
    belief, _ = model.observe(KEY, state, model.start(state, 4000), experience.action, experience.step)
    _, info = model.observe(KEY, state, belief, experience.action, experience.next)
    entropy = 0.5 * np.log(2 * math.pi * math.e * np.array([0.2, 3.0]) ** 2).mean()
    np.testing.assert_allclose(np.mean(info["surprise"]), entropy, atol=0.05)
    moved, _ = model.imagine(KEY, state, belief, experience.action)
    np.testing.assert_allclose(np.std(np.asarray(moved - belief), axis=(0, 1)), [0.2, 3.0], rtol=0.1)


def test_given_reward_and_end_are_used(trained):
    def reward(observation: Any, action: Any, after: Any) -> Any:
        return observation[:, 0] + 10 * action[:, 0] + 100 * after[:, 1]

    def continues(observation: Any, action: Any, after: Any) -> Any:
        return (after[:, 1] < 1e9).astype(jnp.float32) * 0.25

    model = dataclasses.replace(SMALL, reward=reward, continues=continues)
    state = model.init(KEY, SPEC)
    assert state.weights.lowest.shape == (2, 1)
    assert state.weights.network.weights[-1].shape == (3, 4, 16)
    belief = jax.random.normal(KEY, (5, 3, 2))
    action = jnp.linspace(-1, 1, 5)[:, None]
    after, prediction = model.imagine(KEY, state, belief, action)
    expected = belief[:, :, 0] + 10 * action + 100 * after[:, :, 1]
    np.testing.assert_allclose(prediction.reward, expected.mean(1), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(prediction.continues, 0.25)


def test_choices_and_ends_are_learned():
    """A world in which the choice alone says where it goes, and the third choice ends it."""
    spec = dataclasses.replace(SPEC, action=Discrete(n=3))
    random = np.random.default_rng(5)
    before, action = random.normal(size=(900, 2)), random.integers(3, size=900)
    after = before + np.array([[1.0, 0.0], [0.0, -1.0], [0.5, 0.5]])[action]
    kind = np.where(action == 2, TERMINATED, MID)
    experience = lived(steps(before), jnp.asarray(action, jnp.int32), steps(after, action * 2.0, kind))
    model = dataclasses.replace(SMALL, learning_rate=5e-3)
    state, info = taught(model, experience, 300, spec)
    belief, _ = model.observe(KEY, state, model.start(state, 900), experience.action, experience.step)
    _, prediction = model.imagine(KEY, state, belief, experience.action)
    assert np.abs(prediction.observation - after).mean() < 0.06
    assert np.abs(prediction.reward - action * 2.0).mean() < 0.1
    assert np.asarray(prediction.continues)[action == 2].max() < 0.1
    assert np.asarray(prediction.continues)[action != 2].min() > 0.9
    assert info["model_residual"] < 0.1


def test_observations_stay_in_their_space():
    spec = dataclasses.replace(SPEC, observation={"where": Box(shape=(1,), low=-1.0, high=1.0), "door": Discrete(n=2)})
    model = dataclasses.replace(SMALL, noisy=True)
    state = model.init(KEY, spec)
    belief, prediction = model.imagine(KEY, state, 0.9 * jnp.ones((50, 3, 3)), jnp.ones((50, 1)))
    doors, where = np.asarray(belief)[..., :2], np.asarray(belief)[..., 2]
    assert np.abs(where).max() == 1
    np.testing.assert_array_equal(np.sort(doors, axis=-1), np.broadcast_to([0.0, 1.0], doors.shape))
    assert prediction.observation["door"].dtype == jnp.int32
    assert prediction.observation["where"].shape == (50, 1)


def test_lots_are_even_lasting_and_differ_between_members():
    rows = jnp.asarray(np.random.default_rng(6).normal(size=(4000, 3)), jnp.float32)
    cards = np.asarray(lots.draw(jnp.broadcast_to(rows, (2, 4000, 3))))
    assert stats.kstest(cards.reshape(-1), "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(cards)[0, 1]) < 0.06
    np.testing.assert_array_equal(np.asarray(lots.draw(jnp.broadcast_to(rows[::-1], (2, 4000, 3))))[:, ::-1], cards)


def test_a_hidden_transition_teaches_a_member_nothing():
    """A batch of one transition: members it is hidden from keep their weights, and their error on it is held out."""
    model = dataclasses.replace(SMALL, share=0.5, weight_decay=0.0)
    experience = jax.tree.map(lambda leaf: jnp.repeat(leaf[:1], 3, axis=0), random_experience(300))
    state = model.init(KEY, SPEC)
    inputs = jnp.concatenate([experience.step.observation, experience.action], -1)
    change = experience.next.observation - experience.step.observation
    row = jnp.concatenate([inputs, change, experience.next.reward[:, None]], -1)
    shown = np.asarray(lots.draw(row[:, None]))[:, 0] < 0.5
    assert 0 < shown.sum() < 3
    after, info = jax.jit(model.learn)(KEY, state, experience)
    for before_weight, after_weight in zip(state.weights.network.weights, after.weights.network.weights, strict=True):
        moved = np.abs(np.asarray(after_weight - before_weight)).max(axis=(1, 2)) > 0
        np.testing.assert_array_equal(moved[: len(shown)], shown)
    assert np.isfinite(info["model_held_out"])
    assert info["model_held_out"] != info["model_residual"]
    assert np.isnan(jax.jit(dataclasses.replace(model, share=1.0).learn)(KEY, state, experience)[1]["model_held_out"])


def test_each_member_learns_from_its_own_slice():
    """Spoil the second slice of three: the first and the third member learn the same as before."""
    model = dataclasses.replace(SMALL, share=1.0)
    whole = random_experience(30)
    # The scales and the bounds are shared between members, so the spoiled slice is only reordered in its targets.
    order = np.r_[0:10, np.roll(np.arange(10, 20), 1), 20:30]
    spoiled = dataclasses.replace(whole, action=whole.action[order])
    state, learn = model.init(KEY, SPEC), jax.jit(model.learn)
    first, second = (learn(KEY, state, batch)[0].weights.network.weights[0] for batch in (whole, spoiled))
    gaps = np.abs(np.asarray(first - second)).max(axis=(1, 2))
    assert gaps[1] > 1e-4
    assert max(gaps[0], gaps[2]) < 1e-5


def test_sequences_are_read_as_their_transitions(trained):
    flat = random_experience(24)
    sequences = jax.tree.map(lambda leaf: leaf.reshape(6, 4, *leaf.shape[1:]), flat)
    first, second = (LEARN(KEY, trained, batch) for batch in (flat, sequences))
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_array_equal(a, b)


def test_seams_change_nothing(trained):
    batch = random_experience(24)
    seams = steps(np.full((24, 2), np.nan), kind=TERMINATED)
    spoiled = dataclasses.replace(batch, step=seams)
    after, _ = LEARN(KEY, trained, spoiled)
    for a, b in zip(jax.tree.leaves(trained), jax.tree.leaves(after), strict=True):
        np.testing.assert_array_equal(a, b)


def test_scale_is_exact_up_to_its_horizon_and_forgets_after():
    random = np.random.default_rng(8)
    rows, weight = random.normal(size=(60, 3)) * [1, 10, 0] + [5, -3, 1000], random.integers(0, 2, 60)
    held = scale.unit(3)
    for part in range(0, 60, 10):
        batch = jnp.asarray(rows[part : part + 10], jnp.float32)
        held = scale.update(held, batch, jnp.asarray(weight[part : part + 10], jnp.float32), 1e6)
    kept = rows[weight == 1]
    np.testing.assert_allclose(held.mean, kept.mean(0), rtol=1e-4)
    np.testing.assert_allclose(held.deviation[:2], kept.std(0)[:2], rtol=1e-4)
    assert held.deviation[2] == 1
    full = dataclasses.replace(held, count=jnp.float32(100))
    later = scale.update(full, jnp.full((10, 3), 7.0), jnp.ones(10), 100.0)
    np.testing.assert_allclose(later.mean, 0.9 * held.mean + 0.1 * 7, rtol=1e-5)
    np.testing.assert_allclose(later.variance, 0.9 * held.variance + 0.09 * (7 - held.mean) ** 2, rtol=1e-4)
    assert later.count == 100


def test_an_untrained_ensemble_doubts_about_one():
    """The meaning of doubt: 1 where the model knows no more than the spread of the data."""
    model = Ensemble(members=20, units=64)
    state = model.init(KEY, SPEC)
    belief = jnp.repeat(jax.random.normal(KEY, (200, 1, 2)), 20, axis=1)
    _, prediction = model.imagine(KEY, state, belief, jax.random.normal(KEY, (200, 1)))
    assert 0.7 < float(prediction.doubt.mean()) < 1.3


def test_networks_are_those_of_one_member_at_a_time():
    network = members.init(KEY, 3, (4, 8, 2))
    inputs = jax.random.normal(KEY, (3, 4, 5))
    outputs = members.apply(network, inputs)
    for member in range(3):
        hidden = np.asarray(network.weights[0][member]) @ np.asarray(inputs[member])
        expected = np.asarray(network.weights[1][member]) @ (hidden * special.expit(hidden))
        np.testing.assert_allclose(outputs[member], expected, rtol=1e-4, atol=1e-5)


def test_a_wrong_share_is_refused():
    with pytest.raises(ValueError, match="share"):
        Ensemble(share=0.0).init(KEY, SPEC)


def test_a_member_rests_while_its_hidden_error_rises():
    random = np.random.default_rng(1)
    before, action = random.normal(size=(60, 2)), jnp.asarray(random.uniform(-1, 1, size=(60, 1)), jnp.float32)
    noise = lived(steps(before), action, steps(before + random.normal(size=(60, 2))))
    eager = Ensemble(members=3, layers=2, units=64, learning_rate=3e-3, share=0.6)
    _, without = taught(eager, noise, 600)
    state, rested = taught(dataclasses.replace(eager, early_stop=0.05), noise, 600)
    # pure noise can only be memorised, which helps with nothing that is hidden
    assert rested["model_residual"] > without["model_residual"] + 0.15
    assert rested["model_held_out"] < 1.2 * without["model_held_out"]
    assert np.isfinite(state.patience.lowest).all()


def test_patience_by_hand():
    watched = patience.watch(patience.fresh(2), jnp.array([1.0, jnp.nan]))
    watched = patience.watch(watched, jnp.array([3.0, 2.0]))
    np.testing.assert_allclose(watched.recent, [1.1, 2.0], rtol=1e-6)
    np.testing.assert_allclose(watched.lowest, [1.0001, 2.0], rtol=1e-6)
    assert patience.rests(watched, 0.05).tolist() == [True, False]
    assert patience.rests(watched, 0.2).tolist() == [False, False]
    assert patience.rests(patience.fresh(2), 0.1).tolist() == [False, False]


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_beta_weighs_errors_by_a_power_of_the_predicted_variance(beta: float, trained: Any) -> None:
    """The slope of the loss at each mean is (mean - target) variance^(beta - 1): at 1 that of the squared error."""
    model = dataclasses.replace(SMALL, beta=beta, share=1.0, bound_penalty=0.0)
    experience, state = random_experience(64), trained
    rows = transitions.rows(state.observation_form, state.action_form, experience, True, np.arange(2))
    rows = jax.tree.map(lambda leaf: np.repeat(np.asarray(leaf)[None], 3, axis=0), rows)
    shown = np.ones((3, 64), bool)
    slopes = jax.jit(jax.grad(lambda weights: model._loss(weights, rows, shown)[0]))(state.weights)
    heads = model._split(state.weights, np.swapaxes(rows.inputs, 1, 2))
    mean, variance = np.asarray(heads.mean, np.float64), np.exp(np.asarray(heads.log_variance, np.float64))
    each = (mean - np.swapaxes(np.asarray(rows.targets), 1, 2)) * variance ** (beta - 1.0)
    found = np.asarray(slopes.network.biases[-1])[:, :3].reshape(3, 3)
    np.testing.assert_allclose(found, each.mean(axis=2) / 3, rtol=2e-3, atol=1e-4)


def test_a_constant_part_is_read_and_not_predicted() -> None:
    """The task says which way the first number goes, and stays as it is; it stands before what moves."""
    random = np.random.default_rng(0)
    sign = np.sign(random.uniform(-1, 1, 512)).astype(np.float32)
    before = random.uniform(-1, 1, 512).astype(np.float32)
    action = jnp.asarray(random.uniform(-1, 1, (512, 1)), jnp.float32)
    space = {"seen": Box(shape=(1,)), "a_task": {"task": Discrete(n=2)}, "past": Box(shape=(1,))}
    spec = dataclasses.replace(SPEC, observation=space)

    def step(numbers: np.ndarray, kind: int) -> TimeStep:
        way = {"task": jnp.asarray(sign > 0, jnp.int32)}
        observation = {"seen": jnp.asarray(numbers)[:, None], "a_task": way, "past": jnp.asarray(sign)[:, None]}
        return TimeStep(kind=jnp.full(512, kind, jnp.int8), observation=observation, reward=jnp.zeros(512))

    model = dataclasses.replace(SMALL, beta=1.0, propagation="mean")
    experience = lived(step(before, MID), action, step(before + 0.3 * sign, MID))
    state, _ = taught(model, experience, 400, spec)
    assert state.targets.mean.shape == (2,), "the change of one number, and the reward"
    belief, _ = model.observe(KEY, state, model.start(state, 512), action, step(before, FIRST))
    for _ in range(3):
        belief, prediction = model.imagine(KEY, state, belief, action)
    np.testing.assert_array_equal(prediction.observation["past"][:, 0], sign)
    np.testing.assert_array_equal(prediction.observation["a_task"]["task"], sign > 0)
    assert np.abs(prediction.observation["seen"][:, 0] - before - 0.9 * sign).mean() < 0.1
    with pytest.raises(ValueError, match="at least one has to change"):
        dataclasses.replace(SMALL, constant=("seen", "past", "a_task")).init(KEY, spec)


@pytest.mark.parametrize(("moving", "put"), [([0, 1], [5.0, 7.0, 0.0]), ([0, 2], [5.0, 0.0, 7.0]), ([0, 1, 2], [5.0, 7.0, 9.0])])
def test_moving_numbers_are_taken_and_put_back(moving: list[int], put: list[float]) -> None:
    values = jnp.array([[5.0, 7.0, 9.0]])
    np.testing.assert_array_equal(transitions.put(values[:, : len(moving)], np.array(moving), 3), [put])
    np.testing.assert_array_equal(transitions.take(values, np.array(moving)), values[:, np.array(moving)])
