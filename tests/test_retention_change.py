"""Change detection, against another library's test and the published run lengths of CUSUM."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from river.drift import PageHinkley as RiversPageHinkley

from umwelt.retention import Cusum, PageHinkley


def alarms(test: Any, values: np.ndarray) -> np.ndarray:
    """bool, of the shape of values [T, ...]."""
    _, found = jax.lax.scan(test.watch, test.init(values.shape[1:]), jnp.asarray(values, jnp.float32))
    return np.asarray(found)


def stream(seed: int) -> np.ndarray:
    """Normals whose mean rises, falls and rises again."""
    noise = np.random.default_rng(seed).normal(size=2000)
    return noise + np.repeat([0.0, 3.0, -2.0, 1.0], 500)


@pytest.mark.parametrize("direction", ["up", "down", "both"])
@pytest.mark.parametrize("options", [{"threshold": 20.0}, {"threshold": 30.0, "slack": 0.1, "fading": 0.99, "warm": 100}])
def test_page_hinkley_alarms_where_rivers_does(direction: Any, options: dict[str, Any]) -> None:
    names = {"threshold": "threshold", "slack": "delta", "fading": "alpha", "warm": "min_instances"}
    theirs = RiversPageHinkley(mode=direction, **{names[name]: value for name, value in options.items()})
    found = []
    for seed in range(3):
        theirs = theirs.clone()
        expected = []
        for index, value in enumerate(stream(seed)):
            theirs.update(value)
            if theirs.drift_detected:
                expected.append(index)
        mine = np.flatnonzero(alarms(PageHinkley(direction=direction, **options), stream(seed)))
        np.testing.assert_array_equal(mine, expected)
        found += expected
    assert found, "a test without alarms compares nothing"


def run_lengths(shift: float, threshold: float) -> float:
    """The mean time to the first alarm of 2,000 streams of normals with a known mean and deviation."""
    noise = np.random.default_rng(0).normal(shift, 1.0, (3000 if shift == 0 else 100, 2000))
    found = alarms(Cusum(threshold=threshold, warm=0), noise)
    # learned from two values whose mean is 0 and whose deviation is 1, it is the same
    known = np.tile([[-np.sqrt(0.5)], [np.sqrt(0.5)]], (1, 2000))
    learned = alarms(Cusum(threshold=threshold, warm=2), np.concatenate([known, noise[:50]]))[2:]
    # only up to the first alarm, after which it would learn from two values again
    quiet = (np.cumsum(learned, axis=0) == learned) & (np.cumsum(found[:50], axis=0) == found[:50])
    assert np.mean((learned != found[:50])[quiet]) < 0.001
    assert found.any(axis=0).mean() > 0.999 or shift == 0
    return float(np.where(found.any(axis=0), found.argmax(axis=0) + 1, len(found)).mean())


def test_cusum_runs_as_long_as_published() -> None:
    # one-sided average run lengths with a slack of half a deviation, from the tables of statistical process control
    assert run_lengths(0.0, 4.0) == pytest.approx(336.0, rel=0.06)
    assert run_lengths(1.0, 4.0) == pytest.approx(8.34, rel=0.04)
    assert run_lengths(1.0, 5.0) == pytest.approx(10.34, rel=0.04)
    assert run_lengths(2.0, 5.0) == pytest.approx(4.01, rel=0.04)


@pytest.mark.parametrize("test", [PageHinkley(threshold=20.0), Cusum()])
def test_what_is_not_a_number_is_not_heard(test: Any) -> None:
    values = stream(0)
    gappy = np.full(2 * len(values), np.nan)
    gappy[::2] = values
    np.testing.assert_array_equal(alarms(test, gappy)[::2], alarms(test, values))
    assert not alarms(test, gappy)[1::2].any()


@pytest.mark.parametrize("test", [PageHinkley(threshold=20.0), Cusum(direction="both")])
def test_every_entry_is_watched_by_itself(test: Any) -> None:
    both = np.stack([stream(0), stream(1)], axis=1)
    together = alarms(test, both)
    for entry in range(2):
        np.testing.assert_array_equal(together[:, entry], alarms(test, both[:, entry]))
    compiled = jax.jit(partial(jax.lax.scan, test.watch))(test.init((2,)), jnp.asarray(both, jnp.float32))[1]
    np.testing.assert_array_equal(np.asarray(compiled), together)


def test_an_unknown_direction_names_itself() -> None:
    with pytest.raises(ValueError, match="direction='sideways'"):
        Cusum(direction="sideways").init()  # type: ignore[arg-type]
