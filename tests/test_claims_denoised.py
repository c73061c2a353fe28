"""The studies of policies that denoise: what is shown to them, and rivals whose draws have a closed form."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours import Denoised, DenoisedPlay, Sequenced, Unified
from umwelt.claims.studies.circles import Bins, Circled, Plain
from umwelt.claims.studies.half_watched import HalfWatched
from umwelt.claims.studies.worded import OTHERS, WORDINGS, Worded, codes
from umwelt.core import SHOWN, WATCHED
from umwelt.memory import Trajectories
from umwelt.worlds import crossing

KEY = jax.random.key(3)
MEMORY = Trajectories(bytes=400_000, length=2)
SMALL = Sequenced(learner=DenoisedPlay(window=1, chunk=1), memory=MEMORY)


def test_bins_lose_what_ties_entries_and_the_mean_lies_in_the_middle_of_the_circle() -> None:
    def off(way: Any) -> float:
        study = Circled(learner=Denoised(by=way, window=1, units=16, layers=1, learning_rate=1e-2), updates=200, near=0.1)
        return float(jax.jit(study)(KEY)["off_circle"])

    # two entries of a circle, drawn apart
    one, two = 0.7 * np.cos(2 * np.pi * np.random.default_rng(0).uniform(size=(2, 100_000)))
    apart = np.mean(np.abs(np.hypot(one, two) - 0.7) > 0.1)
    assert off(Bins()) == pytest.approx(apart, abs=0.06)
    assert off(Plain()) == 1.0


def test_labels_name_the_gate_that_was_asked_for_all_through_an_episode() -> None:
    study = Worded(agent=SMALL, rows=40, turns=2, wrong=0.0)
    shown = jax.jit(study._crossed.shown)(KEY)
    found = study.labelled(KEY, shown)
    words, valid = np.asarray(found.step.observation[..., 2:]), np.asarray(shown.valid)
    table = np.asarray(codes(WORDINGS, study.width))
    apart = np.linalg.norm(words[:, :, None, None] - table, axis=-1)
    assert apart.min(axis=(2, 3)).max() < 1e-5
    gate = apart.min(axis=3).argmin(axis=2)
    middles = np.array(list(crossing.GATES.values()))
    asked = np.abs(np.asarray(shown.task.goal)[..., :1] - middles).argmin(axis=-1)
    assert np.all(gate[valid] == asked[valid])
    np.testing.assert_array_equal(found.next.observation[:-1], found.step.observation[1:])
    wrong = replace(study, wrong=1.0).labelled(KEY, shown)
    changed = np.linalg.norm(np.asarray(wrong.step.observation[..., None, None, 2:]) - table, axis=-1).min(axis=3).argmin(axis=2)
    assert np.mean(changed[valid] == asked[valid]) == pytest.approx(1 / 3, abs=0.15)


def test_other_wordings_lie_nearest_to_those_of_their_gate() -> None:
    known, other = (np.asarray(codes(each, 24)) for each in (WORDINGS, OTHERS))
    assert not {text for texts in WORDINGS for text in texts} & {text for texts in OTHERS for text in texts}
    near = np.einsum("gpw,hqw->gphq", other, known).max(axis=3).argmax(axis=2)
    assert np.mean(near == np.arange(3)[:, None]) > 0.6


def test_what_is_watched_shows_no_action() -> None:
    study = HalfWatched(agent=Sequenced(learner=Unified(window=1), memory=MEMORY), rows=6, known=2, turns=1)
    shown = jax.jit(study._crossed.shown)(KEY)
    found = study.hidden(shown)
    assert np.all(np.asarray(found.origin[:, :2]) == SHOWN)
    assert np.all(np.asarray(found.origin[:, 2:]) == WATCHED)
    assert float(jnp.abs(found.action[:, 2:]).max()) == 0.0
    np.testing.assert_array_equal(found.action[:, :2], shown.action[:, :2])
