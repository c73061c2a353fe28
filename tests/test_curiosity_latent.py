"""Divergences of beliefs, mismatches and empowerment against closed forms."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.core import Moment
from umwelt.curiosity import Empowerment, LatentSurprise, Mismatch

KEY = jax.random.key(8)
SIGNALS = {
    "latent": LatentSurprise(latent=2, units=8),
    "mismatch": Mismatch(given=(0,), expected=(1,), units=8),
    "next": Mismatch(of="next", units=8),
    "empowerment": Empowerment(choices=False, units=8),
}


def moment(now: Any, after: Any, done: Any) -> Moment:
    now, after, done = (jnp.asarray(each, jnp.float32) for each in (now, after, done))
    rows = now.shape[0]
    return Moment(now=now, after=after, done=done, weight=jnp.ones(rows), surprise=jnp.full(rows, jnp.nan))


@cache
def taught(signal: Any, made: Any, updates: int, width: int, actions: int) -> Any:
    """The signal's state after so many updates on what `made` draws."""

    def lesson(state: Any, key: jax.Array) -> tuple[Any, None]:
        return signal.learn(key, state, made(key))[0], None

    state = signal.init(KEY, width, actions, 1)
    return jax.jit(lambda state: jax.lax.scan(lesson, state, jax.random.split(KEY, updates))[0])(state)


def paid(signal: Any, state: Any, made: Any) -> tuple[Moment, np.ndarray]:
    """32 moments that were not learned from, and their bonuses."""

    def given(key: jax.Array) -> tuple[Moment, jax.Array]:
        drawn = made(key)
        return drawn, signal.bonus(key, state, drawn)

    found = jax.jit(jax.vmap(given))(jax.random.split(jax.random.key(99), 32))
    drawn, bonus = jax.tree.map(lambda leaf: np.asarray(leaf).reshape(-1, *leaf.shape[2:]), found)
    return drawn, bonus


@pytest.mark.parametrize("name", SIGNALS)
def test_the_signals_keep_the_contract(name: str) -> None:
    check.curiosity(SIGNALS[name], depth="shapes").raise_if_broken()


def test_one_of_each_kind_holds_its_values() -> None:
    check.curiosity(SIGNALS["latent"]).raise_if_broken()


def noise(deviation: float) -> Any:
    def made(key: jax.Array) -> Moment:
        change = deviation * jax.random.normal(key, (64, 1))
        return moment(jnp.zeros((64, 1)), change, jnp.zeros((64, 1)))

    return made


@pytest.mark.parametrize(("deviation", "nats", "within"), [(1.0, 0.0, 0.05), (2.0, np.log(2.0), 0.1)])
def test_noise_costs_what_probabilistic_principal_components_say(deviation: float, nats: float, within: float) -> None:
    # a latent is worth half the logarithm of the variance over that of the decoder, which is 1
    signal = LatentSurprise(latent=2, units=16, learning_rate=3e-3, standard=False)
    made = noise(deviation)
    found = paid(signal, taught(signal, made, 1500, 1, 1), made)[1].mean()
    assert found == pytest.approx(nats, abs=within)


def test_a_divergence_of_normals_is_its_closed_form() -> None:
    from umwelt.curiosity.latent_surprise import _divergence

    (mean, wide), (found, narrow) = (0.3, 1.5), (-0.2, 0.5)
    wanted = np.log(wide / narrow) + (narrow**2 + (mean - found) ** 2) / (2 * wide**2) - 0.5
    arrays = [(jnp.full((1, 2), one), jnp.full((1, 2), np.log(other))) for one, other in ((mean, wide), (found, narrow))]
    assert float(_divergence(*arrays)[0]) == pytest.approx(2 * wanted, rel=1e-5)


def feeling(key: jax.Array) -> Moment:
    """What is felt is twice the first of two numbers that are seen, and hidden contact in a tenth of all moments."""
    seen, hidden = jax.random.normal(key, (64, 2)), jax.random.uniform(jax.random.fold_in(key, 1), (64, 1)) < 0.1
    after = jnp.concatenate([seen, 2.0 * seen[:, :1], hidden], axis=1)
    return moment(after, after, jnp.zeros((64, 1)))


def test_a_mismatch_goes_to_zero_where_touch_is_seen_and_stays_where_it_is_hidden() -> None:
    shown, hidden = Mismatch(given=(0, 1), expected=(2,), units=16), Mismatch(given=(0, 1), expected=(3,), units=16)
    assert paid(shown, taught(shown, feeling, 600, 4, 1), feeling)[1].mean() < 0.15
    given, left = paid(hidden, taught(hidden, feeling, 600, 4, 1), feeling)
    touched = given.after[:, 3] > 0.5
    assert left[touched].mean() > 3 * left[~touched].mean()


def test_a_mismatch_reads_what_it_is_given_alone() -> None:
    signal = SIGNALS["mismatch"]
    state = signal.init(KEY, 3, 2, 1)
    rows = np.random.default_rng(0).normal(size=(2, 5, 3))
    found = signal.bonus(KEY, state, moment(rows[0], rows[1], np.ones((5, 2))))
    np.testing.assert_allclose(found, np.abs(rows[1][:, 1]), rtol=1e-5)
    ahead = SIGNALS["next"].init(KEY, 3, 2, 1)
    found = SIGNALS["next"].bonus(KEY, ahead, moment(rows[0], rows[1], np.ones((5, 2))))
    np.testing.assert_allclose(found, np.linalg.norm(rows[1] - rows[0], axis=1), rtol=1e-5)


@pytest.mark.parametrize(
    ("signal", "sentence"),
    [
        (Mismatch(), "name the entries"),
        (Mismatch(given=(0, 1), expected=(1,)), "others than these"),
        (Mismatch(expected=(7,)), "has the entries 0 .. 2"),
        (Mismatch(of="past"), "of='past'"),  # type: ignore[arg-type]
        (LatentSurprise(latent=0), "latent=0"),
    ],
)
def test_wrong_fields_are_refused(signal: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        signal.init(KEY, 3, 1, 1)


CHANNELS = np.array(
    [
        np.eye(4),  # every move leads elsewhere
        np.eye(4)[[0, 0, 2, 3]],  # two of them lead to the same place
        np.eye(4)[[0, 0, 0, 0]],  # nothing depends on the move
        0.7 * np.eye(4) + 0.075,  # one in three moves slips
    ]
)
"""Chance of the next of four places, for each of four states and moves [S, A, 4]."""


def capacity(channel: np.ndarray, rounds: int = 200) -> float:
    """The capacity of a channel [A, S'] in nats, by Blahut and Arimoto."""
    chances, gains = np.full(len(channel), 1 / len(channel)), np.zeros(len(channel))
    for _ in range(rounds):
        joint = chances @ channel
        with np.errstate(divide="ignore", invalid="ignore"):
            gains = np.nansum(np.where(channel > 0, channel * np.log(channel / joint), 0.0), axis=1)
        chances = chances * np.exp(gains)
        chances /= chances.sum()
    return float(chances @ gains)


def walks(key: jax.Array) -> Moment:
    """Random moves through the channels: the state is shown as one of four, and the next place as one of four more."""
    standing, moving, leading = jax.random.split(key, 3)
    state, move = jax.random.randint(standing, (128,), 0, 4), jax.random.randint(moving, (128,), 0, 4)
    place = jax.random.categorical(leading, jnp.log(jnp.asarray(CHANNELS, jnp.float32) + 1e-9)[state, move])
    now = jnp.concatenate([jnp.eye(4)[state], jnp.zeros((128, 4))], axis=1)
    return moment(now, now + jnp.concatenate([jnp.zeros((128, 4)), jnp.eye(4)[place]], axis=1), jnp.eye(4)[move])


def test_learned_empowerment_is_below_capacity_and_near_it() -> None:
    signal = Empowerment(units=16, learning_rate=5e-3)
    state = taught(signal, walks, 600, 8, 4)
    given, gains = paid(signal, state, walks)
    at = np.argmax(given.now[:, :4], axis=1)
    found = [gains[at == index].mean() for index in range(4)]
    known = [capacity(channel) for channel in CHANNELS]
    # two moves of one effect are drawn twice as often as the best policy would, which costs 0.06 nats
    np.testing.assert_allclose(known[:3], [np.log(4), np.log(3), 0.0], atol=1e-3)
    assert all(one < other + 0.03 for one, other in zip(found, known, strict=True))
    np.testing.assert_allclose(found, known, atol=0.1)
