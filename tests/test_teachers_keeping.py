"""The teacher that asks again: its half-life against a known one, and when it asks."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.core import Box, Discrete, Feedback
from umwelt.teachers import Blocks, Keeping, Mixture
from umwelt.teachers.keeping import lost, rate_of

KEY = jax.random.key(0)
SPACE, NAMED = Box(low=0.0, high=1.0), {"one": np.float32(0.5)}
TEACHER = Keeping(teacher=Blocks(), scale=(0.0, 1.0), half_life=50.0, regions=4, radius=0.2, smooth=1.0)


@jax.jit
def told(state: Any, places: jax.Array, values: jax.Array) -> Any:
    """The state after one row's results, one after the other."""

    def one(state: Any, given: Any) -> tuple[Any, None]:
        place, value = given
        feedback = Feedback(finished=jnp.ones(1, bool), returns=value[None], length=jnp.ones(1, jnp.int32), surprise=value[None],
                            doubt=value[None])  # fmt: skip
        return TEACHER.tell(KEY, state, place[None], feedback), None

    return jax.lax.scan(one, state, (places, values))[0]


def test_it_keeps_the_contract_around_other_teachers() -> None:
    check.teacher(Keeping(teacher=Blocks(), regions=4), depth="shapes").raise_if_broken()
    check.teacher(Keeping(teacher=Mixture(every=20, most=2, slots=40), regions=4), depth="shapes").raise_if_broken()
    named = {"a": {"kind": np.int32(0)}, "b": {"kind": np.int32(2)}}
    check.teacher(
        Keeping(teacher=Blocks(names=("a", "b")), regions=3), {"kind": Discrete(n=3)}, named, depth="shapes"
    ).raise_if_broken()


def test_a_loss_halves_with_time() -> None:
    np.testing.assert_allclose(lost(jnp.array([0.8, 0.2]), jnp.array([0.8, 0.4]), jnp.array([100, 0]), 0.01), [0.4, 0.0])


def test_the_half_life_is_found_from_pauses() -> None:
    random = np.random.default_rng(0)
    pause, gain = random.uniform(1, 200, 4000), 0.01
    before = random.uniform(0.3, 1.0, 4000)
    now = before * 2.0 ** (-pause / 2000) + gain + random.normal(0, 0.02, 4000)
    across, loss = before * pause, before - now
    sums = jnp.array([4000.0, across.sum(), loss.sum(), (across**2).sum(), (across * loss).sum()])
    assert 1.0 / float(rate_of(sums, 300.0)) == pytest.approx(2000, rel=0.15)
    assert 1.0 / float(rate_of(jnp.zeros(5), 300.0)) == pytest.approx(300, rel=1e-3), "what is assumed"


def test_what_was_long_ago_is_asked_for_again_and_what_is_kept_is_not() -> None:
    # first one place, then another for a long time
    places = jnp.concatenate([jnp.full(30, 0.1), jnp.full(60, 0.9)])
    state = told(TEACHER.init(KEY, SPACE, NAMED), places, jnp.ones(90))
    losses = TEACHER.losses(state.kept)
    assert int(state.kept.used) == 2
    assert losses[0] > 0.3
    assert losses[1] < 0.05
    asked = np.asarray(TEACHER.ask(KEY, state, 2000)[1])
    again = np.abs(asked - 0.1) <= 0.11
    assert again.mean() == pytest.approx(min(0.5, float(losses.sum())), abs=0.04), "as often as predicted, at most the share"
    assert np.all(asked[~again & (np.abs(asked - 0.9) > 0.11)] == 0.5), "else as the teacher inside says"


def test_a_regress_of_results_alone_is_a_loss_too() -> None:
    state = told(TEACHER.init(KEY, SPACE, NAMED), jnp.full(2, 0.1), jnp.array([1.0, 0.2]))
    assert float(TEACHER.losses(state.kept)[0]) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(("field", "value"), [("share", 1.5), ("radius", 0.0), ("half_life", 0.0), ("smooth", 0.0)])
def test_bad_values_are_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{field}="):
        Keeping(teacher=Blocks(), **{field: value}).init(KEY, SPACE, NAMED)
