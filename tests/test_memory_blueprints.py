"""Conversations that are verified: votes against the binomial law, calls against their records, and what is kept."""

from dataclasses import replace
from math import comb

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.claims.studies.desks import (
    ADDRESS,
    ASK_DETAIL,
    ASK_ORDER,
    CALLS,
    CANCEL,
    CLOSE,
    DELIVERED,
    ITEM,
    ITEMS,
    MISSING,
    ORDERS,
    PENDING,
    REFUND,
    Desk,
    DeskTask,
)
from umwelt.memory.blueprints import Verified

KEY = jax.random.key(0)
DESK = Desk(forgets=0.0)
SOURCE = Verified(world=DESK, conversations=400)


def body(wish: tuple[int, int, int], states: tuple[int, ...] = (PENDING, DELIVERED, MISSING, 2)):
    made = DESK.begin(KEY, DeskTask(wish=jnp.array(wish)))
    return replace(made, state=jnp.array(states), first=made.first.at[0].set(jnp.array(states)))


@pytest.mark.parametrize(
    ("wish", "right"),
    [
        ((CANCEL, 0, 0), 0),
        ((CANCEL, 1, 0), CLOSE),
        ((REFUND, 1, 0), ORDERS + 1),
        ((REFUND, 0, 0), CLOSE),
        ((ITEM, 0, 3), 2 * ORDERS + 3),
        ((ADDRESS, 0, 2), 2 * ORDERS + ORDERS * ITEMS + 2),
        ((ITEM, 2, 3), CLOSE),
    ],
)
def test_the_right_call_leads_to_the_right_records(wish, right) -> None:
    at = body(wish)
    assert int(DESK.right(at)) == right
    told = ()
    while True:
        action = int(DESK.next_action(at, jnp.int32(right)))
        told = (*told, action)
        at, paid, ended = DESK.advance(KEY, at, jnp.int32(action), None)
        if ended:
            break
    assert float(paid) == 1.0
    needs = (ASK_ORDER, ASK_DETAIL) if wish[0] >= ITEM else (ASK_ORDER,)
    assert told == (*needs, *((right,) if right != CLOSE else ()), CLOSE)
    records = [np.asarray(each) for each in DESK.records(at)]
    if wish == (ITEM, 0, 3):
        assert records[1][0] == 3
    if right in (0, ORDERS + 1):
        assert records[0][right % ORDERS] == MISSING
    if right == CLOSE:
        np.testing.assert_array_equal(np.stack(records), at.first)


def test_a_wrong_call_is_not_paid_and_an_impossible_one_changes_nothing() -> None:
    at = body((CANCEL, 0, 0))
    wrong, _, _ = DESK.advance(KEY, at, jnp.int32(3), None)
    assert float(DESK.advance(KEY, wrong, jnp.int32(CLOSE), None)[1]) == 0.0
    assert not bool(DESK.executable(at, jnp.int32(2)))  # the third order is missing
    assert not bool(DESK.executable(at, jnp.int32(CALLS + 40)))
    np.testing.assert_array_equal(jnp.stack(DESK.after(at, jnp.int32(2))), jnp.stack(DESK.records(at)))


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_committee_errs_as_often_as_the_binomial_law_says(number: int) -> None:
    source = replace(SOURCE, reviewers=number, wrong=0.2)
    drawn = jax.vmap(lambda key: source.approved(key, jnp.zeros((), bool)))(jax.random.split(KEY, 4000))
    expected = sum(comb(number, k) * 0.2**k * 0.8 ** (number - k) for k in range(number // 2 + 1, number + 1))
    assert float(jnp.mean(drawn)) == pytest.approx(expected, abs=4 * (expected * (1 - expected) / 4000) ** 0.5)


def test_what_is_kept_reaches_the_records_of_its_call_and_feedback_mends_calls() -> None:
    reviewed = jax.jit(lambda wrong: replace(SOURCE, wrong=wrong).made(KEY))
    made = reviewed(SOURCE.wrong)
    plain = jax.jit(replace(SOURCE, attempts=1, reviewers=0, verify=False).made)(KEY)
    assert bool(jnp.all(plain.kept))
    assert float(jnp.mean(plain.executable)) < 0.65 < 0.95 < float(jnp.mean(made.executable))
    kept = np.flatnonzero(made.kept)
    assert 100 < len(kept) < 400
    # with right reviewers, what is kept is paid by the desk itself
    sure = reviewed(0.0)
    paid = np.asarray(sure.reward).sum(axis=1)
    assert (paid[np.asarray(sure.kept)] == 1.0).all()
    assert np.asarray(plain.reward).sum(axis=1).mean() < 0.7


def test_a_source_of_conversations_keeps_the_contract_and_refuses_ties() -> None:
    source, spec = replace(SOURCE, conversations=20), replace(DESK.spec, batch=2)
    check.source(source, spec).raise_if_broken()
    check.world(Desk(batch=2)).raise_if_broken()
    with pytest.raises(ValueError, match="reviewers=2"):
        replace(source, reviewers=2).check(spec)
    with pytest.raises(ValueError, match="attempts=0"):
        replace(source, attempts=0).check(spec)
