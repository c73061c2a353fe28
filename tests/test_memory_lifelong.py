"""The content of a lifelong memory after a long life, against what each way of keeping promises."""

from dataclasses import replace
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize, stats

from umwelt import check
from umwelt.core import FIRST, MID, TRUNCATED, Experience, TimeStep
from umwelt.memory import Covering, Fading, Halves, Lifelong, Newest, Quota, Reservoir, Surprising
from umwelt.retention import Cusum

KEY = jax.random.key(0)
KEEPS = [Newest(), Reservoir(), Fading(), Covering(), Surprising(), Quota(), Quota(detector=Cusum(warm=20)), Halves()]


def life(ticks: int, seen: Any, surprise: Any = 0.0, episode: int = 0, task: Any = 0.0) -> Experience:
    """Experience [ticks, 1] whose reward is its number, beginning at 0; `episode` transitions between two FIRST steps."""
    number = np.arange(ticks + 1)
    kind = np.full(ticks + 1, MID)
    if episode:
        kind[number % (episode + 1) == 0] = FIRST
        kind[number % (episode + 1) == episode] = TRUNCATED
    observation = np.broadcast_to(np.asarray(seen, np.float32), (ticks + 1,))[:, None, None]
    steps = TimeStep(
        kind=np.asarray(kind[:, None], np.int8),
        observation=np.asarray(np.concatenate([number[:, None, None], observation], -1), np.float32),
        reward=np.asarray(number[:, None], np.float32),
    )
    before, after = (jax.tree.map(lambda leaf, cut=cut: leaf[cut], steps) for cut in (slice(-1), slice(1, None)))
    given = (np.broadcast_to(np.asarray(value, np.float32), (ticks,))[:, None] for value in (surprise, task))
    measured, kind_of_task = given
    origin, action = np.zeros((ticks, 1), np.int8), np.zeros((ticks, 1, 1), np.float32)
    return Experience(step=before, action=action, next=after, origin=origin, surprise=measured, task={"goal": kind_of_task})


@cache
def filler(memory: Lifelong) -> Any:
    """(state, keys, experience [ticks, 1]) -> the state after all of it, compiled once."""

    def tick(state: Any, item: Any) -> tuple[Any, None]:
        return memory.add(item[0], state, item[1]), None

    return jax.jit(lambda state, *items: jax.lax.scan(tick, state, items)[0])


def filled(memory: Lifelong, lived: Experience, key: jax.Array = KEY) -> Any:
    """The state after all of it."""
    ticks = lived.origin.shape[0]
    return filler(memory)(memory.init(jax.tree.map(lambda leaf: leaf[0], lived)), jax.random.split(key, ticks), lived)


@cache
def sized(keep: Any, chunks: int, length: int = 1) -> Lifelong:
    """A memory with room for so many chunks of `life`, and not one more."""
    first = jax.tree.map(lambda leaf: leaf[0], life(2, 0.0))
    low, high = 200, 4_000_000
    while high - low > 1:
        middle = (low + high) // 2
        try:
            slots = jax.eval_shape(Lifelong(bytes=middle, length=length, keep=keep).init, first).steps.kind.shape[0]
        except ValueError:
            slots = 0
        low, high = (low, middle) if slots >= chunks else (middle, high)
    return Lifelong(bytes=high, length=length, keep=keep)


def held(state: Any) -> np.ndarray:
    """The numbers of the last transitions of all chunks that are held."""
    return np.asarray(state.steps.reward[: int(state.filled), -1])


CASES = [(keep, 1) for keep in KEEPS] + [(KEEPS[1], 8), (KEEPS[5], 8)]


@pytest.mark.parametrize(("keep", "length"), CASES, ids=lambda value: repr(value).split("(")[0])
def test_it_keeps_the_contract(keep: Any, length: int) -> None:
    example = jax.tree.map(lambda leaf: leaf[0], life(2, 0.0))
    depth = "values" if keep == Quota() and length == 1 else "shapes"
    check.memory(Lifelong(keep=keep, length=length), example=example, depth=depth).raise_if_broken()


def test_many_rows_and_mixed_leaves_keep_the_contract() -> None:
    check.memory(Lifelong(length=4)).raise_if_broken()


def test_the_newest_are_the_newest() -> None:
    state = filled(sized(Newest(), 50), life(333, 0.0))
    np.testing.assert_array_equal(np.sort(held(state)), np.arange(284, 334))


def test_a_reservoir_is_even_over_the_whole_life() -> None:
    memory = sized(Reservoir(), 100)
    found = np.concatenate([held(filled(memory, life(1000, 0.0), jax.random.key(seed))) for seed in range(20)])
    counts = np.histogram(found, bins=10, range=(0.5, 1000.5))[0]
    assert stats.chisquare(counts).pvalue > 0.01


def test_surprising_moments_stay_by_their_weight() -> None:
    """One in ten is three deviations above the mean in surprise; the others lie a third of one below it."""
    surprise = np.where(np.arange(4000) % 10 == 0, 9.0, 1.0)
    rare, common = np.exp((9.0 - surprise.mean()) / surprise.std()), np.exp((1.0 - surprise.mean()) / surprise.std())

    def left(x: float) -> float:
        """How many are kept of each kind when the ranks above -x are, less the 200 that fit."""
        return 400 * -np.expm1(-rare * x) + 3600 * -np.expm1(-common * x) - 200

    x = optimize.brentq(left, 0.0, 10.0)
    found = held(filled(sized(Surprising(), 200), life(4000, 0.0, surprise)))
    assert np.mean((found - 1) % 10 == 0) == pytest.approx(400 * -np.expm1(-rare * x) / 200, abs=0.08)


def test_surprise_may_be_measured_in_any_unit() -> None:
    """Nats of a well-known world are below zero; another unit keeps the same chunks."""
    surprise = np.random.default_rng(1).normal(size=3000)
    memory = sized(Surprising(), 200)
    one, other = (held(filled(memory, life(3000, 0.0, values))) for values in (surprise, 20.0 * surprise - 70.0))
    assert len(np.intersect1d(one, other)) >= 195
    assert surprise[one.astype(int) - 1].mean() > 0.5, "the surprising ones stay"


def test_one_half_is_the_newest_and_the_other_an_even_sample_of_the_rest() -> None:
    memory = sized(Halves(recent=0.25), 200)
    found = [np.sort(held(filled(memory, life(4000, 0.0), jax.random.key(seed)))) for seed in range(4)]
    for numbers in found:
        assert len(np.unique(numbers)) == 200, "no chunk stands twice"
        assert numbers[-50:].tolist() == list(range(3951, 4001))
    old = np.concatenate([numbers[:-50] for numbers in found])
    assert stats.kstest(old / 3950, "uniform").pvalue > 1e-3
    few = np.sort(held(filled(memory, life(150, 0.0))))
    assert few.tolist() == list(range(1, 151)), "while there is room everything stays"


def test_the_past_fades_as_a_power_of_its_age() -> None:
    memory = sized(Fading(), 256)
    ages = np.concatenate([10_000 - held(filled(memory, life(10_000, 0.0), jax.random.key(seed))) for seed in range(4)])
    edges = np.geomspace(20, 7_500, 8)
    density = np.histogram(ages, edges)[0] / np.diff(edges)
    where, found = np.log(np.sqrt(edges[1:] * edges[:-1])), np.log(density)
    slope, straight = np.polyfit(where, found, 1)[0], np.corrcoef(where, found)[0, 1]
    assert straight < -0.97, "a power is a straight line in logarithms"
    assert -1.6 < slope < -0.5


def test_covering_keeps_what_is_rare_however_old_it_is() -> None:
    """Ten far observations came once, long ago, between thousands that are all alike."""
    seen = np.random.default_rng(0).normal(0.0, 0.05, 2501)
    seen[100:110] = np.linspace(5.0, 9.0, 10)
    lived = life(2500, seen)
    # the number of the step is no part of the observation here
    lived = replace(
        lived,
        step=replace(lived.step, observation=lived.step.observation[..., 1:]),
        next=replace(lived.next, observation=lived.next.observation[..., 1:]),
    )

    def strange(keep: Any) -> int:
        return int(np.sum(np.isin(held(filled(sized(keep, 60), lived, jax.random.key(1))), np.arange(101, 111))))

    assert strange(Covering()) >= 8
    assert strange(Newest()) == 0
    assert strange(Reservoir()) <= 3


@pytest.mark.parametrize("shown", [True, False])
def test_every_task_has_equal_room(shown: bool) -> None:
    """Tasks of 2,000, 300, 100 and 1,600 transitions; without their names, each begins with a burst of surprise."""
    lengths = [2000, 300, 100, 1600]
    task = np.repeat(np.arange(4.0), lengths)
    surprise = np.random.default_rng(0).normal(1.0, 0.1, 4000)
    for begin in np.cumsum(lengths)[:-1]:
        surprise[begin : begin + 20] += 3.0
    keep = Quota() if shown else Quota(detector=Cusum(warm=50, threshold=12.0))
    found = held(filled(sized(keep, 200), life(4000, 0.0, surprise, task=task)))
    counts = np.bincount(task[found.astype(int) - 1].astype(int), minlength=4)
    # the detector is a few transitions late, which count for the task before
    assert counts.min() >= (49 if shown else 40)
    assert counts.sum() == 200
    old = found[found <= 2000]
    assert stats.kstest(old / 2000, "uniform").pvalue > 0.01, "within a task the sample is even"


def test_a_chunk_is_whole_and_the_end_of_an_episode_is_never_lost() -> None:
    memory = sized(Newest(), 40, length=8)
    state = filled(memory, life(21 * 10, 0.0, episode=20))
    drawn = memory.sample(KEY, state, (500, 8))
    assert bool(drawn.valid.all())
    assert (np.diff(np.asarray(drawn.next.reward), axis=1) == 1).all()
    ends = np.unique(np.asarray(drawn.next.reward[:, -1])) % 21
    assert set(ends) == {8, 16, 20}, "two chunks of each episode, and its last 8 transitions"


@pytest.mark.parametrize("keep", KEEPS)
def test_everything_that_is_held_fits_into_the_budget(keep: Any) -> None:
    example = jax.tree.map(lambda leaf: leaf[0], life(2, 0.0))
    for budget in range(20_000, 20_040, 3):
        made = jax.eval_shape(Lifelong(bytes=budget, keep=keep).init, example)
        taken = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(made))
        assert budget - 200 < taken <= budget


def test_room_that_is_too_small_says_how_much_is_needed() -> None:
    example = jax.tree.map(lambda leaf: leaf[0], life(2, 0.0))
    with pytest.raises(ValueError, match="give bytes=") as error:
        Lifelong(bytes=300, length=8).init(example)
    enough = int(str(error.value).split("give bytes=")[1].split()[0])
    assert Lifelong(bytes=enough, length=8).init(example).steps.kind.shape[0] == 1
    with pytest.raises(ValueError, match="give bytes="):
        Lifelong(bytes=enough - 1, length=8).init(example)
    with pytest.raises(ValueError, match="the experience has no task"):
        Lifelong(keep=Quota()).init(replace(example, task=None))
    with pytest.raises(ValueError, match="no surprise"):
        Lifelong(keep=Quota(detector=Cusum())).init(replace(example, surprise=None))
    with pytest.raises(ValueError, match="no surprise"):
        Lifelong(keep=Surprising()).init(replace(example, surprise=None))
    wide = jax.tree.map(lambda leaf: jnp.zeros((1, 64, 64, 3)) if leaf.shape == (1, 2) else leaf, example)
    with pytest.raises(ValueError, match="for pictures use"):
        Lifelong(keep=Covering()).init(wide)
