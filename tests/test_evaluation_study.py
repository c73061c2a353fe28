"""Models on data, against the world itself, closed forms and scipy."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import spearmanr

from umwelt.claims.studies.models import BySide, ByTask, Distracted, Lessons
from umwelt.core import Box, Experience, Prediction, TimeStep, WorldSpec, lived, part
from umwelt.evaluation import study
from umwelt.evaluation.knowledge import unexplained
from umwelt.models import Ensemble, Losse, Truth
from umwelt.models.linear import Encoder
from umwelt.worlds import Announced, Pendulum

KEY = jax.random.key(0)
SPEC = WorldSpec(
    name="line",
    observation=Box(shape=(2,), low=-4.0, high=4.0),
    action=Box(shape=(1,), low=-1.0, high=1.0),
    task=None,
    batch=4,
)


def line(steps: int = 300) -> Experience:
    """A damped point that an action pushes: a linear world, and its reward is its first number. Experience [T, B]."""

    def tick(place: jax.Array, action: jax.Array) -> tuple[jax.Array, Experience]:
        after = place * jnp.array([0.9, 0.5]) + action * jnp.array([0.1, 0.3])
        kind = jnp.ones(SPEC.batch, jnp.int8)
        now = TimeStep(kind=kind, observation=place, reward=jnp.zeros(SPEC.batch))
        return after, lived(now, action, TimeStep(kind=kind, observation=after, reward=after[:, 0]))

    actions = jax.random.uniform(KEY, (steps, SPEC.batch, 1), minval=-1.0, maxval=1.0)
    return jax.lax.scan(tick, jnp.zeros((SPEC.batch, 2)), actions)[1]


def swung(steps: int) -> tuple[Any, Experience]:
    """A pendulum under random actions, with seams in it: the world and experience [T, B]."""
    world = Pendulum(batch=3, time_limit=20)
    task = jax.tree.map(lambda leaf: jnp.repeat(jnp.asarray(leaf)[None], 3), world.tasks()["earth"])

    def tick(carry: Any, draw: jax.Array) -> tuple[Any, Experience]:
        state, step = carry
        action = jax.random.uniform(draw, (3, 1), minval=-2.0, maxval=2.0)
        state, after = world.step(draw, state, action, task)
        return (state, after), lived(step, action, after)

    return world, jax.jit(lambda: jax.lax.scan(tick, world.init(KEY, task), jax.random.split(KEY, steps))[1])()


def test_the_world_itself_has_no_error_and_seams_do_not_count() -> None:
    world, data = swung(84)
    model, space, cut = Truth(world=world), world.spec.observation, study.windows(data, 12)
    found = jax.jit(lambda: study.open_loop(KEY, model, (), space, cut, 2, (1, 5, 10)))()
    assert np.nanmax(found.error) < 1e-6
    assert np.nanmax(found.reward_error) < 1e-6


def test_windows_keep_the_order_of_time() -> None:
    data = line(10)
    cut = study.windows(data, 4)
    assert cut.origin.shape == (8, 4)
    np.testing.assert_array_equal(cut.next.observation[:, :-1], cut.step.observation[:, 1:])
    np.testing.assert_array_equal(cut.step.observation[4], data.step.observation[4:8, 0])


@pytest.mark.parametrize("length", [0, 3])
def test_draws_are_pieces_of_the_data_and_reach_their_ends(length: int) -> None:
    data = line(5)
    made = study.drawn(KEY, data, 400, length)
    flat = np.asarray(made.step.observation).reshape(400, -1)
    pieces = study.windows(data, 1) if not length else None
    if pieces is not None:
        assert {tuple(row) for row in flat} == {tuple(row) for row in np.asarray(pieces.step.observation)[:, 0]}
    else:
        assert made.origin.shape == (400, 3)
        starts = {tuple(row) for row in flat[:, :2]}
        assert starts == {tuple(row) for row in np.asarray(data.step.observation)[:3].reshape(-1, 2)}
        np.testing.assert_array_equal(made.next.observation[:, 0], made.step.observation[:, 1])


def test_a_stream_model_reads_each_transition_once_and_learns_a_linear_world() -> None:
    model, data = Losse(encoder=Encoder(grids=4)), line()
    state = jax.jit(lambda: study.study(KEY, model, model.init(KEY, SPEC), data, 0, 0))()
    assert int(state.statistics.count) == data.origin.size
    cut = study.windows(line(60), 6)
    found = jax.jit(lambda: study.open_loop(KEY, model, state, SPEC.observation, cut, 1, (1, 5)))()
    assert np.max(found.error) < 0.02
    assert np.max(found.reward_error) < 0.02


def test_replay_of_several_seeds_is_one_program_and_more_updates_teach_more() -> None:
    model, data = Ensemble(members=1, layers=1, units=16, share=1.0, learning_rate=1e-2), line()
    cut = study.windows(line(40), 2)

    def error(updates: int) -> Any:
        def one(key: jax.Array) -> jax.Array:
            state = study.study(key, model, model.init(key, SPEC), data, updates, 32)
            return study.open_loop(key, model, state, SPEC.observation, cut).error[0]

        return jax.jit(jax.vmap(one))(jax.random.split(KEY, 3))

    assert np.all(error(200) < 0.3 * error(0))


@part
class Half:
    """Knows half of each action; without a decoder its belief is compared. Doubt is the size of the action."""

    decodes: bool = True
    diet = "replay"

    def start(self, state: Any, batch: int) -> jax.Array:
        return jnp.zeros((batch, 1))

    def observe(self, key: Any, state: Any, belief: Any, action: Any, step: TimeStep) -> Any:
        return step.observation, {}

    def imagine(self, key: Any, state: Any, belief: Any, action: Any) -> Any:
        after, rows = belief + 0.5 * action, jnp.ones(belief.shape[0])
        seen = after if self.decodes else None
        return after, Prediction(observation=seen, reward=0.5 * action[:, 0], continues=rows, doubt=jnp.abs(action[:, 0]))


@pytest.mark.parametrize("decodes", [True, False])
def test_half_of_a_walk_leaves_a_quarter_unexplained(decodes: bool) -> None:
    action = jax.random.uniform(KEY, (3000, 8, 1), minval=-1.0, maxval=1.0)
    path = jnp.concatenate([jnp.zeros((3000, 1, 1)), jnp.cumsum(action, axis=1)], axis=1)
    kind = jnp.ones((3000, 8), jnp.int8)
    steps = [TimeStep(kind=kind, observation=each, reward=action[..., 0]) for each in (path[:, :-1], path[:, 1:])]
    walk = Experience(step=steps[0], action=action, next=steps[1], origin=jnp.zeros_like(kind))
    model: Any = Half(decodes=decodes)
    found = jax.jit(lambda: study.open_loop(KEY, model, (), Box(shape=(1,)), walk, 3, (1, 4)))()
    np.testing.assert_allclose(found.error, 0.25, atol=0.01)
    np.testing.assert_allclose(found.reward_error, 0.25, atol=0.01)
    assert found.doubt_rank == pytest.approx(1.0, abs=1e-3)


def test_shares_and_ranks_are_those_of_numpy_and_scipy_over_whole_rows() -> None:
    rng = np.random.default_rng(0)
    guess, found, before = (rng.normal(size=(200, 3)).astype(np.float32) for _ in range(3))
    found[:, 2] = before[:, 2]  # a number that never changes
    whole = rng.random(200) < 0.7
    share = study.unexplained_share(*(jnp.array(each) for each in (guess, found, before, whole)))
    assert float(share) == pytest.approx(unexplained(guess[whole], found[whole], before[whole]), rel=1e-4)
    first, second = rng.integers(0, 9, 200).astype(np.float32), rng.normal(size=200).astype(np.float32)
    ranked = study.rank_share(jnp.array(first), jnp.array(second), jnp.array(whole))
    assert float(ranked) == pytest.approx(spearmanr(first[whole], second[whole])[0], abs=1e-4)
    assert np.isnan(study.rank_share(jnp.ones(9), jnp.arange(9.0), jnp.ones(9, bool)))


def test_the_data_of_lessons_are_sorted_by_place_and_hold_no_seams() -> None:
    lessons, exams = jax.jit(lambda: BySide(world=Pendulum(time_limit=20), regions=3, steps=90, exam=30)(KEY, 1))()
    assert lessons.origin.shape == (3, 90)
    assert exams.origin.shape == (3, 30, 1)
    assert np.all(lessons.acted)
    angle = np.arctan2(lessons.step.observation[..., 1], lessons.step.observation[..., 0])
    assert np.all(angle[:-1].max(axis=1) <= angle[1:].min(axis=1))
    assert not np.all(np.diff(angle, axis=1) >= 0), "in no order within a region"


def test_noise_beside_an_observation_goes_on_from_moment_to_moment() -> None:
    plain = ByTask(world=Pendulum(time_limit=20), tasks=("earth", "moon"), steps=400, exam=40)
    data = Distracted(data=plain, entries=30, memory=0.8)
    lessons, exams = jax.jit(lambda: data(KEY, 5))()
    assert data.spec.observation.shape == lessons.step.observation.shape[2:] == (33,)
    for made in (lessons, exams):
        noise = np.asarray(made.step.observation[..., 3:]), np.asarray(made.next.observation[..., 3:])
        np.testing.assert_array_equal(noise[0][..., 1:, :], noise[1][..., :-1, :])
        assert np.std(noise[0]) == pytest.approx(1.0, abs=0.1)
    assert np.mean(noise[0] * noise[1]) == pytest.approx(0.8, abs=0.1)


def test_a_lesson_that_is_drawn_again_keeps_more_than_one_that_is_not() -> None:
    tasks = ByTask(world=Announced(world=Pendulum(time_limit=20)), tasks=("earth", "mirrored"), steps=200, exam=100)
    kept = Lessons(data=tasks, model=Ensemble(members=1, layers=1, units=32, share=1.0, learning_rate=3e-3), updates=150)
    growth = jax.jit(lambda newest: replace(kept, newest=newest).measured(KEY)["growth"])
    assert growth(0.5) < 0.8 * growth(1.0)
