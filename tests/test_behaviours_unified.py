"""One denoiser of actions and of what follows against the conditionals of a normal world, and play that is asked in words."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours import DenoisedPlay, Unified
from umwelt.behaviours.histories import Context, Sequences
from umwelt.core import Box
from umwelt.networks import denoising

KEY = jax.random.key(8)
BOX = Box(shape=(1,), low=-1.0, high=1.0)
SMALL = Unified(window=1, units=32, layers=2, learning_rate=2e-3, steps=20, draws=20)


def stretches(features: jax.Array, actions: jax.Array, after: jax.Array) -> Sequences:
    """Stretches [N, L] of features and what follows [N, L, F], and of actions [N, L, A]."""
    nothing, every = jnp.zeros(actions.shape[:2]), jnp.ones(actions.shape[:2], bool)
    context = Context(features=features, actions=actions, rewards=nothing, wanted=nothing, known=every)
    return Sequences(context=context, after=after, wanted_after=nothing, continues=nothing + 1, acted=every, returned=every)


def normal(key: jax.Array, rows: int = 128) -> Sequences:
    """a = 0.3 o + 0.2 noise, and o' = 0.8 o + 0.5 a + 0.2 noise."""
    seen, done, later = (jax.random.normal(each, (rows, 1, 1)) for each in jax.random.split(key, 3))
    action = 0.3 * seen + 0.2 * done
    return stretches(seen, action, 0.8 * seen + 0.5 * action + 0.2 * later)


def lessons(part: Any, state: Any, number: int, make: Any, level: int | None = None) -> Any:
    """The state after so many lessons. level: of the compiler's care, which pays for thousands of them."""

    def once(state: Any, key: jax.Array) -> Any:
        return part.learn(key, state, make(key))[0], None

    options = None if level is None else {"xla_backend_optimization_level": level}
    return jax.jit(lambda state: jax.lax.scan(once, state, jax.random.split(KEY, number))[0], compiler_options=options)(state)


def test_levels_of_noise_choose_among_the_four_conditionals_of_a_normal_world() -> None:
    state = lessons(SMALL, SMALL.init(KEY, 1, BOX), 3000, normal, level=1)
    rows = jnp.ones((1000, 1))
    drawn = jax.jit(lambda *given, **named: SMALL.drawn(KEY, state, *given, **named), static_argnames="blind")
    for seen in (-0.8, 0.5):
        window = jnp.concatenate([seen * rows, rows], axis=-1)
        action, _ = drawn(window, blind=True)
        assert float(action.mean()) == pytest.approx(0.3 * seen, abs=0.07)
        assert float(action.std()) == pytest.approx(0.2, abs=0.07)
        _, later = drawn(window, actions=(0.3 * seen + 0.2) * rows)
        assert float(later.mean()) == pytest.approx(0.95 * seen + 0.1, abs=0.1)
        # the action by what is seen has precision 25, and by what follows 6.25
        beyond = 0.3
        action, _ = drawn(window, after=(0.8 * seen + beyond) * rows)
        assert float(action.mean()) == pytest.approx(0.8 * 0.3 * seen + 0.2 * beyond / 0.5, abs=0.07)
        action, later = drawn(window)
        assert float(action.mean()) == pytest.approx(0.3 * seen, abs=0.07)
        assert float(later.mean()) == pytest.approx(0.95 * seen, abs=0.1)
        # drawn together they are tied; in truth by 0.45, and a small network reaches some of that
        assert 0.1 < float(jnp.corrcoef(action[:, 0], later[:, 0])[0, 1]) < 0.6


class Exact(Unified):
    """One that knows the noise: what is expected of it by what is seen, in the normal world."""

    def _noises(self, policy: Any, seen: jax.Array, both: Any, levels: Any) -> tuple[jax.Array, jax.Array]:
        # the change of the features is denoised in a box of three deviations, which an untrained scale takes to be 1
        sizes = jnp.array([1.0, 3.0])
        centre = seen[:, :1] * jnp.array([0.3, -0.05]) / sizes
        spread = jnp.array([[0.04, 0.02], [0.02, 0.05]]) / jnp.outer(sizes, sizes)
        kept = jnp.stack([denoising.cosine(self.steps).kept[each] for each in levels], axis=-1)

        def one(noisy: jax.Array, kept: jax.Array, centre: jax.Array) -> jax.Array:
            clean, noise = jnp.diag(jnp.sqrt(kept)), jnp.diag(jnp.sqrt(1.0 - kept))
            return noise @ jnp.linalg.solve(clean @ spread @ clean + noise @ noise, noisy - clean @ centre)

        found = jax.vmap(one)(jnp.concatenate(both, axis=-1), kept, centre)
        return found[:, :1], found[:, 1:]


def test_with_the_true_noise_all_four_draws_are_those_of_the_normal_world() -> None:
    part = Exact(window=1, steps=100, draws=100)
    state = part.init(KEY, 1, BOX)
    rows, seen, beyond = jnp.ones((2000, 1)), 0.5, 0.3
    drawn = jax.jit(lambda *given, **named: part.drawn(KEY, state, *given, **named), static_argnames="blind")
    window = jnp.concatenate([seen * rows, rows], axis=-1)
    action, later = (each[:, 0] for each in drawn(window))
    assert float(jnp.corrcoef(action, later)[0, 1]) == pytest.approx(0.02 / np.sqrt(0.04 * 0.05), abs=0.05)
    assert (float(action.mean()), float(later.mean())) == pytest.approx((0.3 * seen, 0.95 * seen), abs=0.02)
    assert (float(action.std()), float(later.std())) == pytest.approx((0.2, np.sqrt(0.05)), abs=0.02)
    action, _ = drawn(window, blind=True)
    assert (float(action.mean()), float(action.std())) == pytest.approx((0.3 * seen, 0.2), abs=0.02)
    _, later = drawn(window, actions=(0.3 * seen + 0.2) * rows)
    assert (float(later.mean()), float(later.std())) == pytest.approx((0.95 * seen + 0.1, 0.2), abs=0.02)
    action, _ = drawn(window, after=(0.8 * seen + beyond) * rows)
    assert float(action.mean()) == pytest.approx(0.8 * 0.3 * seen + 0.2 * beyond / 0.5, abs=0.02)
    assert float(action.std()) == pytest.approx(np.sqrt(1 / 31.25), abs=0.02)


def test_actions_of_what_was_watched_change_nothing_and_what_follows_teaches() -> None:
    learn = jax.jit(SMALL.learn)
    state, batch = SMALL.init(KEY, 1, BOX), normal(KEY)
    acted = batch.acted.at[:100].set(False)
    hidden = replace(batch, acted=acted)
    other = replace(hidden, context=replace(hidden.context, actions=hidden.context.actions.at[:100].set(0.9)))
    learned = [learn(KEY, state, each) for each in (hidden, other)]
    jax.tree.map(np.testing.assert_array_equal, *learned)
    watched = replace(batch, acted=jnp.zeros_like(batch.acted))
    after, info = learn(KEY, state, watched)
    assert float(info["action_noise_loss"]) == 0.0
    assert any(np.any(one != two) for one, two in zip(jax.tree.leaves(after.policy), jax.tree.leaves(state.policy), strict=True))


def test_what_follows_a_chunk_is_what_stands_behind_its_last_action() -> None:
    part = replace(SMALL, window=2, chunk=3)
    number = jnp.arange(4.0).reshape(1, 4, 1)
    batch = stretches(number, 0.1 * number, 10.0 + number)
    seen, actions, change, weights = part.rows(replace(batch, acted=batch.acted.at[0, 3].set(False)))
    np.testing.assert_allclose(actions, [[0.0, 0.1, 0.2], [0.0, 0.0, 0.0]], atol=1e-6)
    np.testing.assert_allclose(change, [[12.0], [12.0]])
    np.testing.assert_array_equal(seen, [[0, 0, 0, 1], [0, 1, 1, 1]])
    assert [each.tolist() for each in weights] == [[1.0, 0.0], [1.0, 1.0]]


def play(key: jax.Array) -> Sequences:
    """Stretches [64, 2] in which one of two wordings of two numbers says which way to go."""
    side = jnp.where(jax.random.bernoulli(key, 0.5, (64, 1, 1)), 1.0, -1.0)
    words = jnp.concatenate([side, -0.5 * side], axis=-1)
    features = jnp.broadcast_to(jnp.concatenate([jnp.zeros((64, 1, 1)), words], axis=-1), (64, 2, 3))
    return stretches(features, jnp.broadcast_to(0.6 * side, (64, 2, 1)), features + 0.3)


@pytest.mark.parametrize("codes", [0, 6])
def test_words_decide_what_is_done_with_a_vocabulary_and_without(codes: int) -> None:
    part = DenoisedPlay(
        words=2, codes=codes, word_codes=codes, window=1, chunk=2, steps=20, units=32, layers=2, learning_rate=3e-3
    )
    state = lessons(part, part.init(KEY, 3, BOX), 800, play)
    context = jax.tree.map(lambda leaf: leaf[:, :1], play(KEY).context)
    done = jax.jit(part.act, static_argnums=3)(KEY, state, context, "exploit")
    assert done.shape == (64, 2, 1)
    side = jnp.sign(context.features[:, :, 1:2])
    assert float(jnp.mean(jnp.abs(done - 0.6 * side) < 0.25)) > 0.9
    if codes:
        shares = np.asarray(state.said.uses) / np.sum(state.said.uses)
        assert np.exp(-np.sum(shares * np.log(shares))) >= 2.0


def test_words_that_leave_nothing_to_see_are_refused() -> None:
    with pytest.raises(ValueError, match="words=3: all 3 features"):
        DenoisedPlay(words=3).init(KEY, 3, BOX)
