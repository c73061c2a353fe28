"""Walks through pages that are named at their end."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.claims.studies.walks import Walks
from umwelt.memory.walks import Explored
from umwelt.worlds import Page, Pendulum

KEY = jax.random.key(1)
PAGE = Page(fields=3, values=4)


def replayed(actions, intents):
    """Which walks the world itself pays, under their intents: bool [walks]."""
    room = Page(batch=len(actions), fields=3, values=4)
    task = room.tasks()["empty"]
    task = type(task)(instruction=jnp.asarray(intents), done=jnp.zeros(len(actions)))
    state, _ = room.init(KEY, task)
    for number in range(actions.shape[1]):
        state, step = room.step(KEY, state, actions[:, number], task)
    return np.asarray(step.reward) > 0.5


def test_the_world_pays_every_walk_that_is_kept_and_no_other():
    source = Explored(world=PAGE, walks=300, wrong=0.3)
    actions, intents = source.walked(KEY)
    kept = np.asarray(source.fulfils(actions, intents))
    np.testing.assert_array_equal(kept, replayed(actions, intents))
    # a wrong name is right by chance in one of 64 cases; the interval is that of four deviations of a share of 300
    assert 1 - kept.mean() == pytest.approx(0.3 * (1 - 1 / 64), abs=4 * np.sqrt(0.3 * 0.7 / 300))


def test_a_source_of_walks_keeps_the_contract_and_pays_at_the_end():
    source = Explored(world=PAGE, walks=20, wrong=0.5)
    check.source(source, PAGE.spec).raise_if_broken()
    pieces = list(source.read(KEY, PAGE.spec))
    ended = sum(int(piece.next.terminated.sum()) for piece in pieces)
    assert sum(float(piece.next.reward.sum()) for piece in pieces) == ended
    with pytest.raises(ValueError, match="pages"):
        list(source.read(KEY, Pendulum().spec))


def test_rows_of_fixed_intents_weigh_only_where_chance_fulfilled_them():
    rows = Walks(walks=400, how="fixed", world=Page(fields=1, values=4)).rows(KEY)
    assert float(rows.weight.mean()) == pytest.approx(0.25, abs=0.1)
    assert float(Walks(walks=50, how="unverified").rows(KEY).weight.min()) == 1.0
