"""Policies that denoise: chances that the data have, joint actions, values that move draws, and histories as vectors."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours import Denoised, DenoisedActor
from umwelt.behaviours.batch import Batch
from umwelt.behaviours.denoised import windows
from umwelt.behaviours.histories import Context, Sequences
from umwelt.core import Box, Discrete
from umwelt.networks import denoisers, denoising
from umwelt.networks.denoisers import Consistency, Diffusion, Way, densest

KEY = jax.random.key(2)
BOX = Box(shape=(2,), low=-1.0, high=1.0)
WAYS = {"diffusion": Diffusion(steps=20), "consistency": Consistency(steps=2, levels=40, growing=1200)}


def stretches(key: jax.Array, rows: int = 64) -> Sequences:
    """Stretches [N, 2]: where 1 is seen, actions are (0.7, -0.7) in a quarter of the rows, else (-0.4, 0.4); where -1 is
    seen, they are the negative of that."""
    seeing, acting = jax.random.split(key)
    side = jnp.where(jax.random.bernoulli(seeing, 0.5, (rows, 2)), 1.0, -1.0)
    first = jnp.where(jax.random.uniform(acting, (rows, 2)) < 0.25, 0.7, -0.4) * side
    every, nothing = jnp.ones((rows, 2), bool), jnp.zeros((rows, 2))
    actions = jnp.stack([first, -first], axis=-1)
    context = Context(features=side[..., None], actions=actions, rewards=nothing, wanted=nothing, known=every)
    return Sequences(
        context=context, after=context.features, wanted_after=nothing, continues=nothing + 1, acted=every, returned=every
    )


@pytest.mark.parametrize("name", sorted(WAYS))
def test_draws_have_the_shares_of_the_data_under_each_condition_and_keep_entries_tied(name: str) -> None:
    part = Denoised(by=WAYS[name], window=1, units=32, layers=2, learning_rate=3e-3)

    def lesson(state: Any, key: jax.Array) -> Any:
        return part.learn(key, state, stretches(key))[0], None

    @jax.jit
    def lived(keys: jax.Array) -> tuple[jax.Array, jax.Array]:
        state = jax.lax.scan(lesson, part.init(KEY, 1, BOX), keys)[0]
        context = jax.tree.map(lambda leaf: leaf[:, 1:], stretches(KEY, rows=1000).context)
        return part.act(KEY, state, context, "exploit")[:, 0], context.features[:, 0]

    drawn, side = (np.asarray(each) for each in lived(jax.random.split(KEY, 2000)))
    drawn = drawn * side
    assert np.mean(np.abs(drawn[:, 0] + drawn[:, 1]) < 0.2) > 0.95
    near = np.minimum(np.abs(drawn[:, 0] - 0.7), np.abs(drawn[:, 0] + 0.4))
    # a mean lies 0.275 from both
    assert np.mean(near < 0.2) > (0.9 if name == "diffusion" else 0.75)
    assert np.mean(drawn[:, 0] > 0.15) == pytest.approx(0.25, abs=0.06)


def test_histories_are_laid_out_step_by_step_with_marks_of_what_is_known() -> None:
    features = jnp.arange(1.0, 7.0).reshape(1, 3, 2)
    known = jnp.array([[False, True, True]])
    found = windows(features, known, 2)
    np.testing.assert_array_equal(found[0], [[0, 0, 0, 0, 0, 0], [0, 0, 0, 3, 4, 1], [3, 4, 1, 5, 6, 1]])
    assert windows(features, known, 1).shape == (1, 3, 3)


def test_rows_whose_action_is_not_known_change_nothing() -> None:
    part = Denoised(window=1, chunk=2, units=8, layers=1)
    learn, batch = jax.jit(part.learn), stretches(KEY)
    state, _ = learn(KEY, part.init(KEY, 1, BOX), batch)
    hidden = replace(batch, acted=batch.acted.at[:32, 1].set(False))
    other = replace(hidden, context=replace(hidden.context, actions=hidden.context.actions.at[:32].set(5.0)))
    learned = [learn(KEY, state, each) for each in (hidden, other)]
    jax.tree.map(np.testing.assert_array_equal, *learned)
    nothing, _ = learn(KEY, state, replace(batch, acted=jnp.zeros_like(batch.acted)))
    jax.tree.map(np.testing.assert_array_equal, nothing, state)


def test_without_its_condition_a_network_says_the_same_of_all() -> None:
    network = denoisers.denoiser(KEY, 1, 1, 1, 8, 1)
    seen, noisy, at = jnp.array([[1.0], [-2.0]]), jnp.full((2, 1), 0.3), jnp.zeros(2)
    hidden = denoisers.reading(network, seen, jnp.zeros(2))(noisy, at)
    assert float(hidden[0, 0]) == float(hidden[1, 0])
    shown = denoisers.reading(network, seen, jnp.ones(2))(noisy, at)
    np.testing.assert_array_equal(shown, denoisers.reading(network, seen)(noisy, at))
    assert float(shown[0, 0]) != float(shown[1, 0])


def test_guidance_exaggerates_what_the_condition_says(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = denoising.linear(50).kept

    def known(network: Any, seen: jax.Array, shown: jax.Array | None = None) -> denoising.Predict:
        """The noise to be expected in normal data of deviation 0.2 around what is seen, or around 0 where that is hidden."""
        middle = seen if shown is None else seen * shown[:, None]

        def predict(noisy: jax.Array, step: jax.Array) -> jax.Array:
            share = kept[step][:, None]
            return jnp.sqrt(1.0 - share) * (noisy - jnp.sqrt(share) * middle) / (share * 0.04 + 1.0 - share)

        return predict

    monkeypatch.setattr(denoisers, "reading", known)
    means = [float(Diffusion(guide=guide).draw(KEY, None, jnp.full((400, 1), 0.3), 1).mean()) for guide in (0.0, 1.0)]  # type: ignore[arg-type]
    assert means[0] == pytest.approx(0.3, abs=0.04)
    assert means[1] > 0.45


def test_the_densest_draw_is_the_one_among_which_the_others_lie() -> None:
    drawn = jnp.array([[[0.9, 0.9], [0.1, 0.0], [0.0, 0.1], [0.05, 0.05]], [[-1.0, 0.0], [0.0, 0.0], [0.01, 0.0], [1.0, 1.0]]])
    found = densest(drawn, 0.1)
    np.testing.assert_allclose(found[0], [0.05, 0.05])
    assert abs(float(found[1, 0])) < 0.02


@pytest.mark.parametrize(
    "by", [Consistency(levels=10, growing=200), Diffusion(steps=4, schedule="preserving")], ids=["consistency", "diffusion"]
)
def test_a_critic_draws_actions_to_the_paid_side_of_the_data(by: Way) -> None:
    part = DenoisedActor(by=by, units=16, layers=2, learning_rate=3e-3, discount=0.0, ema_rate=0.05, candidates=8)

    def lesson(state: Any, key: jax.Array, part: DenoisedActor) -> Any:
        action = jax.random.uniform(key, (64, 2), minval=-0.5, maxval=0.5)
        ones, now = np.ones(64, np.float32), np.ones((64, 1), np.float32)
        batch = Batch(now=now, action=action, reward=action[:, 0], continues=ones, after=now, weight=ones)
        return part.learn(key, state, batch)[0], None

    begun, keys, ones = part.init(KEY, 1, BOX), jax.random.split(KEY, 400), np.ones((300, 1), np.float32)
    # without value the same numbers are begun, and a life draws in the same way
    states = [
        jax.jit(lambda state, tried=tried: jax.lax.scan(partial(lesson, part=tried), state, keys)[0])(begun)
        for tried in (part, replace(part, value=0.0))
    ]
    act = jax.jit(part.act, static_argnums=3)
    paid, cloned = (np.asarray(act(KEY, state, ones, "explore"))[:, 0].mean() for state in states)
    best = np.asarray(act(KEY, states[0], ones, "exploit"))[:, 0].mean()
    worth = part.worth(states[0], ones[:2], np.float32([[0.4, 0.0], [-0.4, 0.0]]))
    np.testing.assert_allclose(worth, [0.4, -0.4], atol=0.1)
    assert best > paid - 0.02
    assert abs(cloned) < 0.12
    assert paid > 0.25


def test_an_actor_of_choices_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="take IQL or DQN"):
        DenoisedActor().init(KEY, 1, Discrete(n=3))
