"""The signals of curiosity against closed forms, and their checker."""

import itertools
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.core import Moment, capability, part
from umwelt.curiosity import Counts, Distilled

KEY = jax.random.key(4)
A, B, C = ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0])
SIGNALS = {
    "bits": Counts(),
    "episodic": Counts(episodic=True),
    "cells": Counts(of="cells"),
    "episodic_cells": Counts(of="cells", episodic=True),
    "each_episode": Counts(of="cells", episodic=True, lifelong=False),
    "distilled": Distilled(units=16),
}


def moment(now: Any, after: Any, weight: Any = None) -> Moment:
    now, after = jnp.asarray(now, jnp.float32), jnp.asarray(after, jnp.float32)
    rows = after.shape[0]
    weight = jnp.ones(rows) if weight is None else jnp.asarray(weight, jnp.float32)
    return Moment(now=now, after=after, done=jnp.zeros((rows, 1)), weight=weight, surprise=jnp.full(rows, jnp.nan))


@partial(jax.jit, static_argnums=0)
def turn(signal: Any, state: Any, step: Moment) -> tuple[Any, jax.Array]:
    """Learn a moment: the state, and the bonus before it was learned."""
    return signal.learn(KEY, state, step)[0], signal.bonus(KEY, state, step)


def walk(signal: Any, state: Any, *observations: Any) -> tuple[Any, list[float], list[int]]:
    """Go from observation to observation: the state, the bonus of each step, and what `told` shows after it."""
    paid, shown = [], []
    for now, after in itertools.pairwise(observations):
        state, bonus = turn(signal, state, moment([now], [after]))
        paid.append(float(bonus[0]))
        told = capability(signal, "told")
        shown.append(int(np.argmax(told(state)[0])) if told else -1)
    return state, paid, shown


@pytest.mark.parametrize("name", SIGNALS)
def test_the_librarys_signals_keep_the_contract(name: str) -> None:
    check.curiosity(SIGNALS[name]).raise_if_broken()


def test_pseudo_counts_are_those_of_the_probabilities() -> None:
    random = np.random.default_rng(0)
    seen, given = random.random((40, 12)) < random.random(12), random.random((5, 12)) < 0.5
    signal = Counts()
    state, _ = signal.learn(KEY, signal.init(KEY, 12, 1, 1), moment(seen, seen))
    for row, count in zip(given, np.asarray(signal.times(state, jnp.asarray(given, jnp.int32))), strict=True):
        same = (seen == row).sum(0).astype(np.float64)
        before, after = np.prod((same + 0.5) / 41.0), np.prod((same + 1.5) / 42.0)
        # the count is before (1 - after) / (after - before), of which the parenthesis is left out
        assert count == pytest.approx(before / (after - before), rel=1e-3)


def test_a_bonus_of_bits_is_one_over_the_root_of_the_count_with_itself() -> None:
    signal = Counts()
    met = [[1, 0]] * 30 + [[1, 1]] * 10
    state, _ = signal.learn(KEY, signal.init(KEY, 2, 1, 1), moment(met, met))
    # [1, 0] once more: the first entry was one in 41 of 41, the second zero in 31 of 41
    before, after = (41.5 / 42) * (31.5 / 42), (42.5 / 43) * (32.5 / 43)
    paid = signal.bonus(KEY, state, moment([[1, 1]], [[1, 0]]))
    assert float(paid[0]) == pytest.approx((before / (after - before)) ** -0.5, rel=1e-3)


def test_one_entry_that_was_never_met_makes_an_observation_new() -> None:
    signal, usual = Counts(), np.eye(30)[[3] * 200]
    state, _ = signal.learn(KEY, signal.init(KEY, 30, 1, 1), moment(usual, usual))
    counts = np.asarray(signal.times(state, jnp.asarray(np.stack([usual[0], usual[0] + np.eye(30)[7]]), jnp.int32)))
    assert counts[0] > 50
    assert counts[1] < 1


def test_a_cell_that_was_met_n_times_pays_one_over_the_root_of_n() -> None:
    signal = Counts(of="cells", edge=0.5)
    state, paid, _ = walk(signal, signal.init(KEY, 2, 1, 1), [9, 9], [0.1, 0.1], [-0.1, 0.1], [0.4, 0.49], [0.2, 0.0])
    np.testing.assert_allclose(paid, [1, 1, 2**-0.5, 3**-0.5], rtol=1e-6)
    # two rows in one cell are counted together; a row without weight counts itself alone
    where = [[0.3, 0.3], [0.3, 0.4], [5.0, 5.0], [0.3, 0.3]]
    found = signal.bonus(KEY, state, moment(where, where, [1, 1, 0, 0]))
    np.testing.assert_allclose(found, [5**-0.5, 5**-0.5, 1, 6**-0.5], rtol=1e-6)


@pytest.mark.parametrize("of", ["bits", "cells"])
def test_an_observation_pays_once_in_an_episode_and_less_in_the_next(of: Any) -> None:
    signal = Counts(of=of, episodic=True)
    state, paid, shown = walk(signal, signal.init(KEY, 3, 1, 1), A, B, A, C, B, B, B)
    assert [value > 0 for value in paid] == [True, False, True, False, False, False], "it began at A"
    assert shown == [0, 1, 0, 1, 2, 3], "how often each was met before it"
    # `lifelong`, each cell is counted once for every episode that met it
    state = capability(signal, "begin", required="test")(state, jnp.ones(1, bool))
    state, again, _ = walk(signal, state, A, B, A)
    assert again[1] == 0
    assert 0 < again[0] <= paid[0]
    if of == "cells":
        np.testing.assert_allclose((paid[0], again[0]), (1, 2**-0.5), rtol=1e-6)


def test_counts_of_an_episode_alone_begin_again() -> None:
    signal = Counts(of="cells", episodic=True, lifelong=False)
    begin = capability(signal, "begin", required="test")
    state, first, _ = walk(signal, signal.init(KEY, 3, 1, 1), A, B, A, C, A)
    np.testing.assert_allclose(first, [1, 2**-0.5, 1, 3**-0.5], rtol=1e-6)
    _, second, _ = walk(signal, begin(state, jnp.ones(1, bool)), A, B, A, C, A)
    np.testing.assert_allclose(second, first, rtol=1e-6)


def test_rows_have_episodes_of_their_own() -> None:
    signal = Counts(of="cells", episodic=True)
    state, _ = signal.learn(KEY, signal.init(KEY, 3, 1, 2), moment([A, A], [B, C]))
    state = capability(signal, "begin", required="test")(state, jnp.asarray([False, True]))
    found = signal.bonus(KEY, state, moment([B, A], [B, A]))
    assert (found > 0).tolist() == [False, False], "the first met B, and the second begins at A"
    found = signal.bonus(KEY, state, moment([B, A], [C, C]))
    # C is met the second and the third time at once
    np.testing.assert_allclose(found, [3**-0.5, 3**-0.5], rtol=1e-6)


def test_only_episodic_counts_begin() -> None:
    assert capability(Counts(), "begin") is None
    assert capability(Counts(), "told") is None
    with pytest.raises(ValueError, match="tells=True: Counts has no `told`"):
        capability(Counts(), "told", required="tells=True")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [({"of": "beans"}, "of='beans'"), ({"slots": 1000}, "a power of two"), ({"lifelong": False}, "set episodic=True")],
)
def test_counts_refuse_wrong_fields(fields: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Counts(**fields).init(KEY, 3, 1, 1)


def test_episodic_counts_refuse_another_number_of_rows() -> None:
    signal = Counts(episodic=True)
    with pytest.raises(ValueError, match="give one of each row"):
        signal.bonus(KEY, signal.init(KEY, 3, 1, 2), moment([A], [B]))


def test_observations_share_a_slot_about_as_often_as_chance_has_it() -> None:
    signal = Counts(of="cells", edge=0.25)
    where = np.unique(np.random.default_rng(1).integers(-8, 8, (1000, 6)), axis=0)
    state = signal.init(KEY, 6, 1, 1)
    state, _ = signal.learn(KEY, state, moment(where / 4, where / 4))
    assert float(state.cells.sum()) == len(where)
    assert int((state.cells > 0).sum()) == pytest.approx(4096 * (1 - (1 - 1 / 4096) ** len(where)), rel=0.05)


def network(stack: Any, inputs: np.ndarray) -> np.ndarray:
    """A stack by NumPy."""
    for each in stack[:-1]:
        inputs = np.maximum(inputs @ np.asarray(each.weight) + np.asarray(each.bias), 0.0)
    return inputs @ np.asarray(stack[-1].weight) + np.asarray(stack[-1].bias)


def test_distillation_pays_the_squared_error_of_the_predictor() -> None:
    signal = Distilled(units=8, outputs=3, clip=2.0)
    state = signal.init(KEY, 4, 1, 1)
    after = np.random.default_rng(0).normal(5.0, 3.0, (50, 4)).astype(np.float32)
    learn = jax.jit(signal.learn)
    for _ in range(3):
        state, info = learn(KEY, state, moment(after, after))
    given = np.concatenate([after[:5], [[1e6, 5.0, -1e6, 5.0]]]).astype(np.float32)
    inputs = np.clip((given - after.mean(0)) / after.std(0), -2.0, 2.0)
    expected = np.mean((network(state.predictor, inputs) - network(state.target, inputs)) ** 2, axis=1)
    np.testing.assert_allclose(signal.bonus(KEY, state, moment(given, given)), expected, rtol=1e-4)
    assert float(info["distillation_loss"]) > 0


def test_distillation_falls_where_it_is_repeated_and_stays_where_it_is_new() -> None:
    signal = Distilled(units=32)
    known, new = np.random.default_rng(1).normal(0.0, 1.0, (2, 64, 20))
    new[:, 0] += 3.0
    state = first = signal.init(KEY, 20, 1, 1)
    learn = jax.jit(signal.learn)
    for _ in range(400):
        state, _ = learn(KEY, state, moment(known, known))
    paid = np.asarray([[signal.bonus(KEY, at, moment(rows, rows)).mean() for rows in (known, new)] for at in (first, state)])
    assert paid[1, 0] < 0.1 * paid[0, 0]
    assert paid[1, 1] / paid[1, 0] > 3 * paid[0, 1] / paid[0, 0]
    jax.tree.map(np.testing.assert_array_equal, state.target, first.target)


@part
class Honest:
    """A signal without fault: the distance between `now` and `after`, which nothing changes."""

    metrics = ()

    def init(self, key: Any, width: int, actions: int, batch: int) -> Any:
        return jnp.zeros(width)

    def bonus(self, key: Any, state: Any, moment: Moment) -> Any:
        return jnp.sum((moment.after - moment.now) ** 2, -1)

    def learn(self, key: Any, state: Any, moment: Moment) -> Any:
        weighs = (moment.weight > 0)[:, None]
        return state + jnp.sum(jnp.where(weighs, moment.after, 0.0), 0), {}


def noticed(self: Any, state: Any, rows: Any) -> Any:
    return state + jnp.sum(rows)


FAULTS: dict[str, dict[str, Any]] = {
    "one for each": {"bonus": lambda self, key, state, moment: jnp.float32(0.0)},
    "takes NaN from rows of weight 0": {"learn": lambda self, key, state, moment: (state + jnp.sum(moment.after, 0), {})},
    "after a lesson without weight": {"learn": lambda self, key, state, moment: (state + 1.0, {})},
    "contents of rows of weight 0": {
        "learn": lambda self, key, state, moment: (
            state + jnp.where(jnp.any(moment.weight > 0), jnp.sum(jnp.nan_to_num(moment.after), 0), 0.0),
            {},
        )
    },
    "the bonus beside rows of weight 0": {
        "bonus": lambda self, key, state, moment: jnp.abs(moment.after - jnp.nanmean(moment.after, 0)).sum(-1)
    },
    "does not declare": {"learn": lambda self, key, state, moment: (state, {"secret": jnp.zeros(())})},
    "changed from float32[6] to float32[7]": {"learn": lambda self, key, state, moment: (jnp.zeros(7), {})},
    "a surprise may be NaN": {"bonus": lambda self, key, state, moment: moment.surprise},
    "leave out `novelty = True`": {"novelty": True},
    "asked for no row": {"begin": lambda self, state, rows: state + 1.0},
    "touches the others alone": {
        "begin": noticed,
        "bonus": lambda self, key, state, moment: jnp.sum(moment.after**2, -1) + state[0],
    },
    "W], one row for each": {"told": lambda self, state: state},
    "no method `learn`": {"learn": None},
}


@pytest.mark.parametrize("sentence", FAULTS)
def test_a_broken_signal_is_reported_in_a_sentence(sentence: str) -> None:
    broken = type("Broken", (Honest,), FAULTS[sentence])()
    assert sentence in str(check.curiosity(broken))


def test_a_signal_without_fault_passes() -> None:
    check.curiosity(Honest()).raise_if_broken()
    assert not check.curiosity(replace(Honest()), depth="shapes").faults
