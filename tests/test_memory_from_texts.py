"""Texts that become demonstrations: every compiled step is the one that an expert would take."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.claims.studies.sites import FIELDS, LABELS, Site, Sites, procedures
from umwelt.memory.from_texts import Compiled, steps_of

KEY = jax.random.key(0)
SITE = Site()
TEXT = "open the menu, fill the city, type note, press submit"


def test_a_text_is_read_as_steps_and_faults_are_named() -> None:
    assert steps_of(TEXT, LABELS) == (("press", "menu"), ("fill", "city"), ("fill", "note"), ("press", "submit"))
    for text, complaint in (
        ("admire the menu", "is no step"),
        ("fill the moon", "no page has a 'moon'"),
        (" , ", "says no step"),
        ("fill the menu", "cannot fill 'menu'"),
        ("fill city, open menu, press submit", "before the menu is open"),
        ("fill city, fill city, press submit", "once each"),
    ):
        with pytest.raises(ValueError, match=complaint):
            Compiled(world=SITE, procedures=(text,)).check(SITE.spec)


def test_compiled_steps_are_what_an_expert_does_and_change_the_page() -> None:
    needed = jnp.array([LABELS.index(label) for _, label in steps_of(TEXT, LABELS)] + [-1])

    @jax.jit
    @jax.vmap
    def tried(key: jax.Array, number: jax.Array):
        body = SITE.situation(key, needed, number)
        action = SITE.doing(body, needed[number])
        return body, action, SITE.next_action(body), SITE.advance(key, body, action, None)

    number = jnp.arange(200) % 4
    body, action, expert, (after, paid, ended) = tried(jax.random.split(KEY, 200), number)
    np.testing.assert_array_equal(action, expert)
    np.testing.assert_array_equal(paid, number == 3)
    np.testing.assert_array_equal(ended, number == 3)
    changed = np.any(np.asarray(body.values != after.values), axis=1) | np.asarray(body.opened != after.opened)
    np.testing.assert_array_equal(changed, number < 3)
    shown = [[label for label in each if label >= 0] for each in np.asarray(body.labels).tolist()]
    assert all(len(set(each)) == len(each) and {0, 1, 3, 6} <= set(each) for each in shown)
    # the fifth slot shows a field that is not asked for, or nothing
    assert 60 < sum(len(each) == 5 for each in shown) < 140


def test_a_source_of_compiled_moments_keeps_the_contract() -> None:
    source, spec = Compiled(world=SITE, procedures=(TEXT,), per=3), replace(SITE.spec, batch=2)
    check.source(source, spec).raise_if_broken()
    pieces = list(source.read(KEY, spec))
    assert sum(int(piece.valid.sum()) for piece in pieces) == 4 * 3
    assert all(np.all(piece.to_come == 0) for piece in pieces)


def test_the_pages_keep_the_contract_and_pay_the_expert() -> None:
    check.world(Site(batch=2)).raise_if_broken()
    rows = jax.jit(lambda: Sites().real(KEY, 60))()
    assert float(rows.weight.min()) == 1.0
    seen = np.asarray(rows.now[:, : 5 * len(LABELS)]).reshape(60, 5, len(LABELS)).argmax(-1)
    assert len({tuple(each) for each in seen.tolist()}) == 2


def test_half_of_the_texts_are_kept_for_the_exam() -> None:
    texts = procedures()
    assert len(set(texts)) == 40
    for text in texts:
        SITE.follows(steps_of(text, LABELS))
    held_out = {
        tuple(sorted(label for label in map(LABELS.index, (each.split()[-1] for each in text.split(",")))))
        for text in texts[20:30]
    }
    drawn = jax.vmap(Sites().kind)(jax.random.split(KEY, 50))
    assert {tuple(sorted(label for label in each if label >= 0)) for each in np.asarray(drawn).tolist()} <= held_out
    assert FIELDS == 2
    assert jnp.unique(drawn, axis=0).shape[0] > 20
