"""The pupil against a plain loop of Optax, and each setting of its loss against its own formula."""

from dataclasses import replace
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from umwelt import check
from umwelt.behaviours import Pupil, Views
from umwelt.behaviours.pupil import answers
from umwelt.claims.catalog import load
from umwelt.core import MID, Experience, TimeStep, keys, lived
from umwelt.memory import Lifelong, Rested
from umwelt.networks import members
from umwelt.retention import Elastic, Entropy, Square
from umwelt.worlds import Cards, Glyphs, Pendulum
from umwelt.worlds.stream import rows

KEY = jax.random.key(0)
WORLD = Cards(batch=8, time_limit=50, cards=Glyphs(classes=4, size=5))
STORE = Lifelong(bytes=100_000)


@cache
def met(number: int) -> list[Experience]:
    """Experience [8] in the middle of episodes, so many times."""
    random, made = np.random.default_rng(0), []
    for _ in range(number):
        cards, truths = random.normal(size=(2, 8, 5, 5)).astype(np.float32), random.integers(0, 4, (2, 8)).astype(np.int32)
        step, next = (
            TimeStep(kind=np.full(8, MID, np.int8), observation={"card": card, "truth": truth}, reward=np.zeros(8, np.float32))
            for card, truth in zip(cards, truths, strict=True)
        )
        task = jax.tree.map(np.asarray, rows(WORLD.tasks()["all"], 8))
        made.append(lived(step, np.zeros(8, np.int32), next, task=task, surprise=np.zeros(8, np.float32)))
    return made


def begun(pupil: Pupil, number: int = 3) -> Any:
    """The state of a pupil that has met so many times eight cards."""
    state, remember = pupil.init(KEY, WORLD.spec), jax.jit(pupil.remember)
    for index, experience in enumerate(met(number)):
        state, _ = remember(jax.random.fold_in(KEY, index), state, experience)
    return state


def miss(network: members.Network, cards: jax.Array, truth: jax.Array) -> jax.Array:
    """The mean cross-entropy of a two-layer network with SiLU, written out."""
    hidden = jax.nn.silu(network.weights[0][0] @ cards.reshape(len(cards), -1).T + network.biases[0][0])
    logits = (network.weights[1][0] @ hidden + network.biases[1][0]).T
    return optax.softmax_cross_entropy_with_integer_labels(logits, truth).mean()


@pytest.mark.parametrize(
    "pupil",
    [
        Pupil(units=(8,)),
        Pupil(units=(8,), copied_every=2, outputs=Entropy(), said=1.0, protection=Elastic()),
        Pupil(
            units=(8,),
            memory=Rested(memory=STORE),
            rehearsed=8,
            outputs=Square(),
            said=0.5,
            views=Views(number=4, agree=0.1),
        ),
    ],
)
def test_it_keeps_the_contract_of_agents(pupil: Pupil) -> None:
    check.agent(pupil, WORLD.spec, depth="shapes").raise_if_broken()


def test_from_memory_alone_it_is_a_plain_loop_of_optax() -> None:
    pupil = Pupil(units=(6,), newest=0, memory=STORE, rehearsed=32)
    state = begun(pupil, 3)
    network, adam = state.network, optax.adam(pupil.learning_rate)
    moments, learn, draw = adam.init(network), jax.jit(pupil.learn), jax.jit(STORE.sample, static_argnums=2)

    @jax.jit
    def followed(network: Any, moments: Any, cards: jax.Array, truth: jax.Array) -> Any:
        step, moments = adam.update(jax.grad(miss)(network, cards, truth), moments, network)
        return optax.apply_updates(network, step), moments

    held = np.asarray(state.memory.steps.observation["card"][:24, 0])
    named = {card.tobytes(): truth for card, truth in zip(held, state.memory.steps.observation["truth"][:24, 1], strict=True)}
    for index in range(8):
        key = jax.random.fold_in(KEY, index)
        drawn = np.asarray(draw(keys.split(key, "draw")[0], state.memory, (32,)).step.observation["card"])
        truth = np.stack([named[card.tobytes()] for card in drawn])
        network, moments = followed(network, moments, drawn, truth)
        state, _ = learn(key, state)
    for mine, plain in zip(jax.tree.leaves(state.network), jax.tree.leaves(network), strict=True):
        np.testing.assert_allclose(mine, plain, atol=1e-6)


def gradient(pupil: Pupil, state: Any, old: Any = None) -> Any:
    return jax.jit(jax.grad(lambda network: pupil._loss(network, state, old)[0]))(state.network)


def same(found: Any, wanted: Any) -> None:
    for mine, other in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-6)


def test_each_method_is_a_setting_of_one_loss() -> None:
    """Rehearsal, dark experience, distillation and elastic weights, each against its own formula."""
    bare = Pupil(units=(6,), newest=16)
    state = replace(begun(bare), updates=jnp.int32(5))
    new = state.newest
    drawn = Pupil(units=(6,), memory=STORE, rehearsed=8, outputs=Square(), said=0.3, truths=0.0)
    full = begun(drawn)
    # what was said on the day must differ from what is said now
    full = replace(full, network=jax.tree.map(lambda leaf: np.asarray(leaf) + np.float32(0.1), full.network))
    old = jax.jit(drawn._drawn)(KEY, full)
    assert old is not None

    def er(network: Any) -> jax.Array:
        return miss(network, new.cards, new.truth) + miss(network, old.cards, old.truth)

    def der(network: Any) -> jax.Array:
        apart = (answers(network, old.cards) - old.said) ** 2
        return miss(network, new.cards, new.truth) + 0.3 * 0.5 * apart.mean()

    same(gradient(replace(drawn, outputs=None, truths=1.0), full, old), jax.jit(jax.grad(er))(full.network))
    same(gradient(drawn, full, old), jax.jit(jax.grad(der))(full.network))
    lwf = replace(bare, outputs=Entropy(temperature=2.0), said=0.7, copied_every=5)
    copied = replace(state, copy=jax.tree.map(lambda leaf: np.float32(0.9) * np.asarray(leaf), state.network))

    def distilled(network: Any) -> jax.Array:
        now, then = answers(network, new.cards) / 2, answers(copied.copy, new.cards) / 2
        cross = -jnp.sum(jax.nn.softmax(then) * jax.nn.log_softmax(now), axis=-1).mean()
        return miss(network, new.cards, new.truth) + 0.7 * 4.0 * cross

    same(gradient(lwf, copied), jax.jit(jax.grad(distilled))(copied.network))
    np.testing.assert_allclose(gradient(lwf, replace(copied, updates=jnp.int32(4))).weights[0], gradient(bare, state).weights[0])


def test_nothing_new_changes_nothing_and_the_newest_cards_are_kept_in_order() -> None:
    pupil = Pupil(units=(6,), newest=16)
    blank = pupil.init(KEY, WORLD.spec)
    same(pupil.learn(KEY, blank)[0], blank)
    first, second, third = met(3)[:3]
    state = begun(pupil)
    np.testing.assert_array_equal(state.newest.cards[:8], second.step.observation["card"])
    np.testing.assert_array_equal(state.newest.cards[8:], third.step.observation["card"])
    np.testing.assert_array_equal(state.newest.truth[8:], third.next.observation["truth"])
    assert not np.array_equal(first.step.observation["card"], second.step.observation["card"])


def test_views_move_a_card_by_a_pixel_and_agreement_reads_the_first() -> None:
    card = jnp.arange(36.0).reshape(1, 6, 6)
    shown = Views(shift=1, noise=0.0).show(KEY, jnp.repeat(card, 50, axis=0))
    middles = {float(view[2, 2]) for view in shown}
    assert middles == {14.0 + 6 * down + right for down in (-1, 0, 1) for right in (-1, 0, 1)}
    logits = jnp.log(jnp.array([[0.5, 0.5], [0.9, 0.1], [0.2, 0.8], [0.2, 0.8]]))
    wanted = 0.5 * np.log(0.5 / 0.9) + 0.5 * np.log(0.5 / 0.1)
    np.testing.assert_allclose(Views(number=2).apart(logits), [0.0, wanted, 0.0, 0.0], atol=1e-6)


def test_a_world_without_cards_is_refused_and_so_is_rehearsal_without_memory() -> None:
    with pytest.raises(ValueError, match="take a world such as"):
        Pupil().init(KEY, Pendulum().spec)
    with pytest.raises(ValueError, match="give `memory="):
        Pupil(rehearsed=4).init(KEY, WORLD.spec)


@pytest.mark.parametrize(("claim", "arm", "cards"), [("pupil", "reservoir", 100), ("unified", "der", 50), ("unified", "er", 50)])
def test_the_memories_of_the_claims_hold_as_many_cards_as_they_say(claim: str, arm: str, cards: int) -> None:
    study: Any = load(claim).arms[arm]
    state: Any = jax.eval_shape(lambda key: study.function.agent.init(key, study.function.world.spec), KEY)
    assert state.memory.steps.kind.shape == (cards, 2)
